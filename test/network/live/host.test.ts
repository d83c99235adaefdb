// The machine's own network: a card becomes the uplink of a switch and gets an address more, and afterwards
// all is as it was. And both families at once, through an edge.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const skip = process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash", "ping") : "needs root";

const HOST = `
datacenter: host
hosts:
  me:
    interfaces: {cardup: {}, cardin: {addresses: 192.168.77.5/24}}
switches:
  dvs0: {uplinks: {me: cardup}, port-groups: {org: {}}}
networks:
  org: {subnet: 10.0.0.0/24, port-group: dvs0/org}
machines:
  web: {network: org, address: 10.0.0.10, host: me}
`;

const BOTH_FAMILIES = `
datacenter: families
networks:
  internet: {external: true, subnet: [203.0.113.0/24, "2001:db8:1::/64"], gateway: [203.0.113.1, "2001:db8:1::1"]}
  org: {subnet: [10.0.0.0/24, "fd00:1::/64"], gateway: [10.0.0.1, "fd00:1::1"]}
machines:
  web: {network: org, address: [10.0.0.10, "fd00:1::10"]}
edges:
  edge:
    interfaces: {internet: [203.0.113.10, "2001:db8:1::10"], org: [10.0.0.1, "fd00:1::1"]}
    routes: [{to: default, via: 203.0.113.1}, {to: default, via: "2001:db8:1::1"}]
    firewall:
      rules: [{allow: any, from: org}, {allow: icmp, to: ["2001:db8:1::10", 203.0.113.10]}]
    nat: [{masquerade: org, out: internet}]
`;

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-host-"));
  writeFileSync(join(folder, "host.yaml"), HOST);
  writeFileSync(join(folder, "families.yaml"), BOTH_FAMILIES);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("a card carries a switch for as long as it is applied, and keeps what was its own", { skip }, () => {
  const output = inside(
    folder,
    `
ip link add cardup type veth peer name wire; ip link set wire up; ip addr add 10.0.0.99/24 dev wire
ip link add cardin type veth peer name wire2; ip link set cardin up; ip addr add 192.168.99.1/24 dev cardin
ip link add foreign type bridge; nft add table inet foreign
see() { ip -br link | sed 's/@.*//; s/ .*//' | sort | tr '\\n' ' '; ip -4 -br addr show dev cardin | tr -s ' ' | cut -d' ' -f3-; nft list tables; }
see; echo ---
$S apply --host me host.yaml | tail -1
ping -c1 -W2 10.0.0.10 | grep -c "1 received"
ip -4 -br addr show dev cardin | grep -c "192.168.99.1/24 192.168.77.5/24"
$S status --host me host.yaml | tail -1
$S apply --host me host.yaml | tail -1
$S destroy --host me host.yaml >/dev/null; echo ---
see; ls /run/netns /run/sallyport | grep -v : | grep -v '^$' || true`,
  );
  const [begin, middle, end] = output.split("---\n");
  const lines = middle!.trim().split("\n");
  assert.match(lines[0]!, /11 steps done/);
  assert.deepEqual(lines.slice(1, 4), ["1", "1", "everything is as it was made"], output);
  assert.match(lines[4]!, /nothing to change/);
  assert.equal(end, begin);
});

test("a device whose name is taken by somebody else's leaves nothing of ours, and theirs as it was", {
  skip,
}, () => {
  const output = inside(
    folder,
    `
ip link add cardup type veth peer name wire; ip link add cardin type veth peer name wire2
sed 's/    interfaces: {cardup/    bridges: {first: {ports: cardin}, taken: {ports: wire}}\\n&/' host.yaml > taken.yaml
ip link add taken type bridge; ip addr add 10.99.0.1/24 dev taken
see() { ip -br link | sed 's/@.*//' | sort | tr '\\n' ' '; ip -4 -br addr show dev taken; nft list tables; }
see; echo ---
$S apply --host me taken.yaml 2>&1 | tail -2; echo ---
see; echo ---
ip link delete taken; $S apply --host me taken.yaml | tail -1
$S destroy taken.yaml > /dev/null`,
  );
  const [begin, told, end, again] = output.split("---\n");
  assert.match(
    told!,
    /could not add bridge taken in this machine: File exists\ntaken back: everything is as it was/,
  );
  assert.equal(end, begin);
  assert.match(again!, /steps done/);
});

