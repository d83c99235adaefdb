// What runs in a datacentre: listed, read, stopped and started anew.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const skip = process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash") : "needs root";

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-program-"));
  writeFileSync(
    join(folder, "datacenter.yaml"),
    `datacenter: programs
networks: {org: {subnet: 192.168.10.0/24}}
machines:
  web-001: {network: org, address: 192.168.10.11, run: "echo I am $$; exec sleep 1000"}
`,
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("a machine's command is listed, read, stopped until it is started, and followed", { skip }, () => {
  const output = inside(
    folder,
    `
$S apply $F >/dev/null
until $S program logs $F web-001 | grep -q I; do sleep 0.1; done
$S program list $F | tr -s ' ' | cut -d' ' -f1,2
$S program stop $F web-001
$S program stop $F web-001 2>&1 | head -1
$S status $F | tail -1; $S program list $F | tr -s ' ' | cut -d' ' -f1,2
$S program start $F machine-web-001; $S status $F | tail -1
$S program logs $F web-001 --follow > followed & follower=$!
until [ -s followed ]; do sleep 0.1; done
$S program restart $F web-001
until [ "$(grep -c I followed)" = 3 ]; do sleep 0.1; done
kill -INT $follower; wait $follower
$S program logs $F web-002 2>&1 | head -2 || true
$S destroy $F | tail -1`,
  );
  assert.equal(
    output.replace(/\d+ steps/, "n steps"),
    `machine-web-001 runs
the command of web-001: stopped
error: the command of web-001: it does not run
sallyport apply datacenter.yaml does it.
machine-web-001 stopped
the command of web-001: started
everything is as it was made
the command of web-001: started
error: there is no program of web-002
  Did you mean \`web-001\`?
datacenter.yaml: n steps done
`,
  );
});

test("a program that is started again and again is told with its status, and no longer once it stays", {
  skip,
}, () => {
  writeFileSync(
    join(folder, "ending.yaml"),
    `datacenter: ending
networks: {org: {subnet: 192.168.10.0/24}}
machines:
  web-001: {network: org, address: 192.168.10.11, run: "[ -f ${folder}/good ] || exit 7; exec sleep 1000"}
  web-002: {network: org, address: 192.168.10.12, run: exec sleep 1000}
`,
  );
  const output = inside(
    folder,
    `
F=ending.yaml
$S apply $F >/dev/null
until $S program logs $F web-001 | grep -q "again in 2 s"; do sleep 0.1; done
$S status $F && echo good || echo "exit $?"
$S status --json $F | grep -A5 keepEnding
$S program list $F
touch good
$S program restart $F web-001
$S status $F && echo good
$S destroy $F | tail -1`,
  );
  const [status, rest = ""] = output.split("exit 1\n");
  assert.match(
    status!,
    /programs\nthe command of web-001 ended \d times in a row, the last time with status 7, and is started again: sallyport program logs ending.yaml machine-web-001\neverything is as it was made but for that\n$/,
    output,
  );
  assert.match(rest, /"name": "machine-web-001",\n +"words": "the command of web-001",\n +"times": \d,/);
  assert.match(rest, /machine-web-001 +keeps ending, status 7 .*\nmachine-web-002 +runs /, output);
  assert.match(rest, /everything is as it was made\ngood\n.*steps done\n$/, output);
});

test("a program whose supervisor somebody has killed is there once after an apply, and not after the end", {
  skip,
}, () => {
  writeFileSync(
    join(folder, "orphan.yaml"),
    `datacenter: orphan
networks:
  org: {subnet: 192.168.10.0/24, gateway: 192.168.10.1, dhcp: {range: 192.168.10.100-192.168.10.199, server: edge}}
edges: {edge: {interfaces: {org: 192.168.10.1}}}
`,
  );
  const output = inside(
    folder,
    `
F=orphan.yaml
$S apply $F >/dev/null
orphan() { until pgrep -c dnsmasq >/dev/null; do sleep 0.05; done; pkill -KILL -f '^sh .*/supervise'; }
orphan; $S status $F | grep start
$S apply $F | tail -1; until pgrep -c dnsmasq >/dev/null; do sleep 0.05; done; pgrep -c dnsmasq
orphan; $S destroy $F | tail -1; pgrep -c dnsmasq || true`,
  );
  assert.match(output, /^ +start DHCP and DNS of org.*\n.*: 1 step done\n1\n.*steps? done\n0\n$/, output);
});
