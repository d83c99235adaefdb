// The uplink of a switch becomes a LAG of LACP while it is in use, and comes back, by the command line and in
// a kernel that has bonds and VLAN filtering: `switch upgrade --live` waits for the other end, its probes
// through the port group lose nothing, and pings over the uplink tell what the cables do. At last another LAG
// takes the uplink over, card by card.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Guest, guestLacks } from "./guest.ts";

const skip = guestLacks();
/** Node in a guest without KVM: half a minute on a quiet machine. */
const TIMEOUT_MS = 400_000;

const FILE = `
datacenter: lag
hosts:
  h:
    interfaces: {eth0: {speed: 10G}, eth1: {speed: 10G}}
    bonds:
      bond0: {links: [eth0, eth1], mode: balance-xor, hash: layer3+4, mii-monitor: 20ms}
fabric:
  tor:
    ports: {1: {to: h/eth0, lag: 1}, 2: {to: h/eth1, lag: 1}}
    lags: {1: {lacp: off, trunk: [40]}}
switches:
  dvs0:
    version: "5.1"
    uplinks: {h: bond0}
    port-groups:
      voice: {vlan: 40}
networks:
  voice: {subnet: 10.40.0.0/24, port-group: dvs0/voice}
machines:
  phone: {network: voice, address: 10.40.0.11, host: h}
`;

/** Another LAG for the uplink, with both cards. */
const OTHER = FILE.replace("bond0: {", "lag1: {")
  .replace("mode: balance-xor, ", "mode: 802.3ad, lacp-rate: fast, ")
  .replace("uplinks: {h: bond0}", "uplinks: {h: lag1}")
  .replace("lacp: off", "lacp: active, lacp-rate: fast, hash: layer3+4");

/** `tor` is the physical switch, with 10.40.0.1 behind a bond of its own, and follows what this end does. */
const COMMON = `
at() { local where=$1; shift; nsenter --net=/run/netns/$where "$@"; }
says() { for i in $(seq 400); do "$@" && return; usleep 50000; done; echo "never: $*"; return 1; }
# One process for all commands: to start it would take longer than they do.
many() {
  [ -p /run/lines ] || {
    mkfifo /run/lines; touch /run/said
    sleep 100000 > /run/lines & $MANY < /run/lines > /run/said 2>&1 &
  }
  local from=$(($(wc -c < /run/said) + 1)) ends=$(grep -c '^exit code' /run/said)
  echo "$*" > /run/lines
  until [ $(grep -c '^exit code' /run/said) -gt $ends ]; do usleep 200000; done
  tail -c +$from /run/said
}
tor_follows() {
  ip -d monitor link | grep -m1 "bond mode $1" > /dev/null; shift
  { for n in 0 1; do echo link set p$n nomaster; done
    echo link set po1 down; echo link set po1 type bond mode $*
    for n in 0 1; do echo link set p$n down; echo link set p$n master po1; echo link set p$n up; done
    echo link set po1 up; } > /run/tor
  ip -n tor -batch /run/tor
}
answers() { at sp.lag.phone ping -n -c1 -W1 10.40.0.1 > /dev/null; }
lost() {
  says answers; sleep 1; [ -f /run/seen ] || echo 0 > /run/seen
  grep -o 'icmp_seq=[0-9]*' /run/pings | cut -d= -f2 | awk -v name=$1 -v from=$(cat /run/seen) '
    $1 > from { seen[$1]; if ($1 > most) most = $1 }
    END { for (i = from + 1; i <= most; i++) if (!(i in seen)) lost++
          print name, "lost", lost + 0, "of", most - from; print most > "/run/seen" }'
}
`;

