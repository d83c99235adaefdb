// One bridge that filters VLANs, and one bridge for each VLAN, are the same switch: one datacentre is made
// both ways in a guest's kernel, the same questions are asked of both, and the frames on every cable are
// those of the explanation, as `agreement.test.ts` has it for the second way alone. Machines share a VLAN,
// are apart, are routed, translated and filtered between them; two port groups are one VLAN; busybox asks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Ip } from "../../../src/base/ip.ts";
import type { IpProtocol } from "../../../src/model/datacenter.ts";
import type { Trace } from "../../../src/model/trace.ts";
import {
  compareTrace,
  type Disagreement,
  type LiveCapture,
} from "../../../src/network/explain/compare-trace.ts";
import { compileNetwork, explain } from "../../../src/network/explain/explain.ts";
import { questionKeyOf, withoutRepeats } from "../../../src/network/explain/live-frames.ts";
import { livePlaces } from "../../../src/network/explain/live-places.ts";
import { readReference } from "../../../src/server/explain/packet-words.ts";
import { decodeCookedCapture } from "../../../src/wire/cooked-capture.ts";
import { Guest, guestLacks } from "./guest.ts";
import { desiredOnHost, resolvedText, stateScript } from "./host-lines.ts";

const skip = guestLacks();
const TIMEOUT_MS = 400_000;

const FILE = `
datacenter: aware
switches:
  dvs0:
    version: "5.5"
    port-groups:
      org: {vlan: 10}
      same: {vlan: 10, filters: [{drop: icmp, to: 10.10.0.12}]}
      dmz: {vlan: 11, filters: [{mark: icmp, dscp: 46}]}
      free: {vlan: 12, security: {promiscuous: accept, forged-transmits: accept}}
networks:
  org: {subnet: [10.10.0.0/24, "fd10::/64"], port-group: dvs0/org, gateway: [10.10.0.1, "fd10::1"]}
  same: {subnet: 10.10.0.0/24, port-group: dvs0/same, gateway: 10.10.0.1}
  dmz: {subnet: [10.11.0.0/24, "fd11::/64"], port-group: dvs0/dmz, gateway: [10.11.0.1, "fd11::1"]}
  free: {subnet: 10.12.0.0/24, port-group: dvs0/free, gateway: 10.12.0.1}
edges:
  border:
    interfaces: {org: [10.10.0.1, "fd10::1"], dmz: [10.11.0.1, "fd11::1"], free: 10.12.0.1}
    firewall: {default: deny, rules: [{allow: any, from: org}, {allow: tcp, from: dmz, to: free, ports: 80}]}
    nat: [{masquerade: org, out: free}]
machines:
  a: {network: org, address: [10.10.0.11, "fd10::11"], listen: 80}
  b: {network: org, address: [10.10.0.12, "fd10::12"], listen: 80}
  c: {network: same, address: 10.10.0.13, listen: 80}
  d: {network: dmz, address: [10.11.0.11, "fd11::11"], listen: 80}
  e: {network: free, address: 10.12.0.11, listen: 80}
`;
const FIRST_KEY = 20_000;
const CLOSED_PORT = 81;

interface Question {
  readonly key: number;
  readonly from: string;
  readonly to: string;
  readonly protocol: IpProtocol;
  readonly port: number | null;
}

const RESOLVED = resolvedText(FILE);
const QUESTIONS: readonly Question[] = RESOLVED.machines
  .flatMap((from) => {
    const own = from.interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip as string));
    const all = [...RESOLVED.machines, ...RESOLVED.edges].flatMap(({ interfaces }) =>
      interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip as string)),
    );
    // Of IPv6 the two that are in both networks that have it.
    const isAsked = (ip: string) =>
      !own.includes(ip) && (!ip.includes(":") || own.some((one) => one.includes(":")));
    return [...new Set([...all, "10.10.0.99"])].filter(isAsked).flatMap((to) => [
      { from: from.name, to, protocol: "icmp" as const, port: null },
      { from: from.name, to, protocol: "tcp" as const, port: 80 },
      { from: from.name, to, protocol: "tcp" as const, port: CLOSED_PORT },
    ]);
  })
  .map((one, index) => ({ ...one, key: FIRST_KEY + index }));

const WAYS = { "one bridge for all VLANs": true, "one bridge for each VLAN": false } as const;

function partOf(isVlanAware: boolean): string {
  return isVlanAware ? "aware" : "single";
}

