// What is read by netlink is what `ip` and `nft` say, and nothing that somebody changes is overlooked.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const skip = process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash") : "needs root";
const EXAMPLE = fileURLToPath(new URL("../../../examples/network/fenced-copies.yaml", import.meta.url));
const CLUSTER = fileURLToPath(new URL("../../../examples/network/nlb-cluster.yaml", import.meta.url));
const READ = `${fileURLToPath(new URL("../../../bin/node-26", import.meta.url))} ${fileURLToPath(new URL("read-both-ways.ts", import.meta.url))}`;

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-reading-"));
  copyFileSync(EXAMPLE, join(folder, "datacenter.yaml"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("netlink says what ip and nft say, of both families and of devices that somebody else has added", {
  skip,
}, () => {
  const output = inside(
    folder,
    `
$S apply $F | tail -1; ${READ} fences
at="ip -n sp.fences.org-edge"
$at link add odd type bridge; $at link set odd up address 02:00:00:00:00:99 mtu 1400 alias "a b"; $at address add fd00::5/64 dev odd
$at -6 route add fd01::/48 via fd00::1 dev odd; $at route add 198.18.0.0/15 dev odd; $at route add unreachable 198.51.0.0/16
$at rule add pref 77 iif odd fwmark 0x10 lookup 300; $at link add mac type macvlan mode private || true
${READ} fences
for name in $(ls /run/netns); do ip netns exec $name sh -c '
  for key in ipv4/conf/in/proxy_arp ipv4/conf/in/send_redirects ipv4/conf/out/rp_filter ipv4/conf/out/promote_secondaries ipv6/conf/in/disable_ipv6; do
    file=/proc/sys/net/$key; [ ! -f $file ] || echo $((1 - $(cat $file))) > $file
  done'; done
$S status $F | grep -c "  set net.ipv[46].conf.\\(in\\|out\\)"; ${READ} fences`,
  );
  // Five of each of the two fences.
  assert.match(
    output,
    /steps done\n(?:\d+ namespaces, 0 differences\n){2}10\n\d+ namespaces, 0 differences\n$/,
  );
});

test("a rule that somebody adds, and a namespace that somebody makes anew, are found", { skip }, () => {
  const output = inside(
    folder,
    `
$S apply $F | tail -1; $S status $F | tail -1
ip netns exec sp.fences.org-edge nft add rule inet sallyport_filter sp_forward counter accept; $S status $F | grep load
$S apply $F | tail -1; $S status $F | tail -1
ip netns exec sp.fences.org-edge sysctl -qw net.ipv4.ip_forward=0; $S status $F | grep set; $S apply $F | tail -1
ip netns delete sp.fences.file-server; ip netns add sp.fences.file-server; $S status $F | grep -c file-server; $S apply $F | tail -1; $S status $F | tail -1`,
  );
  const lines = output.trim().split("\n");
  assert.deepEqual(
    [lines[1], lines[4], lines.at(-1)],
    Array.from({ length: 3 }, () => "everything is as it was made"),
    output,
  );
  assert.match(output, /load nftables table inet sallyport_filter in sp\.fences\.org-edge/);
  assert.match(output, /set net\.ipv4\.ip_forward to 1 in sp\.fences\.org-edge/);
});

test("a plan that finds nothing to do starts no program, and a chain that went with its device is missed", {
  skip,
}, () => {
  // The members' agents start some, too.
  copyFileSync(CLUSTER, join(folder, "cluster.yaml"));
  const output = inside(
    folder,
    `
$S apply cluster.yaml | tail -1; $S plan cluster.yaml
mkdir -p bin
for name in ip nft bridge nsenter; do
  path=$(command -v $name); cp $path bin/$name.real
  printf '#!/bin/sh\n[ -z "$BY_PLAN" ] || echo %s >> %s/started; exec %s/bin/%s.real "$@"\n' $name $PWD $PWD $name > bin/$name
  chmod +x bin/$name; mount --bind bin/$name $path
done
BY_PLAN=1 $S plan cluster.yaml; [ ! -e started ] && echo "nothing was started"
at=$(ls /run/netns | grep -m1 iis-1); BY_PLAN=1 ip -n $at link delete eth0; rm started
$S plan cluster.yaml | grep netdev; $S apply cluster.yaml | tail -1; $S plan cluster.yaml`,
  );
  assert.match(
    output,
    /: nothing to change\n.*: nothing to change\nnothing was started\n *load nftables table netdev \S+ in \S+\n.* steps done\n.*: nothing to change\n$/,
    output,
  );
});
