// The datacentre's commands as a user gives them: from an empty folder to a first explanation in three, and
// what they say when something is wrong.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runCommandLine } from "../../src/cli/main.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-network-"));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string) => join(folder, name);

async function call(
  ...args: readonly string[]
): Promise<{ code: number; output: string; complaints: string }> {
  let [output, complaints] = ["", ""];
  const terminal: Terminal = {
    write: (text) => {
      output += text;
    },
    error: (text) => {
      complaints += text;
    },
    isColour: false,
    isErrorColour: false,
    columns: 80,
    isInteractive: false,
    askSecret: async () => null,
  };
  return { code: await runCommandLine(args, terminal), output, complaints };
}

test("a newcomer gets from nothing to a first explanation in three commands", async () => {
  const file = path("datacenter.yaml");
  const { code, output } = await call("init", file);
  assert.equal(code, 0);
  // What to do next is said, and works as it is said.
  const next = [...output.matchAll(/^ {2}sallyport (.*)$/gm)].map(([, line]) => line!.split(" "));
  assert.ok(next.length >= 2);
  for (const words of next) {
    const result = await call(...words.map((word) => (word === "topology.svg" ? path(word) : word)));
    assert.equal(result.code, 0, `${words.join(" ")}: ${result.output}${result.complaints}`);
  }
  assert.equal((await call("init", file)).code, 1, "an existing file is not overwritten");
});

test("a check of a broken file says so with exit code 1, as text and as JSON", async () => {
  const file = path("broken.yaml");
  writeFileSync(file, "datacenter: x\nnetworks:\n  lan: {subnet: 10.0.0.1/24}\n");
  const text = await call("check", file);
  assert.equal(text.code, 1);
  assert.match(
    text.output,
    /broken\.yaml:3:17: error\[host-bits\].*\n.*\n.*\^+\n {2}help: Write 10\.0\.0\.0\/24/,
  );
  const json = await call("check", "--json", file);
  assert.equal(json.code, 1);
  assert.equal((JSON.parse(json.output) as { code: string }[])[0]?.code, "host-bits");
});

test("safe fixes are written into the file, and nothing else in it changes", async () => {
  const file = path("fix.yaml");
  const text = readFileSync(new URL("../../examples/network/switch-upgrade.yaml", import.meta.url), "utf8");
  writeFileSync(file, text.replace(", mii-monitor: 100ms", ""));
  const { code, output } = await call("check", "--fix", file);
  assert.equal(code, 0, output);
  assert.match(output, /^fixed .*fix\.yaml:\d+: bond0 of host-1/);
  assert.equal(readFileSync(file, "utf8"), text);
});

test("an upgrade of a switch changes one line, keeps the file as it was, and can be taken back", async () => {
  const file = path("upgrade.yaml");
  const text = readFileSync(new URL("../../examples/network/switch-upgrade.yaml", import.meta.url), "utf8");
  writeFileSync(file, text);
  const dry = await call("switch", "upgrade", file, "dvs0", "--to", "5.5", "--dry-run");
  assert.equal(dry.code, 0);
  assert.equal(readFileSync(file, "utf8"), text);
  const done = await call("switch", "upgrade", file, "dvs0", "--to", "5.5");
  assert.equal(done.code, 0, done.complaints);
  assert.match(done.output, /traffic marking/);
  assert.equal(readFileSync(file, "utf8"), text.replace('version: "5.1"', 'version: "5.5"'));
  assert.ok(existsSync(`${file}.before-5.5`));
  assert.match((await call("switch", "upgrade", file, "dvs0", "--to", "5.1")).complaints, /no way back/);
  assert.equal((await call("switch", "restore", file)).code, 0);
  assert.equal(readFileSync(file, "utf8"), text);
});

test("using more than the version allows is an error that names the upgrade", async () => {
  const file = path("too-old.yaml");
  const text = readFileSync(new URL("../../examples/network/switch-upgrade.yaml", import.meta.url), "utf8");
  writeFileSync(
    file,
    text.replace("voice: {vlan: 40}", "voice: {vlan: 40, filters: [{mark: udp, ports: 5060, dscp: 46}]}"),
  );
  const { code, output } = await call("check", file);
  assert.equal(code, 1);
  assert.match(output, /error\[switch-feature-needs-version\].*needs version 5\.5; it has 5\.1/);
  assert.match(output, /sallyport switch upgrade/);
});

test("copies are added and taken away at their lines only, and one too many for the pool changes nothing", async () => {
  const file = path("copies.yaml");
  const text = readFileSync(
    new URL("../../examples/company/datacenter.yaml", import.meta.url),
    "utf8",
  ).replace(/^ +load-balancer: .*\n/m, "");
  writeFileSync(file, text);
  const added = await call("vapp", "copy", file, "shop", "test-c", "--count", "2");
  assert.equal(added.code, 0, added.complaints);
  assert.match(
    added.output,
    /^ {2}shop\.test-c +192\.168\.10\.1\d\d +web 192\.168\.10\.1\d\d +db 192\.168\.10\.1\d\d$/m,
  );
  assert.equal(
    readFileSync(file, "utf8"),
    text.replace("copies: [test-a, test-b]", "copies: [test-a, test-b, test-c, copy-1, copy-2]"),
  );
  assert.match((await call("vapp", "copy", file, "shop", "test-c")).complaints, /has a copy test-c already/);
  assert.equal((await call("vapp", "remove", file, "shop", "copy-1", "test-c", "copy-2")).code, 0);
  assert.equal(readFileSync(file, "utf8"), text);
  const tooMany = await call("vapp", "copy", file, "shop", "--count", "40");
  assert.equal(tooMany.code, 1);
  assert.match(tooMany.complaints, /pool-exhausted/);
  assert.equal(readFileSync(file, "utf8"), text);
});

test("the schema is JSON and says what each key is for", async () => {
  const { output } = await call("schema");
  const schema = JSON.parse(output) as {
    $defs: Record<string, { properties?: Record<string, { description?: string }> }>;
  };
  const { datacenter } = schema.$defs;
  assert.ok(Object.keys(datacenter!.properties!).includes("networks"));
  for (const { properties = {} } of Object.values(schema.$defs))
    for (const [key, { description = "" }] of Object.entries(properties))
      assert.ok(description.length > 3, key);
});

test("explain exits with 0 when it arrives and with 1 when not, and its JSON has frames", async () => {
  const file = new URL("../../examples/network/router-or-switch.yaml", import.meta.url).pathname;
  assert.equal((await call("explain", file, "desk-001", "to", "printer", "tcp", "9100")).code, 0);
  assert.equal((await call("explain", file, "printer", "to", "desk-001")).code, 1);
  const { output } = await call("explain", file, "desk-001", "to", "desk-002", "--json");
  const trace = JSON.parse(output) as { there: { hops: { captures: { frame: string }[] }[] } };
  assert.match(trace.there.hops[0]!.captures[0]!.frame, /^[0-9a-f]{120,}$/);
});
