import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommandLine } from "./command-line.ts";
import { callOf, LIVE_OPTIONS } from "./live-command.ts";

test("a call that is proposed is about the same network: rootless, and of the same host", () => {
  const proposed = (...args: string[]) => {
    const reading = readCommandLine(args, LIVE_OPTIONS);
    assert.ok(reading.kind === "read");
    return callOf("apply", { file: "company.yaml", line: reading.line });
  };
  assert.equal(proposed(), "sallyport apply company.yaml");
  assert.equal(proposed("--rootless", "--json"), "sallyport apply --rootless company.yaml");
  assert.equal(proposed("--host", "web-host"), "sallyport apply --host web-host company.yaml");
});
