// Clusters that run in a real kernel, made of the example file: agents in the namespaces of their machines
// agree by themselves, nftables does what they agree on, and every connection is answered by one of them.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, type TestContext, test } from "node:test";
import { bucketOf } from "../../../src/network/cluster/buckets.ts";
import { slotOwners } from "../../../src/network/cluster/shares.ts";
import { requires } from "../../requirements.ts";
import {
  answersIn,
  CLIENT,
  COUNT,
  countsOf,
  EXAMPLE,
  expected,
  FIRST_PORT,
  NAMES,
  pairsIn,
  prepare,
  WATCH,
} from "./cluster-farm.ts";
import { inside } from "./inside.ts";

const skip = process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash") : "needs root";
const PREPARE = prepare("192.168.30.50");

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-cluster-"));
  writeFileSync(join(folder, "datacenter.yaml"), EXAMPLE);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

for (const mode of ["unicast", "multicast", "igmp"]) {
  test(`300 connections spread by weight and each is answered by exactly one member (${mode})`, {
    skip,
  }, (t) => {
    writeFileSync(join(folder, "datacenter.yaml"), EXAMPLE.replace("mode: unicast", `mode: ${mode}`));
    const output = inside(
      folder,
      `${PREPARE}
at client nft -f - <<< '${WATCH}'
clients ask 192.168.30.50 80 ${FIRST_PORT} ${COUNT} 20000
at client nft list table inet watch
at iis-1 ip maddress show dev eth0
$S status $F | tail -1; $S cluster status $F; $S apply $F | tail -1; $S destroy $F | tail -1; ls /run/netns | wc -l`,
    );
    const answers = answersIn(output);
    assert.deepEqual(answers, expected(FIRST_PORT, COUNT, [1, 2, 3]), output);
    const counts = countsOf(answers.values());
    const shares: Record<string, number> = { "iis-1": 0.25, "iis-2": 0.25, "iis-3": 0.5 };
    const chiSquare = NAMES.reduce(
      (sum, name) => sum + (counts[name]! - COUNT * shares[name]!) ** 2 / (COUNT * shares[name]!),
      0,
    );
    t.diagnostic(`${JSON.stringify(counts)}, chi-square ${chiSquare.toFixed(2)}`);
    // Two degrees of freedom: 13.8 is passed by chance once in a thousand.
    assert.ok(chiSquare < 13.8, `${chiSquare}`);
    const [answered = "", reset = ""] = output.split("set resets");
    const seen = pairsIn(answered);
    assert.equal(seen.length, COUNT, "each port has one MAC that answered");
    assert.equal(new Set(seen.map((pair) => pair.slice(-5))).size, COUNT);
    assert.deepEqual(
      pairsIn(reset).filter((pair) => !seen.includes(pair)),
      [],
      "nobody else refused it",
    );
    if (mode === "multicast") assert.match(output, /link\s+03:bf:c0:a8:1e:32/);
    if (mode === "igmp") assert.match(output, /inet\s+239\.255\.30\.50/);
    assert.match(
      output,
      /everything is as it was made\nweb: .* converged\n(?:.*\n)*.*nothing to change\n.*steps done\n0\n$/,
    );
  });
}

const RULES = `rules:
      - {ports: 81, protocol: tcp, filtering: single, priorities: {iis-1: 3, iis-2: 1, iis-3: 2}}
      - {ports: 82, filtering: disabled}
      - {ports: 83, protocol: udp, affinity: none, weights: {iis-2: 0}}
      - {ports: 85, protocol: tcp, affinity: single}`;

