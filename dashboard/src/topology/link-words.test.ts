import assert from "node:assert/strict";
import { test } from "node:test";
import type { LinkFlow, LinkTraffic, TopologyState } from "../../../src/model/dashboard-datacenter.ts";
import type { DrawnLink } from "./grouping.ts";
import { busyness, rateLabel, trafficOf, trafficWords, vlanLabel } from "./link-words.ts";

const flow = (bytesPerSecond: number | null, packetsPerSecond: number | null): LinkFlow => ({
  bytes: 1,
  packets: 1,
  bytesPerSecond,
  packetsPerSecond,
});
const link = (...ids: string[]) => ({ members: ids.map((id) => ({ id })) }) as unknown as DrawnLink;
const state = (links: Record<string, LinkTraffic>) => ({ links }) as unknown as TopologyState;
const STATE = state({
  a: { countedBy: "kernel", sent: flow(1000, 10), received: flow(48, 1) },
  b: { countedBy: "load-balancer", sent: flow(500, null), received: flow(0, null) },
  new: { countedBy: "kernel", sent: flow(null, null), received: flow(null, null) },
});

test("a line says its VLANs by number, of very many how many", () => {
  assert.equal(vlanLabel({ vlan: 20, carries: [] }), "20");
  assert.equal(vlanLabel({ vlan: 100 * 4096 + 20, carries: [] }), "100.20");
  assert.equal(vlanLabel({ vlan: null, carries: ["5", "10-20"] }), "5 10-20");
  assert.equal(vlanLabel({ vlan: null, carries: ["1", "2", "3", "4", "5"] }), "5 VLANs");
  assert.equal(vlanLabel({ vlan: null, carries: [] }), "");
});

test("a line that stands for several carries what they carry together", () => {
  const traffic = trafficOf(link("a", "b", "nobody"), STATE, "bytes");
  assert.deepEqual(traffic, { countedBy: "both", sent: 1500, received: 48 });
  assert.equal(rateLabel(traffic, "bytes"), "1.51\u00a0KiB/s");
  assert.equal(rateLabel(trafficOf(link("a"), STATE, "packets"), "packets"), "11 p/s");
});

test("what is not counted, or not for long enough, has no rate", () => {
  assert.equal(trafficOf(link("nobody"), STATE, "bytes"), null);
  assert.equal(trafficOf(link("a"), null, "bytes"), null);
  assert.equal(rateLabel(trafficOf(link("new"), STATE, "bytes"), "bytes"), "");
  assert.equal(rateLabel(trafficOf(link("b"), STATE, "packets"), "packets"), "");
  assert.match(trafficWords(trafficOf(link("new"), STATE, "bytes")!, "bytes"), /sent unknown/);
});

test("lines grow with what passes them, and idle ones do not", () => {
  const with_ = (sent: number) => ({ countedBy: "kernel", sent, received: 0 }) as const;
  assert.deepEqual(
    [0, 1, 20_000, 2_000_000].map((sent) => busyness(with_(sent), "bytes")),
    [0, 1, 2, 3],
  );
  assert.equal(busyness(null, "packets"), 0);
});
