import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfiguration } from "../language/haproxy/reader.ts";
import type { ProxyConfiguration } from "../model/proxy.ts";
import { type NameChange, ServerNames } from "./server-names.ts";

const TEXT = `
defaults
  timeout client 1s
  timeout server 1s
  timeout connect 1s
backend web
  server a one.example:80
  server b two.example:80
  server fixed 192.0.2.9:80
`;

function read(): ProxyConfiguration {
  const environment = { readFile: () => null, variables: {}, hostname: "here", cpuCount: 1 };
  const { configuration } = readConfiguration([{ name: "x.cfg", text: TEXT }], environment);
  assert.ok(configuration !== null);
  return configuration;
}

/** Answers as a table says; a name without answers is an error, as of the system. */
function makeNames(answers: Record<string, readonly string[]>): {
  names: ServerNames;
  changes: NameChange[];
} {
  const changes: NameChange[] = [];
  const lookUp = async (host: string) => {
    const found = answers[host];
    if (found === undefined) throw new Error("ENOTFOUND");
    return found;
  };
  return { names: new ServerNames((change) => changes.push(change), lookUp), changes };
}

test("names are resolved, addresses are left alone, and a name without address is a warning at its line", async () => {
  const { names } = makeNames({ "one.example": ["192.0.2.1", "192.0.2.2"] });
  const { addresses, diagnostics } = await names.resolve(read());
  assert.deepEqual(addresses, { "web/a": "192.0.2.1" });
  assert.equal(diagnostics.length, 1);
  assert.equal(diagnostics[0]!.severity, "warning");
  assert.equal(diagnostics[0]!.span.line, 8);
  assert.match(diagnostics[0]!.message, /'two\.example' does not resolve/);
});

test("an address stays as long as it is among the answers, and goes when it is not", async () => {
  const answers: Record<string, readonly string[]> = {
    "one.example": ["192.0.2.1"],
    "two.example": ["2001:db8::1"],
  };
  const { names, changes } = makeNames(answers);
  const configuration = read();
  const { addresses } = await names.resolve(configuration);
  names.follow(configuration, addresses);
  answers["one.example"] = ["192.0.2.2", "192.0.2.1"];
  await names.refresh();
  assert.deepEqual(changes, []);
  answers["one.example"] = ["192.0.2.2", "192.0.2.3"];
  await names.refresh();
  await names.refresh();
  assert.deepEqual(changes, [{ backend: "web", server: "a", host: "192.0.2.2" }]);
  names.stop();
});

test("a name that does not resolve any more keeps its address, also over a reload", async () => {
  const answers: Record<string, readonly string[]> = { "one.example": ["192.0.2.1"] };
  const { names, changes } = makeNames(answers);
  const configuration = read();
  names.follow(configuration, (await names.resolve(configuration)).addresses);
  delete answers["one.example"];
  await names.refresh();
  const again = await names.resolve(configuration);
  assert.deepEqual(again.addresses, { "web/a": "192.0.2.1" });
  assert.deepEqual(changes, []);
  names.follow(configuration, again.addresses);
  answers["two.example"] = ["192.0.2.7"];
  await names.refresh();
  assert.deepEqual(changes, [{ backend: "web", server: "b", host: "192.0.2.7" }]);
  names.stop();
});

test("answers for a configuration that has been replaced change nothing", async () => {
  const waiting: ((addresses: string[]) => void)[] = [];
  const changes: NameChange[] = [];
  const lookUp = () => new Promise<string[]>((resolve) => waiting.push(resolve));
  const names = new ServerNames((change) => changes.push(change), lookUp);
  names.follow(read(), { "web/a": "192.0.2.1", "web/b": "192.0.2.2" });
  const refreshed = names.refresh();
  names.follow(read(), { "web/a": "192.0.2.1", "web/b": "192.0.2.2" });
  for (const resolve of waiting) resolve(["192.0.2.99"]);
  await refreshed;
  assert.deepEqual(changes, []);
  names.stop();
});

/** What one server begins with, for its words behind the name. */
async function beginning(words: string, answers: Record<string, readonly string[]>) {
  const text = TEXT.replace(/ {2}server [\s\S]*$/, `  server a one.example:80 ${words}\n`);
  const dns = "resolvers dns\n  nameserver one 192.0.2.53:53\n";
  const environment = { readFile: () => null, variables: {}, hostname: "here", cpuCount: 1 };
  const { configuration } = readConfiguration([{ name: "x.cfg", text: dns + text }], environment);
  assert.ok(configuration !== null);
  const asked: string[] = [];
  const lookUp = async (host: string) => {
    asked.push(host);
    const found = answers[host];
    if (found === undefined) throw new Error("ENOTFOUND");
    return found;
  };
  const names = new ServerNames(() => {}, lookUp);
  const { addresses, diagnostics } = await names.resolve(configuration);
  return [addresses["web/a"], asked.length, diagnostics.length];
}

test("`init-addr` says what is tried, in order, before a server begins", async () => {
  const known = { "one.example": ["192.0.2.1"] };
  assert.deepEqual(await beginning("init-addr none", known), [undefined, 0, 0]);
  assert.deepEqual(await beginning("init-addr 192.0.2.9", known), ["192.0.2.9", 0, 0]);
  assert.deepEqual(await beginning("init-addr last,libc,none", known), ["192.0.2.1", 1, 0]);
  assert.deepEqual(await beginning("init-addr last,libc,none", {}), [undefined, 1, 0]);
  assert.deepEqual(await beginning("init-addr libc,192.0.2.9", {}), ["192.0.2.9", 1, 0]);
  assert.deepEqual(await beginning("init-addr libc", {}), [undefined, 1, 1]);
  assert.deepEqual(await beginning("resolvers dns", known), ["192.0.2.1", 1, 0]);
});

test("a name that `resolvers` follow is not followed through the system as well", async () => {
  const text = `resolvers dns\n  nameserver one 192.0.2.53:53\n${TEXT}  server c one.example:80 resolvers dns\n`;
  const environment = { readFile: () => null, variables: {}, hostname: "here", cpuCount: 1 };
  const { configuration } = readConfiguration([{ name: "x.cfg", text }], environment);
  assert.ok(configuration !== null);
  const { names, changes } = makeNames({ "one.example": ["192.0.2.2"], "two.example": ["192.0.2.3"] });
  names.follow(configuration, { "web/a": "192.0.2.1", "web/b": "192.0.2.3", "web/c": "192.0.2.1" });
  await names.refresh();
  assert.deepEqual(
    changes.map(({ server }) => server),
    ["a"],
  );
  names.stop();
});
