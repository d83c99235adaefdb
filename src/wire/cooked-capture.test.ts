import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCookedCapture } from "./cooked-capture.ts";
import { decodeEthernet } from "./ethernet.ts";

const PAYLOAD = Uint8Array.from({ length: 50 }, (_, index) => index);

/** As tcpdump on this machine's byte order, or on the other, writes it. */
function capture(isLittle: boolean, records: readonly { device: number; type: number }[]): Uint8Array {
  const bytes = new Uint8Array(24 + records.length * (16 + 20 + PAYLOAD.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xa1b2c3d4, isLittle);
  view.setUint32(20, 276, isLittle);
  records.forEach(({ device, type }, index) => {
    const at = 24 + index * (16 + 20 + PAYLOAD.length);
    view.setUint32(at + 8, 20 + PAYLOAD.length, isLittle);
    view.setUint16(at + 16, 0x0800);
    view.setUint32(at + 20, device);
    bytes[at + 26] = type;
    bytes.set(PAYLOAD, at + 36);
  });
  return bytes;
}

for (const isLittle of [true, false]) {
  test(`devices, directions and packets are read, ${isLittle ? "little" : "big"} end first`, () => {
    const records = [
      { device: 7, type: 0 },
      { device: 70_000, type: 4 },
      { device: 7, type: 3 },
    ];
    const decoded = decodeCookedCapture(capture(isLittle, records));
    assert.ok(decoded.ok);
    assert.deepEqual(
      decoded.value.map(({ device, direction }) => [device, direction]),
      [
        [7, "in"],
        [70_000, "out"],
        [7, "in"],
      ],
    );
    const { frame } = decoded.value[0]!;
    const header = decodeEthernet(frame);
    assert.ok(header.ok);
    assert.equal(header.value.etherType, 0x0800);
    assert.deepEqual(frame.subarray(header.value.payloadOffset), PAYLOAD);
  });
}

test("a capture that ends anywhere has the records that are whole, and garbage is a value", () => {
  const whole = capture(true, [
    { device: 1, type: 0 },
    { device: 2, type: 0 },
  ]);
  for (let length = 0; length <= whole.length; length++) {
    const decoded = decodeCookedCapture(whole.subarray(0, length));
    if (length < 24) assert.ok(!decoded.ok);
    else assert.equal(decoded.ok && decoded.value.length, Math.floor((length - 24) / 86));
  }
  assert.ok(!decodeCookedCapture(new Uint8Array(100)).ok);
  const other = Uint8Array.from(whole);
  other[20] = 1;
  const refused = decodeCookedCapture(other);
  assert.match(refused.ok ? "" : refused.error.message, /link type/);
});
