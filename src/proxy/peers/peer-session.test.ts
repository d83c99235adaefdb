import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { StickTableDefinition } from "../../model/stick-table.ts";
import { StickTable } from "../stick-table/stick-table.ts";
import { type PeerGroup, PeerSession } from "./peer-session.ts";

const DEFINITION: StickTableDefinition = {
  name: "company/t",
  keyType: "string",
  keyBytes: 20,
  size: 1000,
  expireMs: 60_000,
  isKept: false,
  stored: [
    { name: "gpc0", periodMs: 0, count: 1 },
    { name: "conn_cur", periodMs: 0, count: 1 },
    { name: "http_req_rate", periodMs: 1000, count: 1 },
    { name: "server_key", periodMs: 0, count: 1 },
    { name: "gpt", periodMs: 0, count: 2 },
  ],
  serverKey: "name",
  peers: "company",
  span: NO_SPAN,
};

function groupOf(
  localName: string,
  remoteName: string,
  changes: Partial<StickTableDefinition> = {},
): PeerGroup {
  return {
    localName,
    remoteNames: [remoteName],
    tables: [StickTable.alone({ ...DEFINITION, ...changes })],
    processId: 1,
    isUpToDate: false,
    isAsking: false,
    confirmed: new Map(),
  };
}

/** Lets both say what they have to say until they have nothing more. */
function talk(one: PeerSession, other: PeerSession, nowMs: number): void {
  for (let isQuiet = false; !isQuiet; ) {
    one.handleTimeout(nowMs);
    other.handleTimeout(nowMs);
    const [said, heard] = [one.takeOutput(), other.takeOutput()];
    if (said !== null) for (const byte of said) other.receive(Uint8Array.of(byte), nowMs);
    if (heard !== null) one.receive(heard, nowMs);
    isQuiet = said === null && heard === null;
  }
}

function meet(here: PeerGroup, there: PeerGroup, nowMs: number): [PeerSession, PeerSession] {
  const sessions: [PeerSession, PeerSession] = [
    new PeerSession(here, there.localName, nowMs),
    new PeerSession(there, null, nowMs),
  ];
  talk(...sessions, nowMs);
  return sessions;
}

function add(group: PeerGroup, key: string, nowMs: number): void {
  const table = group.tables[0]!;
  const { data } = table;
  table.update(key, nowMs, (entry, time) => {
    data.adder("gpc0", "gpc0_rate")!(entry, time, 1);
    data.adder("http_req_cnt", "http_req_rate")!(entry, time, 1);
    data.setter("gpt", 1)!(entry, time, 9);
    data.setter("server_key")!(entry, time, data.internName("WEB-001"));
    data.addConnections(entry, 1);
    return 0;
  });
}

function describeEntry(group: PeerGroup, key: string, nowMs: number): string | undefined {
  const table = group.tables[0]!;
  const texts: string[] = [];
  table.lookUp(key, nowMs, (entry, time) => {
    for (const { name, count } of table.definition.stored)
      for (let i = 0; i < count; i++) {
        const value = table.data.reader(name, i)!(entry, time);
        texts.push(name === "server_key" ? `${table.data.nameOf(value)}` : `${value}`);
      }
    return 0;
  });
  return texts.length === 0 ? undefined : texts.join(" ");
}

describe("two peers", () => {
  test("tell each other what was there before, and what comes", () => {
    const [here, there] = [groupOf("a", "b"), groupOf("b", "a")];
    add(here, "old", 1000);
    const sessions = meet(here, there, 1100);
    assert.equal(sessions[0].state, "open");
    assert.equal(describeEntry(there, "old", 1100), "1 0 1 WEB-001 0 9");
    add(there, "new", 1200);
    add(here, "old", 1200);
    talk(...sessions, 1300);
    assert.equal(describeEntry(here, "new", 1300), "1 0 1 WEB-001 0 9");
    assert.equal(describeEntry(there, "old", 1300), "2 0 2 WEB-001 0 9");
    assert.ok(here.isUpToDate && there.isUpToDate);
  });

  test("tell nothing twice, and on a new connection only what was not confirmed", () => {
    const [here, there] = [groupOf("a", "b"), groupOf("b", "a")];
    for (let i = 0; i < 500; i++) add(here, `k${i}`, 1000);
    const sessions = meet(here, there, 1100);
    for (let i = 0; i < 500; i++) assert.equal(describeEntry(there, `k${i}`, 1100), "1 0 1 WEB-001 0 9");
    add(here, "k7", 1200);
    talk(...sessions, 1300);
    for (const session of sessions) session.close();
    add(here, "k8", 1400);
    const again = new PeerSession(here, "b", 1500);
    const answering = new PeerSession(there, null, 1500);
    let saidBytes = 0;
    for (let i = 0; i < 10; i++) {
      again.handleTimeout(1500);
      const said = again.takeOutput();
      saidBytes += said?.length ?? 0;
      if (said !== null) answering.receive(said, 1500);
      const heard = answering.takeOutput();
      if (heard !== null) again.receive(heard, 1500);
    }
    assert.equal(describeEntry(there, "k8", 1500), "2 0 2 WEB-001 0 9");
    assert.ok(saidBytes < 200, `${saidBytes} bytes`);
  });

  test("leave a table alone that the other has with other keys, and data that it does not store", () => {
    const [here, there] = [groupOf("a", "b"), groupOf("b", "a", { keyBytes: 30 })];
    add(here, "key", 1000);
    meet(here, there, 1100);
    assert.equal(describeEntry(there, "key", 1100), undefined);
    const poor = groupOf("b", "a", { stored: [{ name: "gpc0", periodMs: 0, count: 1 }] });
    meet(here, poor, 1100);
    assert.equal(describeEntry(poor, "key", 1100), "1");
  });

  test("hear of each other while nothing is new, or end", () => {
    const sessions = meet(groupOf("a", "b"), groupOf("b", "a"), 0);
    for (let nowMs = 1000; nowMs <= 20_000; nowMs += 1000) talk(...sessions, nowMs);
    assert.equal(sessions[0].state, "open");
    sessions[0].handleTimeout(26_000);
    assert.equal(sessions[0].state, "closed");
  });

  test("that do not know each other end with HAProxy's numbers", () => {
    const statusOf = (hello: string) => {
      const session = new PeerSession(groupOf("a", "b"), null, 0);
      session.receive(Buffer.from(hello), 0);
      const output = session.takeOutput();
      return output === null ? session.state : Buffer.from(output).toString().split("\n")[0];
    };
    assert.equal(statusOf("HAProxyS 2.1\na\nb 1 0\n"), "200");
    assert.equal(statusOf("GET / HTTP/1.1\r\n\r\n\n"), "501");
    assert.equal(statusOf("HAProxyS 3.0\na\nb 1 0\n"), "502");
    assert.equal(statusOf("HAProxyS 2.1\nc\nb 1 0\n"), "503");
    assert.equal(statusOf("HAProxyS 2.1\na\nd 1 0\n"), "504");
    assert.equal(statusOf("x".repeat(5000)), "closed");
  });

  test("end when one says what is no message", () => {
    const [here] = meet(groupOf("a", "b"), groupOf("b", "a"), 0);
    here.receive(Uint8Array.of(99, 99, 99), 1);
    assert.equal(here.state, "closed");
  });
});
