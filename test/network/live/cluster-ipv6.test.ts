// Clusters with an IPv6 address in a real kernel: neighbour discovery is answered with the shared MAC, agents
// hear each other by multicast, and every connection is answered by one member. And members of both families.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, test } from "node:test";
import { parseIp } from "../../../src/base/ip.ts";
import { requires } from "../../requirements.ts";
import {
  answersIn,
  COUNT,
  countsOf,
  EXAMPLE,
  expected,
  FIRST_PORT,
  pairsIn,
  prepare,
  WATCH,
} from "./cluster-farm.ts";
import { inside } from "./inside.ts";

const skip = process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash") : "needs root";
const IPV6 = EXAMPLE.replaceAll("192.168.30.0/24", '"fd00:30::/64"').replaceAll(
  /192\.168\.30\.(\d+)(?=[,}\n])/g,
  '"fd00:30::$1"',
);
const CLIENT = parseIp("fd00:30::99")!;
const PREPARE = prepare("fd00:30::50");
const MACS: Readonly<Record<string, string>> = {
  unicast: "02:bf:00:00:00:50",
  multicast: "03:bf:00:00:00:50",
  igmp: "33:33:00:00:00:50",
};

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-cluster-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(text: string, script: string): string {
  writeFileSync(join(folder, "datacenter.yaml"), text);
  return inside(folder, `${PREPARE}${script}`);
}

for (const mode of Object.keys(MACS)) {
  test(`300 IPv6 connections spread by weight and each is answered by exactly one member (${mode})`, {
    skip,
  }, (t) => {
    const output = run(
      IPV6.replace("mode: unicast", `mode: ${mode}`),
      `
at client nft -f - <<< '${WATCH}'
clients ask fd00:30::50 80 ${FIRST_PORT} ${COUNT} 20000
at client nft list table inet watch
at client ip neigh show fd00:30::50
at iis-1 ip maddress show dev eth0
at switches bridge fdb show | grep -c ' ${MACS[mode]!} ' || true
$S status $F | tail -1; $S cluster status $F; $S apply $F | tail -1; $S destroy $F | tail -1; ls /run/netns | wc -l`,
    );
    const answers = answersIn(output);
    assert.deepEqual(answers, expected(FIRST_PORT, COUNT, [1, 2, 3], undefined, CLIENT), output);
    t.diagnostic(JSON.stringify(countsOf(answers.values())));
    const [answered = "", reset = ""] = output.split("set resets");
    const seen = pairsIn(answered);
    assert.equal(seen.length, COUNT, "each port has one MAC that answered");
    assert.deepEqual(
      pairsIn(reset).filter((pair) => !seen.includes(pair)),
      [],
      "nobody else refused it",
    );
    assert.match(output, new RegExp(`fd00:30::50 dev eth0 lladdr ${MACS[mode]!} `));
    if (mode === "igmp") assert.match(output, /inet6 ff12::50/);
    assert.match(
      output,
      /\n0\neverything is as it was made\nweb: .* converged\n(?:.*\n)*.*nothing to change\n.*steps done\n0\n$/,
    );
  });
}

test("a member of an IPv6 cluster that asks for a client's MAC in the name of the address tells the shared one", {
  skip,
}, () => {
  const output = run(
    IPV6.replace("mode: unicast", "mode: multicast"),
    `
at iis-1 ip neigh flush all
until_true at iis-1 ping -n -c1 -W1 -I fd00:30::50 fd00:30::99
at client ip neigh show fd00:30::50
clients ask fd00:30::50 80 ${FIRST_PORT} 60 20000`,
  );
  assert.match(output, /lladdr 03:bf:00:00:00:50 /);
  assert.deepEqual(answersIn(output), expected(FIRST_PORT, 60, [1, 2, 3], undefined, CLIENT), output);
});

test("with notify-switches the switch learns the MAC of an IPv6 cluster too, and one member gets everything", {
  skip,
}, () => {
  const output = run(
    IPV6.replace("notify-switches: false", "notify-switches: true"),
    `
announced() { $S program logs $F cluster-$1 | grep -c announced || true; }
more_than() { [ "$(announced $1)" -gt $2 ]; }
for name in iis-1 iis-2 iis-3; do until_true more_than $name 0; done
before=$(announced iis-2)
at switches ip link set p-iis-2 down
until_true sh -c "nsenter --net=/run/netns/sp.farm.iis-2 ip -o link show dev eth0 | grep 'state [A-Z]*DOWN'"
at switches ip link set p-iis-2 up
until_true more_than iis-2 $before
until_true sh -c "nsenter --net=/run/netns/sp.farm.switches bridge fdb show | grep '${MACS["unicast"]!} dev p-iis-2'"
until_true converged
clients ask fd00:30::50 80 ${FIRST_PORT} 100 4000`,
  );
  const right = expected(FIRST_PORT, 100, [1, 2, 3], undefined, CLIENT);
  const answers = answersIn(output);
  assert.equal(answers.size, 100, output);
  for (const [port, name] of answers)
    assert.equal(name, right.get(port) === "iis-2" ? "iis-2" : "-", `${port}`);
});

