// Two hosts with two cables between them, in a real kernel: the bonds, VLANs and QinQ of a datacentre file,
// by the lines that `apply` gives to iproute2. LACP comes up, both cables carry, either may be cut, and the
// frames bear the tags that the file says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Guest, guestLacks } from "./guest.ts";
import { hostLines } from "./host-lines.ts";

const skip = guestLacks();
/** A guest has no KVM, and a busy machine little time for it. */
const TIMEOUT_MS = 240_000;
const PINGS = 500;
const LOST_MAX = 20;
const FLOWS = 30;

const host = (number: number) => `
    interfaces: {eth0: {speed: 10G}, eth1: {speed: 10G}}
    bonds:
      bond0: {links: [eth0, eth1], mode: 802.3ad, hash: layer3+4, lacp-rate: fast, mii-monitor: 20ms, min-links: 1}
    vlans:
      org: {link: bond0, id: 10, addresses: 10.10.0.${number}/24}
      outer: {link: bond0, id: 100, protocol: 802.1ad, mtu: 1500}
      tenant: {link: outer, id: 20, mtu: 1496, addresses: 10.20.0.${number}/24}`;
const FILE = `
datacenter: bonds
hosts:
  left:${host(1)}
  right:${host(2)}
`;

const SCRIPT = `
for host in left right; do ip netns add $host; done
for card in eth0 eth1; do
  ip link add $card netns left type veth peer name $card netns right
  for host in left right; do ip -n $host link set $card up; done
done
for host in left right; do ip netns exec $host ip -batch /$host.ip; done
at() { local host=$1; shift; nsenter --net=/run/netns/$host "$@"; }
says() { for i in $(seq 600); do "$@" && return; usleep 50000; done; echo "never: $*"; return 1; }
# Both members, as both ends see them: active, in sync, collecting and distributing (IEEE 802.1AX, 6.4.2.3).
is_whole() { [ "$(at $1 grep -c 'port state: 63' /proc/net/bonding/bond0)" = 4 ]; }
answers() { at left ping -n -c1 -W1 $1 > /dev/null; }
sent() { ip -n left -s link show dev $1 | tail -1 | awk '{ print $2 }'; }

says is_whole left; says is_whole right
says answers 10.10.0.2; says answers 10.20.0.2
at left grep -oE 'IEEE 802.3ad|Number of ports: .' /proc/net/bonding/bond0

zero=$(sent eth0); one=$(sent eth1)
for port in $(seq 1 ${FLOWS}); do at left nc -w 1 10.10.0.2 $port < /dev/null > /dev/null 2>&1 || true; done
echo "flows $(($(sent eth0) - zero)) $(($(sent eth1) - one))"

for card in eth0 eth1; do
  at right tcpdump -Z root -lnei $card > /run/$card.seen 2> /run/$card.listening &
  says grep -q listening /run/$card.listening
done
at left ping -n -c 3 -i 0.2 10.20.0.2 > /dev/null
says grep -q 'echo reply' /run/eth0.seen /run/eth1.seen
killall tcpdump
echo "tags $(cat /run/eth?.seen | grep 'echo request' | grep -o 'ethertype 802.1Q[^,]*, .*ethertype IPv4' | sed 's/(0x[0-9a-f]*)//g; s/, length [0-9]*//' | head -1)"

at left ping -n -i 0.01 -c ${PINGS} 10.10.0.2 > /run/pings &
for card in eth0 eth1; do
  sleep 1; ip -n left link set $card down
  sleep 1; ip -n left link set $card up; says is_whole left
done
wait %1 || true
grep -oE '[0-9]+ packets transmitted, [0-9]+ received' /run/pings
`;

test("bonds with VLANs and QinQ work as the file has them, with both cables, and with either of them cut", {
  skip,
  timeout: TIMEOUT_MS,
}, async (t) => {
  const files = new Map(
    ["left", "right"].map((name) => [`${name}.ip`, hostLines(["eth0", "eth1"], FILE, name)]),
  );
  const guest = new Guest({ parts: { bonds: SCRIPT }, files });
  t.after(() => guest.end());
  const output = await guest.part("bonds");
  const [mode, ports, flows, tags, pings] = output.trim().split("\n");
  assert.deepEqual([mode, ports], ["IEEE 802.3ad", "Number of ports: 2"], output);
  // Each connection is a packet or two on one of them; LACP speaks once a second besides.
  const shares = flows!.match(/\d+/g)!.map(Number);
  assert.ok(Math.min(...shares) >= FLOWS / 4, output);
  assert.match(tags!, /802\.1Q-QinQ.*vlan 100,.*802\.1Q.*vlan 20,.*IPv4/, output);
  const [sent, received] = pings!.match(/\d+/g)!.map(Number);
  t.diagnostic(`lost ${sent! - received!} of ${sent} pings while each cable was cut once; flows ${shares}`);
  assert.equal(sent, PINGS, output);
  assert.ok(received! >= PINGS - LOST_MAX, output);
});
