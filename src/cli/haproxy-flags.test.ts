import assert from "node:assert/strict";
import { test } from "node:test";
import { type HaproxyFlags, readHaproxyFlags } from "./haproxy-flags.ts";

function read(line: string): HaproxyFlags {
  const reading = readHaproxyFlags(line.split(" "));
  assert.ok(reading.ok, reading.ok ? "" : reading.message);
  return reading.flags;
}

function faultOf(line: string): string | null {
  const reading = readHaproxyFlags(line.split(" "));
  return reading.ok ? null : reading.message;
}

test("the line of Debian's unit is understood", () => {
  const flags = read("-Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid -S /run/haproxy-master.sock");
  assert.equal(flags.action, "serve");
  assert.deepEqual(flags.files, ["/etc/haproxy/haproxy.cfg"]);
  assert.equal(flags.pidFile, "/run/haproxy.pid");
  assert.deepEqual([flags.isMasterWorker, flags.isForeground, flags.isDaemon], [true, true, false]);
  assert.equal(flags.masterSocket, "/run/haproxy-master.sock");
  assert.deepEqual(flags.notes, []);
});

test("the line of a takeover is understood, with its process ids up to the next flag", () => {
  const flags = read("-D -f a.cfg -sf 12 13 -p x.pid");
  assert.deepEqual([flags.isDaemon, flags.oldPids, flags.oldSignal], [true, [12, 13], "SIGUSR1"]);
  assert.equal(flags.pidFile, "x.pid");
  assert.deepEqual(read("-f a -st 12").oldSignal, "SIGTERM");
  assert.deepEqual(read("-f a -sf").oldPids, []);
});

test("a quoted list of process ids is one word", () => {
  const reading = readHaproxyFlags(["-f", "a", "-sf", "12 13\n"]);
  assert.ok(reading.ok);
  assert.deepEqual(reading.flags.oldPids, [12, 13]);
});

test("files come behind each -f and behind two dashes", () => {
  assert.deepEqual(read("-f a -c -f b -- c -d").files, ["a", "b", "c", "-d"]);
  assert.equal(read("-f a -c -f b").action, "check");
});

test("staying in the foreground wins over going to the background", () => {
  for (const flag of ["-d", "-db", "-Ws"]) assert.equal(read(`-D ${flag} -f a`).isDaemon, false, flag);
});

test("-v and -vv end the reading", () => {
  assert.equal(read("-v -nonsense").action, "version");
  assert.equal(read("-f a -vv").action, "build");
});

test("-cc takes a condition", () => {
  assert.deepEqual([read("-cc 1").action, read("-cc 1").condition], ["condition", "1"]);
  assert.equal(faultOf("-cc"), "-cc needs a value");
});

test("-V takes back -q", () => {
  assert.equal(read("-q -f a").isQuiet, true);
  assert.equal(read("-q -V -f a").isQuiet, false);
});

test("what tunes HAProxy's own parts is accepted, and what would be missed leaves a note", () => {
  assert.deepEqual(read("-dM -dMno-merge,tag -de -dp -dr -dk -dS -dG -dR -dD -dv -f a").notes, []);
  for (const flags of ["-n 100", "-N 100", "-m 100", "-x /s", "-dV", "-dL"]) {
    const [note = ""] = read(`${flags} -f a`).notes;
    assert.ok(note.startsWith(`${flags.split(" ")[0]} has no effect`), flags);
  }
});

test("what is no flag, lacks its value, or is no process id is a fault", () => {
  assert.equal(faultOf("-f a -Z"), "there is no flag -Z");
  assert.equal(faultOf("-f"), "-f needs a value");
  assert.equal(faultOf("a.cfg"), "what is a.cfg? Files come behind -f or --");
  assert.equal(faultOf("-f a -sf 12x"), "-sf takes process ids, and 12x is none");
  assert.equal(faultOf("-f a -st 0"), "-st takes process ids, and 0 is none");
  assert.match(faultOf("-dKall")!, /COMPATIBILITY\.md/);
});
