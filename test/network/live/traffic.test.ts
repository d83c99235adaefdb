// What port groups say of traffic, in a real kernel: what they filter does not arrive, what they mark arrives
// marked, machines send nothing to the spanning tree, and a mirror shows what its ports send and get.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const skip =
  process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash", "ping", "tcpdump") : "needs root";

const FILE = `
datacenter: traffic
switches:
  dvs0:
    version: "5.5"
    features: [bpdu-filter]
    mirrors: [{from: web-001, to: listener}, {from: data, to: listener}]
    port-groups:
      org:
        vlan: 20
        filters:
          - {allow: icmp, from: web-003, to: web-001}
          - {drop: icmp, to: [10.0.0.8/30, web-001]}
          - {mark: udp, ports: 5060, dscp: 46, cos: 5}
      data: {vlan: 30}
      listen: {vlan: 40}
networks:
  org: {subnet: [10.0.0.0/24, "fd00::/64"], port-group: dvs0/org}
  data: {subnet: 10.1.0.0/24, port-group: dvs0/data}
  listen: {subnet: 10.2.0.0/24, port-group: dvs0/listen}
machines:
  web-001: {network: org, address: [10.0.0.11, "fd00::11"]}
  web-002: {network: org, address: [10.0.0.12, "fd00::12"]}
  web-003: {network: org, address: [10.0.0.20, "fd00::20"]}
  d1: {network: data, address: 10.1.0.11}
  d2: {network: data, address: 10.1.0.12}
  listener: {network: listen, address: 10.2.0.2}
`;

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-traffic-"));
  writeFileSync(join(folder, "datacenter.yaml"), FILE);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("what is filtered does not arrive, and what is marked arrives marked", { skip }, () => {
  const output = inside(
    folder,
    `
at() { nsenter --net=/run/netns/sp.traffic.$1 "\${@:2}"; }
asks() { at $1 ping -n -c1 -W1 $2 >/dev/null && echo "$1 $2 answered" || echo "$1 $2 silent"; }
$S apply $F | tail -1; $S apply $F | tail -1
asks web-002 10.0.0.11; asks web-002 fd00::11; asks web-002 10.0.0.20; asks web-002 fd00::20
at web-002 tcpdump -Z root -lnvi eth0 -c1 udp port 5060 2>/run/listening >/run/heard & until grep -q listening /run/listening; do sleep 0.05; done
at web-001 bash -c 'echo hi > /dev/udp/10.0.0.12/5060'; wait $!; grep -o 'tos 0x[0-9a-f]*' /run/heard
$S status $F | tail -1`,
  );
  const [, again, ...rest] = output.trim().split("\n");
  assert.match(again!, /nothing to change/);
  assert.deepEqual(rest, [
    "web-002 10.0.0.11 silent",
    "web-002 fd00::11 silent",
    "web-002 10.0.0.20 answered",
    "web-002 fd00::20 answered",
    "tos 0xb8",
    "everything is as it was made",
  ]);
});

test("a mirror shows both directions of a machine and of a whole port group, and nobody else's", {
  skip,
}, () => {
  const output = inside(
    folder,
    `
at() { nsenter --net=/run/netns/sp.traffic.$1 "\${@:2}"; }
$S apply $F | tail -1
# A cable that was just plugged in carries nothing until the kernel has looked at it.
until_answered() { for i in $(seq 50); do at $1 ping -n -c1 -W1 $2 >/dev/null && return; done; }
until_answered d1 10.1.0.12; until_answered web-001 10.0.0.20
at listener tcpdump -Z root -lni eth0 icmp 2>/run/listening >/run/heard & until grep -q listening /run/listening; do sleep 0.05; done
at d1 ping -n -c1 -W1 10.1.0.12 >/dev/null; at web-003 ping -n -c1 -W1 10.0.0.12 >/dev/null || true
at web-001 ping -n -c1 -W1 10.0.0.20 >/dev/null
until grep -q '10.0.0.20 > 10.0.0.11.*reply' /run/heard; do sleep 0.05; done; kill $!; wait $! || true
grep -o '[0-9.]* > [0-9.]*: ICMP echo re[a-z]*' /run/heard | sort | uniq -c | tr -s ' '`,
  );
  const heard = output.trim().split("\n").slice(1);
  // Of a port group each frame is seen where it comes in and where it goes out.
  assert.deepEqual(
    heard.map((line) => line.trim()),
    [
      "1 10.0.0.11 > 10.0.0.20: ICMP echo request",
      "1 10.0.0.20 > 10.0.0.11: ICMP echo reply",
      "2 10.1.0.11 > 10.1.0.12: ICMP echo request",
      "2 10.1.0.12 > 10.1.0.11: ICMP echo reply",
    ],
    output,
  );
});

