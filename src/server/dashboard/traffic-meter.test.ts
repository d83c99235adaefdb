import assert from "node:assert/strict";
import { test } from "node:test";
import { type LinkTotals, TrafficMeter } from "./traffic-meter.ts";

const totals = (bytes: number, packets: number | null = null): LinkTotals => ({
  link: "a",
  countedBy: packets === null ? "load-balancer" : "kernel",
  sent: { bytes, packets },
  received: { bytes: 2 * bytes, packets },
});

test("a rate is what has been added since the look before, and there is none at the first look", () => {
  const meter = new TrafficMeter();
  assert.deepEqual(meter.receive([totals(1000, 10)], 0)["a"]!.sent, {
    bytes: 1000,
    packets: 10,
    bytesPerSecond: null,
    packetsPerSecond: null,
  });
  const { sent, received } = meter.receive([totals(3000, 30)], 4000)["a"]!;
  assert.deepEqual([sent.bytesPerSecond, sent.packetsPerSecond, received.bytesPerSecond], [500, 5, 1000]);
});

test("where only bytes are counted there is no rate of packets", () => {
  const meter = new TrafficMeter();
  meter.receive([totals(0)], 0);
  const { sent } = meter.receive([totals(100)], 1000)["a"]!;
  assert.deepEqual([sent.bytesPerSecond, sent.packets, sent.packetsPerSecond], [100, null, null]);
});

test("a port that was made anew, a link that was away and two looks at once give no rate", () => {
  const meter = new TrafficMeter();
  meter.receive([totals(1000, 10)], 0);
  assert.equal(meter.receive([totals(10, 1)], 1000)["a"]!.sent.bytesPerSecond, null);
  assert.equal(meter.receive([totals(20, 2)], 1000)["a"]!.sent.bytesPerSecond, null);
  assert.deepEqual(meter.receive([], 2000), {});
  assert.equal(meter.receive([totals(30, 3)], 3000)["a"]!.sent.bytesPerSecond, null);
});

test("bytes of the load balancer are not compared with those of the kernel", () => {
  const meter = new TrafficMeter();
  meter.receive([totals(1000)], 0);
  assert.equal(meter.receive([totals(5000, 50)], 1000)["a"]!.sent.bytesPerSecond, null);
});