test("a drained member of an IPv6 cluster keeps what it has, and counts it", { skip }, () => {
  const output = run(
    IPV6,
    `
mkfifo /run/pipe; clients hold fd00:30::50 80 ${FIRST_PORT} 60 6000 /run/pipe >/run/held 2>&1 &
exec 9>/run/pipe
until_true grep held /run/held
$S cluster drain $F web iis-2
echo after >&9; until_true grep ^after /run/held
clients ask fd00:30::50 80 30000 60 20000
grep ^after /run/held; exec 9>&-`,
  );
  assert.deepEqual(answersIn(output), expected(30_000, 60, [1, 3], undefined, CLIENT), output);
  assert.match(output, /iis-2: drained; [1-9]\d* connections go on\n/);
  assert.doesNotMatch(/^after (.*)$/m.exec(output)![1]!, /-( |$)/, "all are alive");
});

/** Says that it is member 1, to whoever has an address. */
const IMPOSTOR = `
cat >impostor.cjs <<'SCRIPT'
const [, , hops, to] = process.argv;
const socket = require("node:dgram").createSocket(to.includes(":") ? "udp6" : "udp4");
const heartbeat = { version: 1, cluster: "fd00:30::50", member: 1, sequence: 1, wish: "run", isReady: true,
  isLeaving: false, rules: "", view: { present: [1], active: [1] }, held: [], heard: [] };
socket.bind(() => {
  socket.setTTL(Number(hops));
  socket.send(JSON.stringify(heartbeat), 8861, to, () => socket.close());
});
SCRIPT
claim() { at client "$NODE" impostor.cjs $1 $2; }
status=$(find /run -path '*/cluster-iis-1/status.json')
stamp() { grep -o '"at":[0-9]*' $status; }
# Two reports later it would show.
reports() { for time in 1 2; do old=$(stamp); until_true sh -c "! grep '$old' $status"; done; }
hears() { $S cluster status $F | grep 'hears another iis-1'; }
`;

test("what comes from behind a router, or by IPv4, is no heartbeat of an IPv6 cluster", { skip }, () => {
  const both = IPV6.replace('"fd00:30::/64"', '[192.168.30.0/24, "fd00:30::/64"]').replace(
    'address: "fd00:30::11"',
    'address: ["fd00:30::11", 192.168.30.11]',
  );
  const client = both.replace('address: "fd00:30::99"', 'address: ["fd00:30::99", 192.168.30.99]');
  const output = run(
    client,
    `${IMPOSTOR}
claim 254 fd00:30::11; claim 255 192.168.30.11; reports
hears || echo nobody heard it
claim 255 fd00:30::11; until_true hears; echo it can be heard`,
  );
  assert.match(output, /nobody heard it\nit can be heard\n$/);
});

test("members of an IPv4 cluster keep their own IPv6 addresses, though they share a MAC", { skip }, () => {
  const both = EXAMPLE.replace("192.168.30.0/24", '[192.168.30.0/24, "fd00:30::/64"]').replaceAll(
    /address: (192\.168\.30\.(\d+))(?=[,}])/g,
    'address: [$1, "fd00:30::$2"]',
  );
  writeFileSync(join(folder, "datacenter.yaml"), both);
  const output = inside(
    folder,
    `${prepare("192.168.30.50")}
for last in 11 12 13; do until_true at client ping -n -c1 -W1 fd00:30::$last; done
clients ask 192.168.30.50 80 ${FIRST_PORT} 60 20000
for name in iis-1 iis-2 iis-3; do at $name ip -6 -o addr show dev eth0 scope link; done
$S status $F | tail -1`,
  );
  assert.deepEqual(answersIn(output), expected(FIRST_PORT, 60, [1, 2, 3]), output);
  const own = [...output.matchAll(/inet6 (fe80::\S+)\/64/g)].map(([, ip]) => ip);
  assert.equal(new Set(own).size, 3, output);
  assert.doesNotMatch(output, /dadfailed/);
  assert.match(output, /everything is as it was made\n$/);
});