test("status tells what has passed each port, and how much the rules of ports have dropped", { skip }, () => {
  const output = inside(
    folder,
    `
at() { nsenter --net=/run/netns/sp.traffic.$1 "\${@:2}"; }
$S apply $F | tail -1
for i in $(seq 50); do at d1 ping -n -c1 -W1 10.1.0.12 >/dev/null && break; done
at d1 ping -n -c5 -i 0.1 -s 1000 10.1.0.12 >/dev/null; at web-002 ping -n -c3 -i 0.1 -W1 10.0.0.11 >/dev/null || true
at d2 ip link set eth0 address 02:00:00:00:00:77; at d2 ping -n -c1 -W1 10.1.0.11 >/dev/null || true
$S status $F --ports || true`,
  );
  const [, sent, received] =
    /d1\/eth0 +dvs0\/data +sent (\d+), [\d.]+ \w+ +received (\d+), /.exec(output) ?? [];
  assert.ok(Number(sent) >= 6 && Number(received) >= 6, output);
  assert.match(output, /^ +3 dropped by filters$/m);
  assert.match(output, /^ +[1-9]\d* dropped by forged-transmits$/m);
});

test("a machine that takes another MAC is heard by it where the port group accepts that, and nowhere else", {
  skip,
}, () => {
  writeFileSync(
    join(folder, "macs.yaml"),
    `datacenter: traffic
switches:
  dvs0:
    port-groups:
      free: {vlan: 20, security: {mac-changes: accept, forged-transmits: accept}}
      fixed: {vlan: 30, security: {forged-transmits: accept}}
networks:
  free: {subnet: 10.0.0.0/24, port-group: dvs0/free}
  fixed: {subnet: 10.1.0.0/24, port-group: dvs0/fixed}
machines:
  f1: {network: free, address: 10.0.0.11}
  f2: {network: free, address: 10.0.0.12}
  x1: {network: fixed, address: 10.1.0.11}
  x2: {network: fixed, address: 10.1.0.12}
`,
  );
  const output = inside(
    folder,
    `
F=macs.yaml
at() { nsenter --net=/run/netns/sp.traffic.$1 "\${@:2}"; }
asks() { at $1 ip neigh flush all; at $1 ping -n -c1 -W1 $2 >/dev/null && echo "$1 answered" || echo "$1 silent"; }
$S apply $F | tail -1
asks f2 10.0.0.11; asks x2 10.1.0.11
for name in f1 x1; do at $name ip link set eth0 address 02:00:00:00:00:77; done
asks f2 10.0.0.11; asks x2 10.1.0.11
$S status $F | grep -c "load nftables" || true
$S apply $F | tail -1
asks f2 10.0.0.11; asks x2 10.1.0.11
$S destroy $F >/dev/null`,
  );
  const said = output
    .replaceAll(/.*steps done/g, "done")
    .trim()
    .split("\n");
  const both = ["f2 answered", "x2 answered"];
  assert.deepEqual(said, ["done", ...both, "f2 answered", "x2 silent", "0", "done", ...both]);
});

test("a machine whose switch filters BPDUs cannot take part in the spanning tree", { skip }, () => {
  const output = inside(
    folder,
    `
at() { nsenter --net=/run/netns/sp.traffic.$1 "\${@:2}"; }
$S apply $F | tail -1
at d1 ip link add sp type bridge stp_state 1 forward_delay 200; at d1 ip link set eth0 master sp; at d1 ip link set sp up
for i in $(seq 100); do
  at switches nft list chain bridge sallyport_traffic sp_from_machine | grep -q '01:80:c2:00:00:00.*packets [1-9]' && break; sleep 0.1
done
at switches nft list chain bridge sallyport_traffic sp_from_machine | grep -c '01:80:c2:00:00:00.*packets [1-9].*drop'`,
  );
  assert.equal(output.trim().split("\n").at(-1), "1", output);
});