const PARTS: Readonly<Record<string, string>> = {
  upgrade: `
ip netns add tor
for n in 0 1; do ip link add eth$n type veth peer name p$n netns tor; done
ip -n tor link add po1 type bond mode balance-xor miimon 20 xmit_hash_policy layer3+4
for n in 0 1; do ip -n tor link set p$n master po1; done
ip -n tor link set po1 up
ip -n tor link add link po1 name po1.40 type vlan id 40
ip -n tor link set po1.40 up; ip -n tor address add 10.40.0.1/24 dev po1.40
cp /first.yaml dc.yaml
many apply --host h dc.yaml; says answers
nsenter --net=/run/netns/sp.lag.phone ping -n -i 0.008 10.40.0.1 > /run/pings & echo $! > /run/flow
sleep 1; lost begin
tor_follows 802.3ad 802.3ad lacp_rate fast & follower=$!
many switch upgrade dc.yaml dvs0 --to 5.5 --live --enable lag --host h
many status dc.yaml
kill $follower 2> /dev/null || true; lost upgrade
grep -E 'mode|lacp|version' dc.yaml; grep 'Number of ports' /proc/net/bonding/bond0`,

  restore: `
tor_follows balance-xor balance-xor & follower=$!
many switch restore dc.yaml --live --host h
many status dc.yaml
kill $follower 2> /dev/null || true; lost restore; kill $(cat /run/flow)
cmp dc.yaml /first.yaml && echo "the file is as it was"`,

  other: `
# The switch at the other end has two LAGs, and its ports follow one by one. A bridge without a MAC of its own
# would take that of its ports, and be somebody else with each of them.
ip -n tor link delete po1.40
ip -n tor link add sw address 02:00:00:00:00:40 type bridge forward_delay 0 mcast_snooping 0
ip -n tor link add po2 type bond mode 802.3ad lacp_rate fast miimon 20 xmit_hash_policy layer3+4
for lag in po1 po2; do ip -n tor link set $lag master sw; ip -n tor link set $lag up; done
ip -n tor link set sw up
ip -n tor link add link sw name sw.40 type vlan id 40
ip -n tor link set sw.40 up; ip -n tor address add 10.40.0.1/24 dev sw.40
says answers; rm /run/seen
nsenter --net=/run/netns/sp.lag.phone ping -n -i 0.008 10.40.0.1 > /run/pings & flow=$!
follows() {
  until grep -qs "Interface: eth$1" /proc/net/bonding/lag1; do usleep 50000; done
  ip -n tor link set p$1 nomaster; ip -n tor link set p$1 down; ip -n tor link set p$1 master po2; ip -n tor link set p$1 up
}
sleep 1; lost begin; { follows 1; follows 0; } &
cp /other.yaml dc.yaml; many apply --host h dc.yaml; lost other; kill $flow
many status dc.yaml; ip -br link | grep -c bond0 || true
whole() { grep 'Number of ports: 2' /proc/net/bonding/lag1; }
says whole; many destroy dc.yaml; ip -br link | grep -c lag1 || true`,
};

let guest: Guest;

before(() => {
  if (skip !== false) return;
  const files = new Map([
    ["first.yaml", FILE],
    ["other.yaml", OTHER],
  ]);
  guest = new Guest({ parts: PARTS, common: COMMON, files, hasSallyport: true });
});
after(() => guest?.end());

test("a LAG becomes one of LACP when the other end follows, and no port group loses a probe", {
  skip,
  timeout: TIMEOUT_MS,
}, async (t) => {
  const output = await guest.part("upgrade");
  assert.match(output, /bond0 of h speaks LACP: set LAG 1 in tor to it, too/);
  assert.match(
    output,
    /LAG conversion +\d+ steps +\d+\.\d\d s +0 lost\n +dvs0\/voice +\d+ probes, .* 0 lost\n/,
    output,
  );
  assert.match(
    output,
    /LAG conversion: set bond0 down .*: its mode can only change while it has no members\n/,
    output,
  );
  const seconds = /both ends agreed on LACP after (\d+\.\d\d) s/.exec(output)?.[1];
  assert.ok(seconds !== undefined, output);
  assert.match(output, /everything is as it was made\n/, output);
  assert.match(
    output,
    /mode: 802\.3ad[\s\S]*lacp: active[\s\S]*version: "5\.5"\n\tNumber of ports: 2\n/,
    output,
  );
  const [, lost, of] = /^upgrade lost (\d+) of (\d+)$/m.exec(output) ?? [];
  t.diagnostic(`LACP agreed after ${seconds} s; over the uplink ${lost} of ${of} pings were lost`);
});

test("restore takes network and file back to a LAG without LACP", {
  skip,
  timeout: TIMEOUT_MS,
}, async (t) => {
  const output = await guest.part("restore");
  assert.match(output, /dvs0\/voice +\d+ probes, .* 0 lost\n/, output);
  assert.match(output, /everything is as it was made\n/, output);
  assert.match(output, /^the file is as it was$/m, output);
  const [, lost, of] = /^restore lost (\d+) of (\d+)$/m.exec(output) ?? [];
  t.diagnostic(`over the uplink ${lost} of ${of} pings were lost`);
});

test("another LAG gets the cards one by one, and the uplink is never without one", {
  skip,
  timeout: TIMEOUT_MS,
}, async (t) => {
  const output = await guest.part("other");
  const steps = [
    "set eth1 as a port of lag1 in this machine: the other end, .*",
    "wait until lag1 carries frames, before the rest of its cards come to it",
    "set lag1 as a port of b-dvs0 in this machine",
    "hold lag1 back in b-dvs0",
    "set lag1 VLANs and learning of its port in this machine",
    "let lag1 carry in b-dvs0 instead of bond0",
    "set bond0 out of b-dvs0 in this machine",
    "set eth0 as a port of lag1 in this machine: .*",
    "remove bond bond0 in this machine",
  ];
  assert.match(output, new RegExp(steps.map((step) => ` +${step}\n`).join("")), output);
  assert.match(
    output,
    /everything is as it was made[\s\S]*\n0\n[\s\S]*Number of ports: 2[\s\S]*\n0\n$/,
    output,
  );
  const [, lost, of] = /^other lost (\d+) of (\d+)$/m.exec(output) ?? [];
  t.diagnostic(`over the uplink ${lost} of ${of} pings were lost`);
  // A switch without a cable, and LACP agreed on anew, cost most of them.
  assert.ok(Number(lost) < Number(of) / 3, output);
});
