import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { lacksNotifySocket, openNotifySocket } from "./notify-socket.fixture.ts";
import { notifyService } from "./service-notifier.ts";

const SKIP = lacksNotifySocket();

test("the lines arrive as one datagram at a socket with a path", { skip: SKIP }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-notify-"));
  const socket = openNotifySocket(join(folder, "notify"), false);
  assert.equal(notifyService(join(folder, "notify"), ["READY=1", "STATUS=serving"]).ok, true);
  assert.equal(socket.receive(), "READY=1\nSTATUS=serving");
  assert.equal(socket.receive(), null);
  socket.close();
  rmSync(folder, { recursive: true });
});

test("an abstract name begins with an @", { skip: SKIP }, () => {
  const name = `sallyport-test-${process.pid}`;
  const socket = openNotifySocket(name, true);
  assert.equal(notifyService(`@${name}`, ["READY=1"]).ok, true);
  assert.equal(socket.receive(), "READY=1");
  socket.close();
});

test("a socket that is not there, or whose name is too long, is a failure", { skip: SKIP }, () => {
  const missing = notifyService("/nonexistent/notify", ["READY=1"]);
  assert.ok(!missing.ok && missing.error.message.includes("/nonexistent/notify"));
  const long = notifyService(`/${"x".repeat(200)}`, ["READY=1"]);
  assert.ok(!long.ok && long.error.kind === "unsupported");
});
