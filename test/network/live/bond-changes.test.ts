// A bond that is in use becomes another, in a real kernel and by the lines that `apply` gives to iproute2:
// its hash, monitoring and MTU, members that come and go, the rate of LACP, a static LAG that becomes one of
// LACP and back. Pings over it, more than a hundred a second, tell what each of it costs; and what the kernel
// says of LACP when something is wrong is read as `status` reads it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { faultsOfLag } from "../../../src/driver/linux/lag-state.ts";
import { Guest, guestLacks } from "./guest.ts";
import { hostLines } from "./host-lines.ts";

const skip = guestLacks();
/** A guest has no KVM, and a busy machine little time for it. */
const TIMEOUT_MS = 240_000;
/** A bond that is down for a moment loses what was on its way: at most a quarter of a second of it. */
const LOST_BY_STOP_MAX = 30;

/** With addresses of both families and a route on a VLAN of the bond, which go when it is down. */
function file(bond: string): string {
  return `
datacenter: bonds
hosts:
  left:
    interfaces: {eth0: {speed: 10G}, eth1: {speed: 10G}, eth2: {speed: 10G}}
    bonds:
      bond0: {${bond}}
    vlans:
      org: {link: bond0, id: 10, mtu: 1500, addresses: [10.10.0.1/24, "fd10::1/64"]}
    routes: [{to: 192.0.2.0/24, via: 10.10.0.2}, {to: "fd20::/64", via: "fd10::2"}]
`;
}

const STATIC = "links: [eth0, eth1], mode: balance-xor, hash: layer3+4, mii-monitor: 20ms";
const LACP = "links: [eth0, eth1], mode: 802.3ad, hash: layer3+4, mii-monitor: 20ms";
const HASH = STATIC.replace("3+4", "2+3").replace("20ms", "40ms");
const LARGE = `${HASH}, mtu: 9000`;
const FAST = `${LACP}, lacp-rate: fast, ad-select: bandwidth`;
const THREE = FAST.replace("eth1]", "eth1, eth2]");
const SWAPPED = FAST.replace("eth1]", "eth2]");

const CHANGES: Readonly<Record<string, readonly [string | readonly string[], string]>> = {
  made: [["eth0", "eth1", "eth2"], STATIC],
  hash: [file(STATIC), HASH],
  large: [file(HASH), LARGE],
  small: [file(LARGE), STATIC],
  lacp: [file(STATIC), LACP],
  fast: [file(LACP), FAST],
  three: [file(FAST), THREE],
  swapped: [file(THREE), SWAPPED],
  static: [file(SWAPPED), STATIC],
};

/** `right` is the other end. `lost` says how many pings of how many were, since the last time. */
const COMMON = `
at() { local host=$1; shift; nsenter --net=/run/netns/$host "$@"; }
says() { for i in $(seq 400); do "$@" && return; usleep 50000; done; echo "never: $*"; return 1; }
change() { at left ip -batch /$1.ip; }
bond() { at left cat /proc/net/bonding/bond0; }
mode() { bond | grep 'Bonding Mode'; }
whole() { [ "$(bond | grep -c 'port state: 6[13]')" = $((2 * $1)) ]; }
answers() { at left ping -n -c1 -W1 10.10.0.2 > /dev/null; }
# Empty, another mode, filled again: as sallyport does it.
right() {
  { for n in 0 1 2; do echo link set eth$n nomaster; done
    echo link set bond0 down; echo link set bond0 type bond mode $*
    for n in 0 1 2; do echo link set eth$n down; echo link set eth$n master bond0; echo link set eth$n up; done
    echo link set bond0 up; } > /run/right.ip
  ip -n right -batch /run/right.ip
}
lost() {
  says answers; sleep 1
  [ -f /run/seen ] || echo 0 > /run/seen
  grep -o 'icmp_seq=[0-9]*' /run/pings | cut -d= -f2 | awk -v name=$1 -v from=$(cat /run/seen) '
    $1 > from { seen[$1]; if ($1 > most) most = $1 }
    END { for (i = from + 1; i <= most; i++) if (!(i in seen)) lost++
          print name, "lost", lost + 0, "of", most - from; print most > "/run/seen" }'
}
there() { at left ip -br address show dev org | grep -c fd10::1/64; at left ip route | grep -c 192.0.2.0/24; at left ip -6 route | grep -c fd20; }
`;

