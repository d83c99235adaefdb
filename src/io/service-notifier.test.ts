import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { openNative } from "./native.ts";
import { notifyService } from "./service-notifier.ts";
import { AF_UNIX, encodeUnixSockaddr } from "./socket-address.ts";

const native = openNative();
const SKIP = native.ok ? false : native.error.message;
const SOCK_DGRAM_NONBLOCK = 2 | 0x800;

/** Listens as systemd does; the function reads one datagram, null when there is none. */
function listen(name: string, isAbstract: boolean): { receive(): string | null; close(): void } {
  assert.ok(native.ok);
  const { libc, scratch, scratchBytes } = native.value;
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0);
  assert.ok(fd >= 0);
  const length = encodeUnixSockaddr(scratchBytes, 0, name, isAbstract);
  assert.equal(libc.bind(fd, scratch.pointer, length), 0);
  return {
    receive: () => {
      const count = Number(libc.recv(fd, scratch.pointer, 4096n, 0));
      return count < 0 ? null : Buffer.from(scratchBytes.subarray(0, count)).toString();
    },
    close: () => void libc.close(fd),
  };
}

test("the lines arrive as one datagram at a socket with a path", { skip: SKIP }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-notify-"));
  const socket = listen(join(folder, "notify"), false);
  assert.equal(notifyService(join(folder, "notify"), ["READY=1", "STATUS=serving"]).ok, true);
  assert.equal(socket.receive(), "READY=1\nSTATUS=serving");
  assert.equal(socket.receive(), null);
  socket.close();
  rmSync(folder, { recursive: true });
});

test("an abstract name begins with an @", { skip: SKIP }, () => {
  const name = `sallyport-test-${process.pid}`;
  const socket = listen(name, true);
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
