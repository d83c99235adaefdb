import assert from "node:assert/strict";
import { test } from "node:test";
import type { KnownService } from "./answer.ts";
import { makeServer } from "./resolvers.fixture.ts";
import { assignRecords, type ServerRecord, weightOf } from "./service-records.ts";

function record(text: string, weight = 0): KnownService {
  const [target = "", port] = text.split(":");
  return { target, port: Number(port), weight, addresses: [] };
}

/** `present`: the record that each server has, or "". */
function assign(present: readonly string[], records: readonly string[]): string {
  const servers = present.map((text, i) => {
    const server = makeServer(`s${i + 1}`, "_http._tcp.test");
    if (text !== "") {
      const { target, port } = record(text);
      server.hostName = target;
      server.port = port;
    }
    return server;
  });
  const { kept, taken, released, retaken } = assignRecords(
    servers,
    records.map((text) => record(text)),
  );
  const describe = ({ server, record: { target, port } }: ServerRecord) => `${server.name}=${target}:${port}`;
  const gone = released.map(({ name }) => `-${name}`);
  return [...kept.map(describe), ...taken.map(describe), ...gone, ...retaken.map(describe)].join(" ");
}

test("records go to the first servers, and those that are too many to nobody", () => {
  assert.equal(assign(["", "", ""], ["a:1", "b:2"]), "s1=a:1 s2=b:2");
  assert.equal(assign(["", ""], ["a:1", "b:2", "c:3"]), "s1=a:1 s2=b:2");
});

test("who has a record keeps it, in whatever order records come", () => {
  assert.equal(assign(["a:1", "b:2", ""], ["c:3", "b:2", "a:1"]), "s1=a:1 s2=b:2 s3=c:3");
});

test("the same host with another port is another server", () => {
  assert.equal(assign(["a:1", ""], ["a:2", "a:1"]), "s1=a:1 s2=a:2");
});

test("a record that goes sets its server free, which is the last one to get another", () => {
  assert.equal(assign(["a:1", "b:2", ""], ["b:2", "c:3"]), "s2=b:2 s3=c:3 -s1");
  assert.equal(assign(["a:1", "b:2"], ["b:2", "c:3"]), "s2=b:2 -s1 s1=c:3");
  assert.equal(assign(["a:1", "b:2"], []), "-s1 -s2");
});

test("who has been free longest takes the next record", () => {
  const servers = ["s1", "s2", "s3"].map((name, i) => {
    const server = makeServer(name, "_http._tcp.test");
    server.freeSince = [3, 0, 2][i]!;
    return server;
  });
  const { taken } = assignRecords(
    servers,
    ["a:1", "b:2", "c:3"].map((text) => record(text)),
  );
  assert.deepEqual(
    taken.map(({ server }) => server.name),
    ["s2", "s3", "s1"],
  );
});

test("weights of 16 bits become those of a server", () => {
  const weights = [0, 1, 255, 256, 257, 300, 65_535].map((weight) => weightOf(record("a:1", weight)));
  assert.deepEqual(weights, [0, 1, 1, 1, 2, 2, 256]);
});