test("port rules: one member by priority, nobody, UDP by weight, all of one client, and what none names", {
  skip,
}, () => {
  writeFileSync(join(folder, "datacenter.yaml"), EXAMPLE.replace("rules:", RULES));
  const output = inside(
    folder,
    `${PREPARE}
clients ask 192.168.30.50 81 21000 5 20000
clients ask 192.168.30.50 82 22000 5 1500
clients ask-udp 192.168.30.50 83 23000 60 5000
clients ask 192.168.30.50 84 24000 5 20000
clients ask 192.168.30.50 85 25000 5 20000
$S cluster drain $F web iis-2; $S cluster stop $F web iis-1
clients ask 192.168.30.50 81 26000 5 20000
clients ask 192.168.30.50 84 27000 5 20000`,
  );
  const answers = answersIn(output);
  const from = (first: number, count = 5) =>
    Array.from({ length: count }, (_, index) => answers.get(first + index));
  const all = (name: string) => Array.from({ length: 5 }, () => name);
  assert.deepEqual(from(21_000), all("iis-2"), output);
  assert.deepEqual(from(22_000), all("-"));
  const withoutSecond = [50, 0, 50].map((value, index) => ({ member: index + 1, value }));
  assert.deepEqual(from(23_000, 60), [...expected(23_000, 60, [1, 2, 3], withoutSecond).values()]);
  assert.deepEqual(from(24_000), all("iis-1"));
  const equal = [50, 50, 50].map((value, index) => ({ member: index + 1, value }));
  const owner = slotOwners({ name: "", kind: "multiple", members: equal }, new Set([1, 2, 3]))[
    bucketOf("single", CLIENT, 0)
  ]!;
  assert.deepEqual(from(25_000), all(NAMES[owner - 1]!));
  assert.deepEqual(from(26_000), all("iis-3"), "the next by the rule's own priorities");
  assert.deepEqual(from(27_000), all("iis-3"), "the only one that is left");
});

/** A cable that is out for a moment only the kernel tells nobody of: its state is waited for. */
const MOVE = `
at switches ip link set p-iis-2 down
until_true sh -c "nsenter --net=/run/netns/sp.farm.iis-2 ip -o link show dev eth0 | grep 'state [A-Z]*DOWN'"
at switches ip link set p-iis-2 up
until_true at client ping -n -c1 -W1 192.168.30.12
`;

test("with notify-switches a member that moves is announced, and gets everything", { skip }, () => {
  writeFileSync(
    join(folder, "datacenter.yaml"),
    EXAMPLE.replace("notify-switches: false", "notify-switches: true"),
  );
  const output = inside(
    folder,
    `${PREPARE}
announced() { $S program logs $F cluster-$1 | grep -c announced || true; }
more_than() { [ "$(announced $1)" -gt $2 ]; }
for name in iis-1 iis-2 iis-3; do until_true more_than $name 0; done
before=$(announced iis-2)
${MOVE}
until_true more_than iis-2 $before
until_true sh -c "nsenter --net=/run/netns/sp.farm.switches bridge fdb show | grep '02:bf:c0:a8:1e:32 dev p-iis-2'"
until_true converged
clients ask 192.168.30.50 80 ${FIRST_PORT} ${COUNT} 4000`,
  );
  const right = expected(FIRST_PORT, COUNT, [1, 2, 3]);
  const answers = answersIn(output);
  assert.equal(answers.size, COUNT, output);
  for (const [port, name] of answers)
    assert.equal(name, right.get(port) === "iis-2" ? "iis-2" : "-", `${port}`);
});

test("without notify-switches a member moves, no switch learns anything, and all are answered", {
  skip,
}, () => {
  const output = inside(
    folder,
    `${PREPARE} ${MOVE}
until_true converged
clients ask 192.168.30.50 80 ${FIRST_PORT} ${COUNT} 20000
at switches bridge fdb show | grep -c 02:bf: || true`,
  );
  assert.deepEqual(answersIn(output), expected(FIRST_PORT, COUNT, [1, 2, 3]), output);
  assert.match(output, /\n0\n$/);
});

/** Connections that are kept: HOLD words go in by the pipe, what they say comes by the file. */
const HOLD = `
mkfifo /run/pipe; clients hold 192.168.30.50 80 ${FIRST_PORT} 60 6000 /run/pipe >/run/held 2>&1 &
exec 9>/run/pipe
until_true grep held /run/held
again() { echo $1 >&9; until_true grep "^$1" /run/held; }
`;

function heldIn(output: string): { first: string[]; again: Map<string, string[]> } {
  const held = output.slice(output.indexOf("HELD"));
  const again = [...held.matchAll(/^(after-\w+) (.*)$/gm)].map(
    ([, word, names]) => [word!, names!.split(" ")] as const,
  );
  return { first: [...answersIn(held).values()], again: new Map(again) };
}

