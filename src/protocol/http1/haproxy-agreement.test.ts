// The same bytes for the real HAProxy 2.6 and for our parser: do they agree? We may only be stricter, and
// where we are, request-verdicts.fixture.ts says so.
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "../../../test/free-port.ts";
import { REQUEST_VERDICTS } from "./request-verdicts.fixture.ts";

const HAPROXY = "/usr/sbin/haproxy";
const isThere = existsSync(HAPROXY) && execFileSync(HAPROXY, ["-v"]).toString().includes("version 2.6");
const PARALLEL = 24;

test("HAProxy 2.6 agrees on every verdict", { skip: isThere ? false : "no HAProxy 2.6 here" }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-haproxy-"));
  const port = await freePort();
  const haproxy = start(directory, port);
  try {
    await untilListening(port);
    const queue = REQUEST_VERDICTS.slice();
    const disagreements: string[] = [];
    const work = async () => {
      for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
        const answer = await ask(port, next.text);
        const expected = next.haproxy ?? next.status;
        if (answer !== expected)
          disagreements.push(`${JSON.stringify(next.text.slice(0, 120))}: ${answer}, not ${expected}`);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    assert.deepEqual(disagreements, []);
  } finally {
    const gone = once(haproxy, "exit");
    haproxy.kill("SIGKILL");
    await gone;
    rmSync(directory, { recursive: true });
  }
});

test("where the verdicts differ, ours is the stricter one, with a reason", () => {
  for (const { text, status, haproxy, because } of REQUEST_VERDICTS) {
    if (haproxy === undefined) continue;
    assert.ok(
      status >= 400 && (haproxy === 200 || haproxy === 0) && because!.length > 0,
      JSON.stringify(text),
    );
  }
});

function start(directory: string, port: number): ChildProcess {
  const file = join(directory, "haproxy.cfg");
  const lines = [
    "global",
    "  maxconn 200",
    "defaults",
    "  mode http",
    "  timeout client 5s",
    "  timeout server 5s",
    "  timeout connect 5s",
    "frontend requests",
    `  bind 127.0.0.1:${port}`,
    "  http-request return status 200",
    "",
  ];
  writeFileSync(file, lines.join("\n"));
  return spawn(HAPROXY, ["-db", "-f", file], { stdio: "ignore" });
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, "127.0.0.1");
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("HAProxy did not start");
}

/** The status of the answer; 0 when it is not HTTP/1. */
function ask(port: number, text: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    const finish = () => {
      socket.destroy();
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer);
      resolve(status === null ? 0 : Number(status[1]));
    };
    socket.on("error", finish);
    socket.on("close", finish);
    socket.on("data", (data) => {
      answer += data.toString("latin1");
      if (answer.length >= 12) finish();
    });
    socket.write(Buffer.from(text, "latin1"));
  });
}
