import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { StatusWatch } from "./status-watch.ts";

interface Line {
  readonly pid: number;
}

/** What is run tells its process id, as JSON, and stays. */
function watchOf(script: string, idleMs?: number): StatusWatch<Line> {
  return new StatusWatch<Line>(
    async () => ({ words: ["sh", "-c", script], environment: process.env }),
    (text) => (text.startsWith("{") ? (JSON.parse(text) as Line) : null),
    idleMs,
  );
}

const STAYS = `echo starting; echo "{\\"pid\\":$$}"; exec sleep 60`;

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await pause(5);
  }
}

function pidOf(line: Line | string): number {
  assert.notEqual(typeof line, "string", String(line));
  return (line as Line).pid;
}

test("all who ask have one program, and it is started again after it was ended", async (t) => {
  const watch = watchOf(STAYS);
  t.after(() => watch.close());
  const [one, other] = await Promise.all([watch.read(), watch.read()]);
  assert.equal(pidOf(one), pidOf(other));
  assert.equal(pidOf(await watch.read()), pidOf(one));
  watch.close();
  await untilGone(pidOf(one));
  let next = await watch.read();
  // Its end may not have been heard of yet.
  while (typeof next === "string" || pidOf(next) === pidOf(one)) next = await watch.read();
});

test("the program ends when nobody has asked for a while", async () => {
  const watch = watchOf(STAYS, 20);
  await untilGone(pidOf(await watch.read()));
});

test("a program that ends without a state, or is not there, is told by its own words", async () => {
  assert.equal(
    await watchOf("echo 'error: x.yaml is not applied' >&2; exit 1").read(),
    "error: x.yaml is not applied",
  );
  assert.equal(await watchOf("exit 1").read(), "the network does not answer");
  const absent = new StatusWatch(
    async () => "the network of one's own has ended",
    () => null,
  );
  assert.equal(await absent.read(), "the network of one's own has ended");
});
