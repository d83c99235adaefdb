import assert from "node:assert/strict";
import { test } from "node:test";
import type { TraceQuestion } from "../../model/trace.ts";
import { readPacketWords, readReference } from "./packet-words.ts";

function questionOf(line: string): TraceQuestion {
  const words = readPacketWords(line.split(" "));
  assert.equal(words.kind, "packet", line);
  return (words as { question: TraceQuestion }).question;
}

function complaintOf(line: string): string {
  const words = readPacketWords(line === "" ? [] : line.split(" "));
  assert.equal(words.kind, "wrong", line);
  return (words as { message: string }).message;
}

test("protocol and port stand in any order, and the port may stand at the address", () => {
  const expected = {
    from: readReference("internet"),
    to: "203.0.113.10",
    protocol: "tcp",
    port: 8001,
    sourcePort: null,
  };
  for (const line of ["tcp 8001", "8001 tcp", "8001"])
    assert.deepEqual(questionOf(`internet to 203.0.113.10 ${line}`), expected);
  assert.deepEqual(questionOf("internet to 203.0.113.10:8001"), expected);
  assert.equal(questionOf("a to [2001:db8::1]:53 udp").to, "2001:db8::1");
  assert.equal(questionOf("a to 2001:db8::1").port, null);
});

test("without protocol and port it is a ping", () => {
  assert.equal(questionOf("web-001 to web-002").protocol, "icmp");
  assert.equal(questionOf("web-001 to web-002 ping").protocol, "icmp");
});

test("a machine of a copy is named by vApp, copy and machine", () => {
  assert.deepEqual(readReference("shop.test-a/web"), {
    text: "shop.test-a/web",
    vapp: "shop",
    copy: "test-a",
    name: "web",
  });
  assert.deepEqual(readReference("shop.test-a").name, null);
  assert.deepEqual(readReference("web-001"), { text: "web-001", vapp: null, copy: null, name: "web-001" });
});

test("two names with 'and' ask whether a router is needed", () => {
  assert.equal(readPacketWords(["a", "and", "b"]).kind, "pair");
});

test("each wrong question is answered with one sentence", () => {
  assert.equal(complaintOf(""), "who sends?");
  assert.equal(complaintOf("a"), "a to whom?");
  assert.equal(complaintOf("a to"), "a to whom?");
  assert.equal(complaintOf("a too b"), "'to' is expected before b, not 'too'");
  assert.equal(complaintOf("a to b tcp"), "which tcp port?");
  assert.equal(complaintOf("a to b icmp 80"), "icmp has no ports");
  assert.equal(complaintOf("a to b tcp udp 80"), "one protocol, not tcp and udp");
  assert.equal(complaintOf("a to b tcp 80 81"), "one port, not 80 and 81");
  assert.equal(complaintOf("a to b tcp 99999"), "99999 is neither a protocol nor a port");
});
