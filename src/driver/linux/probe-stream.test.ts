import assert from "node:assert/strict";
import { test } from "node:test";
import { requires } from "../../../test/requirements.ts";
import type { Ip } from "../../base/ip.ts";
import { ProbeStream } from "./probe-stream.ts";

test("a stream that cannot begin tells what the program has said, and how it ended", {
  skip: requires("nsenter", "ping"),
}, async () => {
  const probe = { switch: "dvs0", portGroup: "voice", namespace: "sp.nowhere", address: "fd00::2" as Ip };
  const stream = new ProbeStream(probe);
  while (!stream.isOver) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(stream.sent, 0);
  assert.match(stream.complaint!, /^ping ended with exit code 1, ping says "nsenter: .*sp\.nowhere/);
  stream.stop();
});
