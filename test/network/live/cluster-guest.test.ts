// A member of a cluster that is a virtual machine: `apply` starts it beside members that are namespaces, on a
// TAP of its own, and in it a Debian kernel boots whose only program is `sallyport cluster agent`. Nothing
// but frames through its card connects it with the others.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { findCommand, requires } from "../../requirements.ts";
import { answersIn, EXAMPLE, expected, FIRST_PORT, pairsIn, WATCH, WORDS } from "./cluster-farm.ts";
import { guestLacks } from "./guest.ts";
import { buildDisk } from "./guest-disk.ts";
import { inside } from "./inside.ts";

const skip =
  process.getuid?.() === 0 ? guestLacks() || requires("ip", "nft", "unshare", "bash") : "needs root";
/** A guest without KVM boots twice, which takes a busy machine minutes. */
const TIMEOUT_MS = 400_000;
const COUNT = 120;

const FILE = EXAMPLE.replace(
  "iis-2: {network: farm, address: 192.168.30.12, listen: 80}",
  "iis-2: {network: farm, address: 192.168.30.12, listen: 80, qemu: {memory: 1G, kvm: false}}",
);

/** What it says goes to its second serial line, since the first is the console of the product. */
const MEMBER = `
exec > /dev/ttyS1 2>&1
ip link set eth0 up; ip address add 192.168.30.12/24 dev eth0
$NODE $CLIENTS serve iis-2 :: 80 &
exec $S cluster agent /datacenter.yaml iis-2 --device eth0`;

let folder = "";

before(() => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), "sallyport-member-"));
  writeFileSync(join(folder, "datacenter.yaml"), FILE);
  const files = new Map([["datacenter.yaml", FILE]]);
  const disk = { parts: { member: MEMBER }, files, hasSallyport: true, hasCard: true };
  const { kernel, initramfs } = buildDisk(folder, disk);
  // The machine has no disk to boot from, so QEMU is told of the kernel besides what `apply` tells it.
  const image = `-kernel ${kernel} -initrd ${initramfs} -append 'console=ttyS1 quiet panic=-1 mitigations=off'`;
  const qemu = `#!/bin/sh\nexec ${findCommand("qemu-system-x86_64")} "$@" -serial file:/run/guest ${image}\n`;
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/qemu-system-x86_64"), qemu, { mode: 0o755 });
});
after(() => {
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

test("a guest takes its share over its card, is replaced when it is killed, and has it back after its boot", {
  skip,
  timeout: TIMEOUT_MS,
}, (t) => {
  const output = inside(
    folder,
    `export PATH=$FOLDER/bin:$PATH; ${WORDS}
now() { date +%s%3N; }
takes() { $S cluster status $F | grep "$1 .* $2 of 60"; }
trap 'cat /run/guest; $S cluster status $F' EXIT
begin=$(now); $S apply $F | tail -1
for name in iis-1 iis-3; do at $name "$NODE" "$CLIENTS" serve $name 192.168.30.50 80 >/run/$name.log 2>&1 & until_true grep 'serves 80' /run/$name.log; done
until_true takes iis-1 20; until_true converged; echo "there after $(($(now) - begin)) ms"
$S cluster status $F
at client nft -f - <<< '${WATCH}'
clients ask 192.168.30.50 80 ${FIRST_PORT} ${COUNT} 20000
at client nft list table inet watch; nsenter --net=/run/netns/sp.farm.switches bridge fdb show | grep -c 02:bf: || true
kill -KILL "$(pgrep -f '^[^ ]*qemu-system.*-name iis-2')"; killed=$(now)
until_true takes iis-1 20; echo "moved after $(($(now) - killed)) ms"
clients ask 192.168.30.50 80 30000 ${COUNT} 20000
until_true takes iis-1 15; until_true converged; echo "back after $(($(now) - killed)) ms"
clients ask 192.168.30.50 80 40000 ${COUNT} 20000
trap - EXIT; $S destroy $F | tail -1; ls /run/netns | wc -l; pgrep -c qemu || true`,
    TIMEOUT_MS,
  );
  for (const [time] of output.matchAll(/^(there|moved|back) after \d+ ms$/gm)) t.diagnostic(time);
  const right = [[FIRST_PORT, [1, 2, 3]] as const, [30_000, [1, 3]] as const, [40_000, [1, 2, 3]] as const];
  const all = right.flatMap(([first, active]) => [...expected(first, COUNT, active)]);
  assert.deepEqual(answersIn(output), new Map(all), output);
  const [answered = ""] = output.split("set resets");
  assert.equal(pairsIn(answered).length, COUNT, "each port has one MAC that answered");
  assert.match(output, /iis-2 +converged +15 of 60/, output);
  assert.match(output, /\n0\nmoved after/, "the switch has not learnt the shared MAC");
  assert.match(output, /steps done\n0\n0\n$/);
});
