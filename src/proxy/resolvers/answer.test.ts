import assert from "node:assert/strict";
import { test } from "node:test";
import type { DnsMessage, DnsRecord, QuestionType } from "../../protocol/dns/message.ts";
import { readAnswer } from "./answer.ts";
import { addressRecord, serviceRecord } from "./resolvers.fixture.ts";

function read(
  type: QuestionType,
  name: string,
  answers: readonly DnsRecord[],
  more: Partial<DnsMessage> = {},
) {
  const message = { id: 1, isResponse: true, isTruncated: false, code: 0, question: null, additional: [] };
  return readAnswer({ ...message, answers, ...more }, name, type);
}

const alias = (name: string, target: string): DnsRecord => ({ kind: "alias", name, target });

test("addresses count that belong to the name and have the family that was asked for", () => {
  const records = [
    addressRecord("web.test", "192.0.2.1"),
    addressRecord("other.test", "192.0.2.66"),
    addressRecord("web.test", "2001:db8::1"),
    addressRecord("web.test", "192.0.2.2"),
    addressRecord("web.test", "192.0.2.1"),
  ];
  const addresses = [
    { family: 4, address: "192.0.2.1" },
    { family: 4, address: "192.0.2.2" },
  ];
  assert.deepEqual(read("A", "web.test", records), { kind: "addresses", addresses, hasAlias: false });
});

test("aliases lead to the addresses in whatever order they stand, but not in circles or nowhere", () => {
  const chain = [
    addressRecord("c.test", "192.0.2.1"),
    alias("b.test", "c.test"),
    alias("web.test", "b.test"),
  ];
  const addresses = [{ family: 4, address: "192.0.2.1" }];
  assert.deepEqual(read("A", "web.test", chain), { kind: "addresses", addresses, hasAlias: true });
  const fault = { kind: "fault", fault: "alias" };
  assert.deepEqual(read("A", "web.test", [alias("web.test", "b.test"), alias("b.test", "web.test")]), fault);
  assert.deepEqual(read("A", "web.test", chain.slice(1)), fault);
  const long = Array.from({ length: 20 }, (_, i) =>
    alias(i === 0 ? "web.test" : `${i}.test`, `${i + 1}.test`),
  );
  assert.deepEqual(read("A", "web.test", [...long, addressRecord("20.test", "192.0.2.1")]), fault);
});

test("each way to have no answer has its name", () => {
  const faultOf = (more: Partial<DnsMessage>, records: readonly DnsRecord[] = []) => {
    const answer = read("A", "web.test", records, more);
    return answer.kind === "fault" ? answer.fault : answer.kind;
  };
  assert.equal(faultOf({ code: 3 }), "nx");
  assert.equal(faultOf({ code: 5 }), "refused");
  assert.equal(faultOf({ code: 2 }), "other");
  assert.equal(faultOf({}), "empty");
  assert.equal(faultOf({}, [addressRecord("web.test", "2001:db8::1")]), "empty");
  assert.equal(
    faultOf({}, [addressRecord("web.test", "0.0.0.0")]),
    "empty",
    "said of names that are blocked",
  );
  assert.equal(faultOf({ isTruncated: true }, [addressRecord("web.test", "192.0.2.1")]), "truncated");
});

test("a service has its targets, once each, with the addresses that were told along", () => {
  const name = "_http._tcp.test";
  const records = [
    serviceRecord(name, "a.test", 80, 10),
    serviceRecord(name, "b.test", 81),
    serviceRecord(name, "a.test", 80, 20),
    serviceRecord(name, "", 82),
    serviceRecord("_other._tcp.test", "c.test", 83),
  ];
  const additional = [addressRecord("a.test", "192.0.2.1"), addressRecord("a.test", "2001:db8::1")];
  const addresses = [
    { family: 4, address: "192.0.2.1" },
    { family: 6, address: "2001:db8::1" },
  ];
  const services = [
    { target: "a.test", port: 80, weight: 20, addresses },
    { target: "b.test", port: 81, weight: 0, addresses: [] },
  ];
  assert.deepEqual(read("SRV", name, records, { additional }), { kind: "services", services });
  assert.deepEqual(read("SRV", name, [serviceRecord(name, "", 0)]), { kind: "fault", fault: "empty" });
});
