// Members on hosts of their own: two namespaces stand for two hosts that share nothing but a wire. Each has
// its copy of the file and its own state, and runs `sallyport cluster agent` for itself.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, test } from "node:test";
import { type Ip, parseIp } from "../../../src/base/ip.ts";
import { requires } from "../../requirements.ts";
import { answersIn, expected, FIRST_PORT, WORDS } from "./cluster-farm.ts";
import { inside } from "./inside.ts";

const skip = process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash") : "needs root";
const COUNT = 120;
const WEIGHTS = [50, 100].map((value, index) => ({ member: index + 1, value }));

function fileOf(mode: string, key: string, family: 4 | 6 = 4): string {
  const at = (last: number) => (family === 4 ? `192.168.30.${last}` : `"fd00:30::${last}"`);
  return `datacenter: farm
networks:
  farm: {subnet: ${family === 4 ? "192.168.30.0/24" : '"fd00:30::/64"'}}
machines:
  iis-1: {network: farm, address: ${at(11)}}
  iis-2: {network: farm, address: ${at(12)}}
clusters:
  web:
    machines: [iis-1, iis-2]
    address: ${at(50)}
    mode: ${mode}${key}
    rules:
      - {ports: 80, protocol: tcp, affinity: none, weights: {iis-1: 50, iis-2: 100}}
`;
}

/**
 * `on HOST …` is a command on a host; `cluster HOST WORD …` is `sallyport cluster WORD FILE …` there. The
 * hosts iis-1 and iis-2 have a device each that is cabled to a bridge; so has the client.
 */
function hosts(own: readonly string[], client: string, prefix: number): string {
  return `${WORDS}
at() { ip netns exec "$@"; }
on() { SALLYPORT_STATE=$FOLDER/$1/state ip netns exec "$@"; }
cluster() { on $1 $S cluster $2 $FOLDER/$1/datacenter.yaml "\${@:3}"; }
start() { SALLYPORT_STATE=$FOLDER/$1/state ip netns exec $1 $S cluster agent $FOLDER/$1/datacenter.yaml $1 --device ens3 >>/run/$1.agent 2>&1 & echo $! >/run/$1.pid; }
mkdir -p /run/netns
for name in switch client iis-1 iis-2; do ip netns add $name; ip -n $name link set lo up; done
ip -n switch link add br0 type bridge mcast_snooping 0; ip -n switch link set br0 up
for name in client iis-1 iis-2; do
  ip link add ens3 netns $name type veth peer name p-$name netns switch
  ip -n switch link set p-$name master br0 up; ip -n $name link set ens3 up
done
ip -n client addr add ${client}/${prefix} dev ens3 ${prefix === 64 ? "nodad" : ""}
ip -n iis-1 addr add ${own[0]!}/${prefix} dev ens3 ${prefix === 64 ? "nodad" : ""}; ip -n iis-2 addr add ${own[1]!}/${prefix} dev ens3 ${prefix === 64 ? "nodad" : ""}
clients() { at client "$NODE" "$CLIENTS" "$@"; }
for name in iis-1 iis-2; do at $name "$NODE" "$CLIENTS" serve $name :: 80 >/run/$name.log 2>&1 & until_true grep 'serves 80' /run/$name.log; done
converged() { cluster $1 status; }
both() { until_true converged iis-1; until_true converged iis-2; }
`;
}

const IPV4 = hosts(["192.168.30.11", "192.168.30.12"], "192.168.30.99", 24);
const IPV6 = hosts(["fd00:30::11", "fd00:30::12"], "fd00:30::99", 64);
const CLIENT = parseIp("192.168.30.99")!;

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-hosts-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function give(host: string, text: string, key = "0123456789abcdef0123"): void {
  mkdirSync(join(folder, host), { recursive: true });
  writeFileSync(join(folder, host, "datacenter.yaml"), text);
  writeFileSync(join(folder, host, "web.key"), `${key}\n`);
}

function shares(first: number, active: readonly number[], client: Ip = CLIENT): Map<number, string> {
  return expected(first, COUNT, active, WEIGHTS, client);
}