const PARTS: Readonly<Record<string, string>> = {
  options: `
for host in left right; do ip netns add $host; done
for card in eth0 eth1 eth2; do
  ip link add $card netns left type veth peer name $card netns right
  for host in left right; do ip -n $host link set $card up; done
done
ip -n right link add bond0 type bond mode balance-xor miimon 20
ip -n right link set bond0 up
ip -n right link add link bond0 name org type vlan id 10
right balance-xor
ip -n right link set org up
ip -n right address add 10.10.0.2/24 dev org
ip -n right address add fd10::2/64 dev org nodad
ip -n right link set eth2 down
change made; says answers
at left ping -n -i 0.008 10.10.0.2 > /run/pings &
echo $! > /run/flow; sleep 1; lost begin
change hash; lost hash; change large; lost large; change small; lost small; mode`,

  conversion: `
lost begin
mac() { ip -n left link show org | grep -o 'ether [^ ]*'; }
before=$(mac)
change lacp; right 802.3ad lacp_rate fast; ip -n right link set eth2 down
says whole 2; lost lacp; mode; there; [ "$(mac)" = "$before" ] && echo the same MAC
change fast; says whole 2; lost fast; there`,

  members: `
lost begin
ip -n right link set eth2 up; change three; says whole 3; lost three
change swapped; says whole 2; lost swapped
bond | grep 'Slave Interface'`,

  drift: `
wrong() { echo "@ $1"; bond; }
state() { bond | grep -A99 "Interface: $1" | grep -m1 'port state' | grep -o '[0-9]*'; }
# LACP_DEFAULTED, and no more LACP_EXPIRED; twice, for a card that was just set up has what was before.
defaulted() { [ $(($(state eth2) & 192)) = 64 ]; }
deaf() { defaulted && usleep 500000 && defaulted; }
wrong whole
ip -n right link set eth2 down; cut() { bond | grep -q 'MII Status: down'; }
says cut; wrong down
ip -n right link set eth2 nomaster; ip -n right link set eth2 up; says deaf; wrong deaf
ip -n right link add other type bond mode 802.3ad lacp_rate fast miimon 20
ip -n right link set eth2 down; ip -n right link set eth2 master other
ip -n right link set other up; ip -n right link set eth2 up
heard() { [ $(($(state eth2) & 192)) = 0 ]; }
says heard; wrong other
echo "other $(ip -n right link show other | grep -o 'ether [^ ]*')"
ip -n right link set eth2 down; ip -n right link set eth2 master bond0; ip -n right link set eth2 up
ip -n right link set eth0 down; ip -n right link set eth0 nomaster; ip -n right link set eth2 nomaster
ip -n right link set eth2 up; ip -n right link set eth0 up
alone() { [ "$(bond | grep 'Partner Mac')" = "$(printf '\\tPartner Mac Address: 00:00:00:00:00:00')" ]; }
says alone; wrong alone
right 802.3ad lacp_rate fast; says whole 2; wrong again`,

  back: `
lost begin
change static; right balance-xor; ip -n right link set eth2 down
lost static; mode; there; kill $(cat /run/flow)`,
};

let guest: Guest;

before(() => {
  if (skip !== false) return;
  const files = Object.entries(CHANGES).map(
    ([name, [from, to]]) => [`${name}.ip`, hostLines(from, file(to), "left")] as const,
  );
  guest = new Guest({ parts: PARTS, common: COMMON, files: new Map(files) });
});
after(() => guest?.end());