test("two datacentres on one machine leave each other alone", { skip }, () => {
  const output = inside(
    folder,
    `
for name in one two; do
  ip link add card$name type veth peer name wire$name
  sed "s/datacenter: host/datacenter: $name/; s/cardup/card$name/; s/, cardin: .*24}//; s/dvs0/sw$name/; s/web:/web$name:/" host.yaml > $name.yaml
  $S apply --host me $name.yaml | tail -1
done
nft list tables; $S status one.yaml | tail -1
$S status two.yaml --ports | grep -c "dropped by forged-transmits"
$S destroy two.yaml > /dev/null; nft list tables; $S status one.yaml | tail -1
$S destroy one.yaml > /dev/null; nft list tables`,
  );
  assert.equal(
    output.replaceAll(/\d+ steps/g, "n steps"),
    `one.yaml: n steps done
two.yaml: n steps done
table bridge sallyport_ports.one
table bridge sallyport_ports.two
everything is as it was made
1
table bridge sallyport_ports.one
everything is as it was made
`,
  );
});

test("the card of one's own remote shell is taken on trial only, even through sudo; others at once", {
  skip,
}, () => {
  const output = inside(
    folder,
    `
ip link add cardup type veth peer name wire; ip link set wire up; ip addr add 10.0.0.99/24 dev wire
ip link add cardin type veth peer name wire2; ip link set cardin up; ip link set wire2 up
ip link set cardup up; ip addr add 192.168.98.1/24 dev cardup; ip addr add 192.168.99.1/24 dev cardin
before=$(ip -o link)
# What is exported is in the environment of programs that are started afterwards only.
shell() { SSH_CONNECTION="192.168.98.7 50000 192.168.98.1 22" bash -c "env -u SSH_CONNECTION $1; true"; }
shell "$S apply --host me host.yaml" 2>&1
[ "$before" = "$(ip -o link)" ] && echo untouched
shell "$S apply --host me --confirm 60s host.yaml" > /run/trial 2>/dev/null & trial=$!
until $S confirm host.yaml >/dev/null 2>&1; do sleep 0.1; done
wait $trial; tail -1 /run/trial
shell "$S apply --host me host.yaml" | tail -1
$S destroy --host me host.yaml >/dev/null
SSH_CONNECTION="192.168.99.7 50000 ::ffff:192.168.99.1 22" $S apply --host me host.yaml | tail -1`,
  );
  assert.match(
    output,
    /set cardup as a port of .* may cut the way .* \(192\.168\.98\.7 to 192\.168\.98\.1\)/,
  );
  assert.match(output, /apply --confirm 60s/);
  assert.match(output, /\nuntouched\n.*confirmed\n.*nothing to change\n.*steps done\n$/);
});

test("what is not made for IPv6 is said: ways through fences, and leases", { skip }, () => {
  writeFileSync(
    join(folder, "six.yaml"),
    `datacenter: six
networks:
  org:
    subnet: "fd00:1::/64"
    gateway: "fd00:1::1"
    pool: "fd00:1::100-fd00:1::1ff"
    dhcp: {range: "fd00:1::50-fd00:1::5f"}
edges: {edge: {interfaces: {org: "fd00:1::1"}}}
machines: {desk: {network: org, address: "fd00:1::10"}}
vapps:
  shop: {network: {parent: org, fenced: true}, machines: {web: {address: "fd00:1::41"}, db: {address: "fd00:1::42"}}, copies: [a, b]}
`,
  );
  const output = inside(
    folder,
    `
$S apply six.yaml 2>&1 | grep note; $S status six.yaml | tail -1
for i in $(seq 50); do $S shell six.yaml shop.a/web -- ping -c1 -W1 fd00:1::42 >/dev/null && break; done
$S shell six.yaml shop.a/web -- ping -c1 -W2 fd00:1::42 | grep -c "1 received"
$S shell six.yaml shop.a/web -- ping -c1 -W1 fd00:1::10 | grep -c "1 received" || true
$S destroy six.yaml > /dev/null`,
  );
  const dhcp = "note: DHCP of org lends no IPv6 addresses: what is started speaks IPv4's\n";
  const note = (copy: string) =>
    `note: nobody gets through the fence around shop.${copy}: Linux fences translate IPv4, and inside is IPv6\n`;
  assert.equal(output, `${dhcp}${note("a")}${note("b")}everything is as it was made\n1\n0\n`);
});

test("IPv4 and IPv6 pass an edge, each by its own addresses, routes and translation", { skip }, () => {
  const output = inside(
    folder,
    `
$S apply families.yaml | tail -1; $S apply families.yaml | tail -1
for address in 198.51.100.7 2001:db8:ffff::7; do
  for i in $(seq 50); do $S shell families.yaml web -- ping -c1 -W1 $address >/dev/null && break; done
  $S shell families.yaml web -- ping -c1 -W2 $address | grep -c "1 received"
done
for address in 203.0.113.10 2001:db8:1::10; do $S shell families.yaml internet -- ping -c1 -W2 $address | grep -c "1 received"; done
$S destroy families.yaml >/dev/null`,
  );
  assert.match(output, /steps done\n.*nothing to change\n1\n1\n1\n1\n$/);
});