for (const [words, script, family, address, client] of [
  ["", IPV4, 4, "192.168.30.50", CLIENT],
  [" by IPv6", IPV6, 6, "fd00:30::50", parseIp("fd00:30::99")!],
] as const) {
  test(`two hosts converge over the wire${words}, spread connections, and one that dies is replaced`, {
    skip,
  }, (t) => {
    for (const host of ["iis-1", "iis-2"]) give(host, fileOf("unicast", "", family));
    const output = inside(
      folder,
      `${script}
before=$(at iis-1 cat /sys/class/net/ens3/address)
start iis-1; start iis-2; both
cluster iis-2 status
clients ask ${address} 80 ${FIRST_PORT} ${COUNT} 20000
at switch bridge fdb show | grep -c 02:bf: || true
cluster iis-1 agent iis-1 --device ens3 2>&1 || true
killed=$(date +%s%3N)
kill -9 $(cat /run/iis-2.pid); ip -n switch link set p-iis-2 down
until_true sh -c "SALLYPORT_STATE=$FOLDER/iis-1/state ip netns exec iis-1 $S cluster status $FOLDER/iis-1/datacenter.yaml | grep 'iis-1 .* 60 of 60'"
echo "moved after $(($(date +%s%3N) - killed)) ms"
clients ask ${address} 80 30000 ${COUNT} 20000
ip -n switch link set p-iis-2 up; start iis-2; both
clients ask ${address} 80 40000 ${COUNT} 20000
kill $(cat /run/iis-1.pid) $(cat /run/iis-2.pid); wait $(cat /run/iis-1.pid) $(cat /run/iis-2.pid) || true
sed -i '/^clusters:/,$d' $FOLDER/iis-1/datacenter.yaml; cluster iis-1 leave iis-1; cluster iis-1 leave iis-1
test "$(at iis-1 cat /sys/class/net/ens3/address)" = $before; at iis-1 nft list tables | wc -l; at iis-1 ip -o addr show dev ens3 to ${address} | wc -l`,
    );
    t.diagnostic(/moved after \d+ ms/.exec(output)?.[0] ?? output);
    const right = [
      ...shares(FIRST_PORT, [1, 2], client),
      ...shares(30_000, [1], client),
      ...shares(40_000, [1, 2], client),
    ];
    assert.deepEqual(answersIn(output), new Map(right), output);
    assert.match(output, /iis-1 +converged +20 of 60 .*\n +iis-2 +converged +40 of 60/);
    assert.match(output, /\n0\nerror: the agent of iis-1 runs here\n {2}It is process \d+\.\n/);
    assert.match(output, /iis-1 has left\niis-1 was no member here\n0\n0\n$/);
  });
}

test("a member on another host is drained and started from afar, with the cluster's key only", {
  skip,
}, () => {
  for (const host of ["iis-1", "iis-2"]) give(host, fileOf("multicast", "\n    key: web.key"));
  const output = inside(
    folder,
    `${IPV4}
start iis-1; start iis-2; both
cluster iis-1 drain web iis-2
cluster iis-2 status | tail -2
clients ask 192.168.30.50 80 ${FIRST_PORT} ${COUNT} 20000
kill $(cat /run/iis-2.pid); wait $(cat /run/iis-2.pid) || true; start iis-2
until_true sh -c "SALLYPORT_STATE=$FOLDER/iis-2/state ip netns exec iis-2 $S cluster status $FOLDER/iis-2/datacenter.yaml | grep 'iis-2 .*drained'"
cluster iis-1 start web iis-2; both
clients ask 192.168.30.50 80 30000 ${COUNT} 20000
cluster iis-2 stop web iis-1
clients ask 192.168.30.50 80 40000 ${COUNT} 20000
grep -h order /run/*.agent
for host in iis-1 iis-2; do sed -i '/key:/d' $FOLDER/$host/datacenter.yaml; kill -HUP $(cat /run/$host.pid); done
until_true converged iis-2
cluster iis-2 start web iis-1 2>&1 || true`,
  );
  const right = [...shares(FIRST_PORT, [1]), ...shares(30_000, [1, 2]), ...shares(40_000, [2])];
  assert.deepEqual(answersIn(output), new Map(right), output);
  assert.match(output, /^iis-2: drained$/m);
  assert.match(output, /iis-2: started, and has its share/);
  assert.match(output, /iis-1: stopped/);
  assert.match(output, /iis-1 sends an order\n.* order: drain\n/);
  assert.match(output, /iis-2 sends an order\n.* order: stop\n/);
  assert.match(output, /iis-1: it is on another host, and takes orders only with a `key` at cluster web/);
});

test("hosts with different keys, or one member on two hosts: nothing is taken twice, and it is said", {
  skip,
}, () => {
  give("iis-1", fileOf("multicast", "\n    key: web.key"));
  give("iis-2", fileOf("multicast", "\n    key: web.key"), "another key of enough bytes");
  const output = inside(
    folder,
    `${IPV4}
start iis-1; until_true grep 'member 1' /run/iis-1.agent; start iis-2
says() { cluster $1 status 2>&1 | grep "$2"; }
until_true says iis-1 'hears another iis-2'; until_true says iis-2 'hears another iis-1'
cluster iis-1 status || true
cp $FOLDER/iis-1/web.key $FOLDER/iis-2/web.key; kill -HUP $(cat /run/iis-2.pid); both
clients ask 192.168.30.50 80 ${FIRST_PORT} ${COUNT} 20000
cluster iis-2 agent iis-1 --device ens3 2>&1 || true
cluster iis-2 agent iis-1 2>&1 || true; cluster iis-2 agent iis-9 2>&1 || true
mkdir $FOLDER/client; cp $FOLDER/iis-1/* $FOLDER/client 2>/dev/null || true
sed -i s/30.11/30.99/ $FOLDER/client/datacenter.yaml
cluster client agent iis-1 --device ens3 >/run/client.agent 2>&1 &
until_true says iis-1 'hears another iis-1'; until_true says client 'hears another iis-1'
cluster client status | grep 'iis-1'`,
  );
  assert.deepEqual(answersIn(output), shares(FIRST_PORT, [1, 2]), output);
  assert.match(output, /ens3 does not have 192\.168\.30\.11, the address of iis-1: is this iis-1\?/);
  assert.match(output, /there is no device eth0 here, but ens3: --device says which one is in farm/);
  assert.match(output, /there is no machine iis-9/);
  assert.match(output, /iis-1 +(listening|converging) +0 of 60/, "the second takes nothing");
});
