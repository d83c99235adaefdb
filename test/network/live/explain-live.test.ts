// `sallyport explain … --live`: in a network that runs, the frames on every cable are those of the
// explanation, and the rules that the kernel names in edges and fences are those of the lines that it names;
// where somebody has changed a rule by hand, it is said where the packet was seen last, and what decided.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const skip =
  process.getuid?.() === 0
    ? requires("ip", "bridge", "nft", "unshare", "nsenter", "bash", "ping", "tcpdump")
    : "needs root";

const FILE = `
datacenter: live
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  org: {subnet: 10.0.0.0/24, gateway: 10.0.0.1, pool: 10.0.0.100-10.0.0.120}
edges:
  edge:
    interfaces: {internet: 203.0.113.10, org: 10.0.0.1}
    routes: [{to: default, via: 203.0.113.1}]
    firewall: {rules: [{allow: any, from: org}]}
    nat: [{snat: org, to: 203.0.113.10}]
machines:
  a: {network: org, address: 10.0.0.11}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines:
      web: {address: 10.0.0.41, listen: 80, run: "exec ${process.execPath} -e 'require(\\"net\\").createServer(s=>s.end()).listen(80)'"}
    copies: [test]
publish: [{machine: shop.test/web, port: 80, at: "203.0.113.10:8001"}]
`;

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-explain-live-"));
  writeFileSync(join(folder, "datacenter.yaml"), FILE);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("what is explained is what is captured, and a rule that somebody has taken away is told", {
  skip,
}, () => {
  const output = inside(
    folder,
    `
$S explain $F a to 10.0.0.1 --live 2>&1 | head -1
$S apply $F | tail -1
ask() { $S explain $F "$@" --live --brief > /run/answer && echo agrees || echo differs; }
served() { nsenter --net=/run/netns/sp.live.shop.test+web bash -c '< /dev/tcp/10.0.0.41/80' 2>/dev/null; }
for i in $(seq 100); do served && break; sleep 0.1; done
# A cable that was just plugged in carries nothing until the kernel has looked at it.
for i in $(seq 50); do nsenter --net=/run/netns/sp.live.a ping -n -c1 -W1 10.0.0.1 > /dev/null && break; done
ask internet to 203.0.113.10:8001; tail -1 /run/answer
ask a to 10.0.0.1 icmp; tail -1 /run/answer
ask internet to 203.0.113.10 tcp 22; tail -1 /run/answer
ask a to 8.8.8.8 udp 53; tail -2 /run/answer
nsenter --net=/run/netns/sp.live.edge nft flush chain inet sallyport_filter sp_forward
ask internet to 203.0.113.10:8001; grep -A1 otherwise /run/answer; grep "edge, firewall" /run/answer
$S explain $F internet to 203.0.113.10:8001 --live --json | grep -c '"captured": null' || true
# What traced is gone with who traced, even if that was killed.
$S explain $F internet to 203.0.113.10 tcp 22 --live > /run/answer &
until nsenter --net=/run/netns/sp.live.edge nft list table inet sallyport_trace > /dev/null 2>&1; do sleep 0.01; done
kill -9 $!
while nsenter --net=/run/netns/sp.live.edge nft list tables | grep -q trace; do sleep 0.01; done
while pgrep -x nft; do sleep 0.01; done > /dev/null`,
  );
  const lines = output.trim().split("\n");
  assert.match(lines.shift()!, /is not applied/);
  assert.match(lines.shift()!, /steps done/);
  assert.deepEqual(lines, [
    "agrees",
    "the kernel agrees: 12 frames at 6 cables and 4 rules as explained",
    "agrees",
    "the kernel agrees: 4 frames at 2 cables and 1 rule as explained",
    "agrees",
    "the kernel agrees: 2 frames at 2 cables and 1 rule as explained",
    "agrees",
    "no program answers udp 53 at internet: compared is the way there",
    "the kernel agrees: 4 frames at 4 cables and 2 rules as explained",
    "differs",
    "the kernel does otherwise:",
    lines[11],
    "  edge, firewall: explained passes (datacenter.yaml:20); the kernel drops (datacenter.yaml:10) by sp_forward: policy drop",
    "4",
  ]);
  assert.match(lines[11]!, /^ {2}edge, out by org: explained tcp .* SYN ttl 63, captured nothing$/);
});
