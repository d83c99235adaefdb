// Where log lines go: one output for each distinct target, however many proxies name it.
import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { failed, failure } from "../base/failure.ts";
import { MemoryEngine } from "../io/memory/memory-engine.ts";
import { MemoryNetwork } from "../io/memory/memory-network.ts";
import { readConfiguration } from "../language/haproxy/reader.ts";
import type { ProxyConfiguration } from "../model/proxy.ts";
import { MessageLog } from "../proxy/log/message-log.ts";
import { LogSinks } from "./log-sinks.ts";

function read(text: string): ProxyConfiguration {
  const defaults = "defaults\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n";
  const environment = { readFile: () => null, variables: {}, hostname: "here", cpuCount: 1 };
  const { configuration, diagnostics } = readConfiguration(
    [{ name: "x.cfg", text: defaults + text }],
    environment,
  );
  assert.ok(configuration !== null, diagnostics.map(({ message }) => message).join("\n"));
  return configuration;
}

function makeSinks(): { sinks: LogSinks; engine: MemoryEngine; reports: string[] } {
  const engine = new MemoryEngine({ seed: 1, network: new MemoryNetwork({ seed: 1 }), host: "10.0.0.1" });
  const reports: string[] = [];
  return { sinks: new LogSinks(engine, 7, null, (text) => reports.push(text)), engine, reports };
}

test("proxies with the same target share an output, other levels or tags have their own", () => {
  const { sinks } = makeSinks();
  const configuration = read(`
listen a
  bind :80
  log stdout format raw local0
listen b
  bind :81
  log stdout format raw local0
listen c
  bind :82
  log stdout format raw local0
  log-tag other
`);
  const [a, b, c] = configuration.proxies.map((proxy) => sinks.outputsOf(proxy, configuration)[0]!);
  assert.equal(a, b);
  assert.notEqual(a, c);
});

test("lines go to the descriptor that is named, when they are flushed", () => {
  const directory = mkdtempSync(join(tmpdir(), "log-sinks-"));
  const path = join(directory, "log");
  const fd = openSync(path, "w");
  try {
    const { sinks } = makeSinks();
    const configuration = read(`listen a\n bind :80\n log fd@${fd} format raw local0\n`);
    const outputs = sinks.outputsOf(configuration.proxies[0]!, configuration);
    new MessageLog(outputs).writeMessage("notice", "the first");
    new MessageLog(outputs).writeMessage("notice", "the second");
    sinks.flush();
    assert.match(readFileSync(path, "utf8"), /the first\n[\s\S]*the second\n$/);
  } finally {
    closeSync(fd);
    rmSync(directory, { recursive: true });
  }
});

test("a target that cannot be opened is told with its name, and the others stay", () => {
  const { sinks, engine, reports } = makeSinks();
  engine.openDatagramSender = () =>
    failed(failure("permission", "proxy", "send to /dev/log: permission denied"));
  const configuration = read("listen a\n bind :80\n log /dev/log local0\n log stdout format raw local0\n");
  assert.equal(sinks.outputsOf(configuration.proxies[0]!, configuration).length, 1);
  assert.equal(reports.length, 1);
  assert.match(reports[0]!, /cannot log to \/dev\/log: .*permission denied/);
});