test("a member that is killed loses its share to the others, whose connections live on", {
  skip,
}, (t: TestContext) => {
  const output = inside(
    folder,
    `${PREPARE} ${HOLD}
# A machine that dies takes its agent, what starts it again, and its cable along.
killed=$(date +%s%3N)
directory=$(dirname $(find /run -path '*/cluster-iis-3/child'))
kill -9 $(grep -o '"pid":[0-9]*' $directory/started.json | cut -d: -f2) $(cat $directory/child /run/iis-3.pid); at switches ip link set p-iis-3 down
moved() { [ "$($S cluster status $F | grep -cE 'iis-[12] .* 30 of 60')" = 2 ]; }
until_true moved
echo "moved after $(($(date +%s%3N) - killed)) ms"
again after-kill
clients ask 192.168.30.50 80 30000 ${COUNT} 20000
echo HELD; cat /run/held`,
  );
  t.diagnostic(/moved after \d+ ms/.exec(output)?.[0] ?? output);
  const beforeHeld = answersIn(output.slice(0, output.indexOf("HELD")));
  assert.deepEqual(beforeHeld, expected(30_000, COUNT, [1, 2]), output);
  const { first, again } = heldIn(output);
  assert.ok(first.includes("iis-3") && first.includes("iis-1"), output);
  const alive = first.map((name) => (name === "iis-3" ? "-" : name));
  assert.deepEqual(again.get("after-kill"), alive);
});

test("a drained member takes nothing new and keeps what it has; started, it has its share again", {
  skip,
}, () => {
  const output = inside(
    folder,
    `${PREPARE} ${HOLD}
$S cluster drain $F web iis-2; again after-drain
clients ask 192.168.30.50 80 30000 ${COUNT} 20000
$S cluster start $F web iis-2; until_true converged; again after-start
clients ask 192.168.30.50 80 40000 ${COUNT} 20000
$S cluster stop $F web iis-1; until_true converged
clients ask 192.168.30.50 80 50000 ${COUNT} 20000
$S cluster drainstop $F web iis-3; $S cluster status $F
exec 9>&-
until_true sh -c "$S cluster status $F | grep 'iis-3 *stopped'"
echo iis-3 has stopped
$S cluster drain $F web iis-9 2>&1 || true; $S cluster drain $F wep iis-2 2>&1 || true
echo HELD; cat /run/held`,
  );
  const news = answersIn(output.slice(0, output.indexOf("HELD")));
  const right = new Map([
    ...expected(30_000, COUNT, [1, 3]),
    ...expected(40_000, COUNT, [1, 2, 3]),
    ...expected(50_000, COUNT, [2, 3]),
  ]);
  assert.deepEqual(news, right, output);
  const { first, again } = heldIn(output);
  assert.ok(first.includes("iis-2"), output);
  assert.deepEqual(again.get("after-drain"), first);
  assert.deepEqual(again.get("after-start"), first);
  assert.match(
    output,
    /iis-2: drained; \d+ connections go on\niis-2|iis-2: drained; \d+ connections go on\n/,
  );
  assert.match(output, /iis-3: drained; \d+ connections go on\n/);
  assert.match(output, /iis-3 has stopped\n/);
  assert.match(output, /iis-9 is no member of web/);
  assert.match(output, /there is no cluster wep/);
});

test("new weights come by a new apply, and nobody who is connected notices", { skip }, () => {
  const output = inside(
    folder,
    `${PREPARE} ${HOLD}
sed -i 's/iis-1: 50, iis-2: 50, iis-3: 100/iis-1: 100, iis-2: 50, iis-3: 50/' $F
$S apply $F | tail -1
until_true sh -c "$S cluster status $F | grep 'iis-1 .* 30 of 60'"; until_true converged
again after-apply
clients ask 192.168.30.50 80 30000 ${COUNT} 20000
$S status $F | tail -1
echo HELD; cat /run/held`,
  );
  const news = answersIn(output.slice(0, output.indexOf("HELD")));
  const members = [100, 50, 50].map((value, index) => ({ member: index + 1, value }));
  assert.deepEqual(news, expected(30_000, COUNT, [1, 2, 3], members), output);
  const { first, again } = heldIn(output);
  assert.deepEqual(again.get("after-apply"), first);
  assert.match(output, /everything is as it was made/);
});
