// What port groups mark, as a real kernel puts it on the wire of an uplink: the class of service in the tag
// (IEEE 802.1Q, PCP), also in the inner one of two, and the DSCP in the headers of IPv4 and IPv6. The switch
// behind the uplink is a namespace that listens.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Guest, guestLacks } from "./guest.ts";
import { hostScript } from "./host-lines.ts";

const skip = guestLacks();
const TIMEOUT_MS = 240_000;

const FILE = `
datacenter: marks
hosts:
  h:
    interfaces: {eth0: {}, eth1: {}}
    bonds:
      bond0: {links: [eth0, eth1], mode: active-backup, mii-monitor: 20ms}
switches:
  dvs0:
    version: "5.5"
    uplinks: {h: bond0}
    port-groups:
      voice: {vlan: 40, filters: [{mark: icmp, dscp: 46, cos: 5}]}
      tenant: {vlan: {outer: 100, inner: 30}, filters: [{mark: icmp, cos: 3}]}
      data: {vlan: 50}
networks:
  voice: {subnet: [10.40.0.0/24, "fd40::/64"], port-group: dvs0/voice}
  tenant: {subnet: 10.30.0.0/24, port-group: dvs0/tenant}
  data: {subnet: 10.50.0.0/24, port-group: dvs0/data}
machines:
  phone: {network: voice, address: [10.40.0.11, "fd40::11"], host: h}
  shop: {network: tenant, address: 10.30.0.11, host: h}
  nas: {network: data, address: 10.50.0.30, host: h}
`;

const SCRIPT = `
at() { local where=$1; shift; nsenter --net=/run/netns/$where "$@"; }
says() { for i in $(seq 400); do "$@" && return; usleep 50000; done; echo "never: $*"; return 1; }
ip netns add tor
for n in 0 1; do ip link add eth$n type veth peer name p$n netns tor; ip -n tor link set p$n up; done
sh -e /apply.sh
# Nobody answers: that frames go out is enough.
tell() { ip -n sp.marks.$1 neighbor replace $2 lladdr 02:00:00:00:00:99 dev eth0; }
tell phone 10.40.0.1; tell phone fd40::1; tell shop 10.30.0.1; tell nas 10.50.0.1
at tor tcpdump -Z root -lnevi p0 > /run/seen 2> /run/listening &
says grep -q listening /run/listening
for i in 1 2 3; do
  for to in "phone 10.40.0.1" "phone fd40::1" "shop 10.30.0.1" "nas 10.50.0.1"; do
    set -- $to; at sp.marks.$1 ping -n -c1 -W1 $2 > /dev/null || true
  done
done
at sp.marks.phone nc -w 1 10.40.0.1 80 < /dev/null > /dev/null 2>&1 || true
says grep -q 10.40.0.1.80 /run/seen; killall tcpdump
# Its details stand on a second line.
sed ':a;N;$!ba;s/\\n[ \\t]/ /g' /run/seen
`;

let guest: Guest;

before(() => {
  if (skip !== false) return;
  const files = new Map([["apply.sh", hostScript(["eth0", "eth1"], FILE, "h")]]);
  guest = new Guest({ parts: { marks: SCRIPT }, files, hasNftables: true });
});
after(() => guest?.end());

test("what is marked has its class in the tag and its DSCP in the header, and nothing else has", {
  skip,
  timeout: TIMEOUT_MS,
}, async () => {
  const output = await guest.part("marks");
  const sent = (address: string) => {
    const lines = output.split("\n").filter((line) => line.includes(` > ${address}`));
    assert.ok(lines.length > 0, `${address}: ${output}`);
    return lines.join("\n");
  };
  assert.match(sent("10.40.0.1: ICMP"), /vlan 40, p 5, .*tos 0xb8/);
  assert.match(sent("fd40::1:"), /vlan 40, p 5, .*class 0xb8/);
  assert.match(sent("10.30.0.1: ICMP"), /vlan 100, p \d.*vlan 30, p 3, .*tos 0x0/);
  assert.match(sent("10.50.0.1: ICMP"), /vlan 50, p 0, .*tos 0x0/);
  assert.match(sent("10.40.0.1.80:"), /vlan 40, p 0, .*tos 0x0/);
});