/** How each question ended, behind "!"; what the switches have seen; and the bridges. */
function scriptOf(isVlanAware: boolean): string {
  const { namespaceOf } = desiredOnHost(RESOLVED, null, isVlanAware);
  const at = (name: string) => `nsenter --net=/run/netns/${namespaceOf.get(name)}`;
  const ask = ({ key, to, protocol, port }: Question) =>
    protocol === "icmp"
      ? `ping -n -c1 -W2 -e ${key} ${to} | grep -q "from ${to}: " && echo "! ${key} answered"`
      : // Busybox's nc chooses no port by itself.
        `echo "${key} ${key}" > /proc/sys/net/ipv4/ip_local_port_range
said=$(nc -w 2 ${to} ${port} < /dev/null 2>&1) && echo "! ${key} connected"
case $said in *refused*) echo "! ${key} refused" ;; esac`;
  const asking = [...Map.groupBy(QUESTIONS, ({ from }) => from)].map(
    ([from, own]) => `${at(from)} sh <<'ASK' &\n${own.map(ask).join("\n")}\nASK\nasking="$asking $!"`,
  );
  return `
sh -e /${partOf(isVlanAware)}.sh
for name in $(ls /run/netns); do
  nsenter --net=/run/netns/$name sh -c '
    echo 0 > /proc/sys/net/ipv4/icmp_ratemask; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit'
done
${RESOLVED.machines.map(({ name }) => `${at(name)} httpd -p [::]:80 -h /run`).join("\n")}
switches="nsenter --net=/run/netns/sp.aware.switches"
$switches tcpdump -Z root -i any -y LINUX_SLL2 -s 256 -n -U -w /run/seen.pcap 2> /run/listening & capture=$!
until grep -q listening /run/listening; do usleep 20000; done
set +e
${asking.join("\n")}
wait $asking; sleep 1; kill $capture; sleep 1
echo "bridges $($switches ip -br link show type bridge | wc -l)"
echo "links $($switches ip -json link show)"
echo "seen $(base64 -w 0 /run/seen.pcap)"
killall httpd
for name in $(ls /run/netns); do ip netns delete $name; done
true`;
}

let guest: Guest;

before(() => {
  if (skip !== false) return;
  const ways = Object.values(WAYS);
  const files = ways.map((isVlanAware) => {
    const { state, notes } = desiredOnHost(RESOLVED, null, isVlanAware);
    assert.deepEqual(notes, []);
    return [`${partOf(isVlanAware)}.sh`, stateScript(state)] as const;
  });
  const parts = Object.fromEntries(ways.map((one) => [partOf(one), scriptOf(one)]));
  guest = new Guest({ parts, files: new Map(files), hasNftables: true });
});
after(() => guest?.end());

for (const [words, isVlanAware] of Object.entries(WAYS))
  test(`${words}: what the kernel does is what is explained`, { skip, timeout: TIMEOUT_MS }, async (t) => {
    const output = await guest.part(partOf(isVlanAware));
    assert.equal(/^bridges (\d+)$/m.exec(output)?.[1], isVlanAware ? "1" : "3", output.slice(0, 2000));
    const ends = new Map(
      [...output.matchAll(/^! (\d+) (\w+)$/gm)].map(([, key, end]) => [Number(key), end!] as const),
    );
    const frames = framesIn(output, isVlanAware);
    t.diagnostic(`${QUESTIONS.length} questions, ${ends.size} answered, ${frames.length} frames`);
    assert.deepEqual(disagreementsOf(ends, frames, isVlanAware), []);
  });

/** With the names that they have in a trace. What comes to the switch is what a node has sent. */
function framesIn(output: string, isVlanAware: boolean): LiveCapture[] {
  const links = JSON.parse(/^links (.*)$/m.exec(output)![1]!) as { ifindex: number; ifname: string }[];
  const names = new Map(links.map(({ ifindex, ifname }) => [ifindex, ifname]));
  const { byLink } = placesOf(isVlanAware);
  const decoded = decodeCookedCapture(Buffer.from(/^seen (.*)$/m.exec(output)![1]!, "base64"));
  assert.ok(decoded.ok);
  return decoded.value.flatMap(({ device, direction, frame }): LiveCapture[] => {
    const place = byLink.get(names.get(device) ?? "");
    return place === undefined ? [] : [{ ...place, direction: direction === "in" ? "out" : "in", frame }];
  });
}

const NETWORK = compileNetwork(RESOLVED);

function placesOf(isVlanAware: boolean): NonNullable<ReturnType<typeof livePlaces>> {
  return livePlaces(desiredOnHost(RESOLVED, null, isVlanAware).state, NETWORK.topology)!;
}

interface Verdict {
  readonly question: string;
  readonly disagreements: readonly (Disagreement | string)[];
}

function disagreementsOf(
  ends: ReadonlyMap<number, string>,
  frames: readonly LiveCapture[],
  isVlanAware: boolean,
): Verdict[] {
  const byKey = Map.groupBy(frames, ({ frame }) => questionKeyOf(frame));
  const listenedAt = [...placesOf(isVlanAware).byLink.values()];
  return QUESTIONS.flatMap(({ key, from, to, protocol, port }): Verdict[] => {
    const words = { from: readReference(from), to: to as Ip, protocol, port, sourcePort: key };
    const trace = explain(NETWORK, words, { back: true });
    assert.ok(!("kind" in trace));
    const hops = [...trace.there.hops, ...(trace.back?.hops ?? [])];
    const [wanted, end] = [explainedEnd(trace), ends.get(key) ?? "silent"];
    const disagreements = [
      ...(wanted === end ? [] : [`explained ${wanted}, and it was ${end}`]),
      ...compareTrace({ hops }, withoutRepeats(byKey.get(key) ?? []), listenedAt),
    ];
    const question = `${from} to ${to} ${protocol} ${port ?? ""}`;
    return disagreements.length === 0 ? [] : [{ question, disagreements }];
  });
}

function explainedEnd({ question, there, back }: Trace): string {
  if (back?.disposition !== "delivered") return "silent";
  if (question.protocol !== "tcp") return "answered";
  return there.disposition === "refused" ? "refused" : "connected";
}
