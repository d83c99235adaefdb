import assert from "node:assert/strict";
import { test } from "node:test";
import { requestOn, stageOf, streamOn } from "../../../test/proxy-stage.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { LogTarget } from "../../model/proxy.ts";
import { isErroneous, levelOf, shouldLog } from "./log-decision.ts";
import { LEVEL_NUMBERS, LogOutput } from "./log-target.ts";
import { MessageLog } from "./message-log.ts";

function outputTo(facts: Partial<LogTarget>): {
  output: LogOutput;
  written: string[];
  sink: { isTaking: boolean };
} {
  const written: string[] = [];
  const sink = {
    isTaking: true,
    write: (bytes: Uint8Array, start: number, end: number) => {
      written.push(Buffer.from(bytes.subarray(start, end)).toString("latin1"));
      return sink.isTaking;
    },
  };
  const target: LogTarget = {
    target: { kind: "stdout" },
    format: "raw",
    facility: 16,
    maxLevel: "debug",
    minLevel: "emerg",
    length: 1024,
    sample: null,
    span: NO_SPAN,
    ...facts,
  };
  const clock = { wallClockMs: Date.UTC(2026, 10, 23, 3, 13, 9, 123) };
  return {
    output: new LogOutput(target, { tag: "haproxy", pid: 7, hostname: null, clock }, sink),
    written,
    sink,
  };
}

test("lines for a file descriptor are collected until they are flushed", () => {
  const { output, written } = outputTo({});
  output.write(LEVEL_NUMBERS.info, "one");
  output.write(LEVEL_NUMBERS.info, "two \xe4");
  assert.deepEqual(written, []);
  output.flush();
  output.flush();
  assert.deepEqual(written, ["one\ntwo \xe4\n"]);
});

test("a full batch does not wait for the end of the turn", () => {
  const { output, written } = outputTo({});
  for (let i = 0; i < 1000; i++) output.write(LEVEL_NUMBERS.info, "x".repeat(99));
  assert.equal(written.length, 1);
  output.flush();
  assert.equal(written.join("").length, 100_000);
});

test("datagrams go one by one, and lost ones are counted", () => {
  const { output, written, sink } = outputTo({
    target: { kind: "unix", path: "/dev/log" },
    format: "priority",
  });
  output.write(LEVEL_NUMBERS.info, "one");
  sink.isTaking = false;
  output.write(LEVEL_NUMBERS.err, "two");
  assert.deepEqual(written, ["<134>one\n", "<131>two\n"]);
  assert.equal(output.droppedCount, 1);
});

test("levels are filtered from above and raised from below", () => {
  const { output, written } = outputTo({ format: "short", maxLevel: "info", minLevel: "notice" });
  output.write(LEVEL_NUMBERS.debug, "debug");
  output.write(LEVEL_NUMBERS.err, "err");
  output.write(LEVEL_NUMBERS.info, "info");
  output.flush();
  assert.deepEqual(written, ["<5>err\n<6>info\n"]);
});

test("a line is cut to the target's length, header included", () => {
  const { output, written } = outputTo({ format: "short", length: 10 });
  output.write(LEVEL_NUMBERS.info, "0123456789abcdef");
  output.flush();
  assert.deepEqual(written, ["<6>012345\n"]);
});

test("a sample takes its share of the lines", () => {
  const { output, written } = outputTo({
    sample: {
      ranges: [
        [1, 1],
        [3, 4],
      ],
      size: 5,
    },
  });
  for (let i = 1; i <= 10; i++) output.write(LEVEL_NUMBERS.info, `${i}`);
  output.flush();
  assert.deepEqual(written, ["1\n3\n4\n6\n8\n9\n"]);
});

test("messages of the proxy itself go to the same places", () => {
  const { output, written } = outputTo({ format: "short" });
  const messages = new MessageLog([output]);
  messages.writeMessage("alert", "Server www/one is DOWN.");
  messages.writeMessage("silent", "nothing");
  output.flush();
  assert.deepEqual(written, ["<1>Server www/one is DOWN.\n"]);
});

test("options decide which streams are logged, and how loudly", () => {
  const config = (option: string) =>
    stageOf(`frontend f\n  mode http\n  bind :1\n  timeout client 1s\n  log stdout local0\n${option}`);
  const stream = requestOn(config("  option dontlog-normal\n  option log-separate-errors\n"), [
    "GET / HTTP/1.1",
    "Host: h",
  ]);
  stream.status = 200;
  assert.equal(shouldLog(stream), false);
  stream.status = 503;
  assert.equal(shouldLog(stream), true);
  assert.equal(levelOf(stream), LEVEL_NUMBERS.err);
  stream.logLevel = "debug";
  assert.equal(levelOf(stream), LEVEL_NUMBERS.debug);
  stream.logLevel = "silent";
  assert.equal(shouldLog(stream), false);

  const idle = streamOn(config("  option dontlognull\n"));
  assert.equal(shouldLog(idle), false);
  idle.bytesIn = 1;
  assert.equal(shouldLog(idle), true);
  assert.equal(isErroneous(idle), false);
  idle.cause = "C";
  assert.equal(isErroneous(idle), true);
});