function lossesIn(output: string): Map<string, number> {
  const found = [...output.matchAll(/^(\w+) lost (\d+) of (\d+)$/gm)];
  assert.ok(found.length > 0 && found.every(([, , , of]) => Number(of) > 100), output);
  return new Map(found.map(([, name, lost]) => [name!, Number(lost)]));
}

test("hash, monitoring and MTU of a bond change without a ping lost", {
  skip,
  timeout: TIMEOUT_MS,
}, async () => {
  const output = await guest.part("options");
  const losses = lossesIn(output);
  for (const name of ["hash", "large", "small"]) assert.equal(losses.get(name), 0, output);
});

/**
 * A bond that is up again, and what the kernel took from its VLAN: two addresses' worth of routes, and
 * fd10::1.
 */
const ALL_THERE = "1\n1\n1\n";

test("a static LAG becomes one of LACP with the MAC, addresses and routes that it had, and its rate changes", {
  skip,
  timeout: TIMEOUT_MS,
}, async (t) => {
  const output = await guest.part("conversion");
  const losses = lossesIn(output);
  t.diagnostic(`lost ${losses.get("lacp")} by the mode at both ends, ${losses.get("fast")} by the rate`);
  assert.match(output, /IEEE 802\.3ad/, output);
  assert.equal(output.split(ALL_THERE).length, 3, output);
  assert.match(output, /^the same MAC$/m, output);
  assert.ok(losses.get("fast")! <= LOST_BY_STOP_MAX, output);
});

test("a new member costs as good as nothing, and the old one leaves when the new one is there", {
  skip,
  timeout: TIMEOUT_MS,
}, async (t) => {
  const output = await guest.part("members");
  const losses = lossesIn(output);
  t.diagnostic(`lost ${losses.get("three")} by a new member, ${losses.get("swapped")} by one that left`);
  // It hears its partner a moment after it is there: 11 to 21 in a guest with a clock of its own.
  assert.ok(losses.get("three")! <= LOST_BY_STOP_MAX, output);
  assert.ok(losses.get("swapped")! <= LOST_BY_STOP_MAX, output);
  assert.match(output, /Slave Interface: eth0\nSlave Interface: eth2\n/, output);
});

test("what is wrong with LACP is read from the kernel in words", { skip, timeout: TIMEOUT_MS }, async () => {
  const output = await guest.part("drift");
  const faults = faultsIn(output);
  const other = /^other ether (\S+)$/m.exec(output)?.[1];
  assert.deepEqual(faults.get("whole"), []);
  assert.deepEqual(faults.get("down"), ["eth2 of bond0 has no carrier"]);
  assert.match(faults.get("deaf")!.join("; "), /^eth2 of bond0 hears no LACP partner, .* within 30 s/);
  assert.match(
    faults.get("other")!.join("; "),
    new RegExp(`^eth2 of bond0 is in another aggregator: its cable goes to ${other}, `),
  );
  assert.match(
    faults.get("alone")!.join("; "),
    /^bond0 has no LACP partner at the other end: .* eth\d is in use/,
  );
  assert.deepEqual(faults.get("again"), []);
});

test("a LAG of LACP becomes a static one again", { skip, timeout: TIMEOUT_MS }, async (t) => {
  const output = await guest.part("back");
  t.diagnostic(`lost ${lossesIn(output).get("static")} by the mode at both ends`);
  assert.match(output, /load balancing \(xor\)/, output);
  assert.equal(output.split(ALL_THERE).length, 2, output);
});

/** By the name behind "@", what `status` would say of the file of the kernel that follows. */
function faultsIn(output: string): Map<string, string[]> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-lacp-"));
  try {
    return new Map(
      output
        .split(/^@ /m)
        .slice(1)
        .map((part) => {
          const end = part.indexOf("\n");
          writeFileSync(join(folder, "bond0"), part.slice(end + 1));
          return [part.slice(0, end), faultsOfLag("bond0", folder)];
        }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
