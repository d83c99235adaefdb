// For tests: a datacentre as network namespaces of a real kernel, to be asked what `explain` is asked. A bash
// script makes it, in namespaces of its own that end with it, and prints one line for each question. What
// arrives is seen by nftables sets behind the firewall, so that nobody has to listen.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { familyOfIp, formatSubnet, type Ip } from "../../src/base/ip.ts";
import type { NamespaceState, RouteState } from "../../src/model/network-state.ts";
import type { ResolvedDatacenter } from "../../src/model/resolved-datacenter.ts";
import { desiredState } from "../../src/network/plan/desired-state.ts";

export interface KernelQuestion {
  readonly from: string;
  readonly to: Ip;
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly port: number;
  readonly sourcePort: number;
}

/** A first packet as its receiver has it. Ports are 0 for icmp. */
export interface Arrival {
  readonly at: string;
  readonly source: Ip;
  readonly sourcePort: number;
  readonly destination: Ip;
  readonly destinationPort: number;
}

export interface KernelAnswer {
  readonly arrivals: readonly Arrival[];
  /** The asker got an answer that it takes for one; null where the kernel does not tell (udp). */
  readonly isAnswered: boolean | null;
}

const TIMEOUT_MS = 60_000;
const PROBE = fileURLToPath(new URL("kernel-probe.ts", import.meta.url));

const SEEN = `table inet seen
delete table inet seen
table inet seen {
  set tcp4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags dynamic; size 1024; }
  set udp4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; flags dynamic; size 1024; }
  set icmp4 { type ipv4_addr . ipv4_addr; flags dynamic; size 1024; }
  set tcp6 { type ipv6_addr . inet_service . ipv6_addr . inet_service; flags dynamic; size 1024; }
  set udp6 { type ipv6_addr . inet_service . ipv6_addr . inet_service; flags dynamic; size 1024; }
  set icmp6 { type ipv6_addr . ipv6_addr; flags dynamic; size 1024; }
  chain input {
    type filter hook input priority 10; policy accept;
    iifname lo accept
    meta nfproto ipv4 tcp flags & (syn | ack) == syn add @tcp4 { ip saddr . tcp sport . ip daddr . tcp dport }
    meta nfproto ipv4 meta l4proto udp add @udp4 { ip saddr . udp sport . ip daddr . udp dport }
    icmp type echo-request add @icmp4 { ip saddr . ip daddr }
    meta nfproto ipv6 tcp flags & (syn | ack) == syn add @tcp6 { ip6 saddr . tcp sport . ip6 daddr . tcp dport }
    meta nfproto ipv6 meta l4proto udp add @udp6 { ip6 saddr . udp sport . ip6 daddr . udp dport }
    icmpv6 type echo-request add @icmp6 { ip6 saddr . ip6 daddr }
  }
}`;

/** Makes the network and asks; one answer for each question. */
export async function askKernel(
  resolved: ResolvedDatacenter,
  questions: readonly KernelQuestion[],
): Promise<KernelAnswer[]> {
  const { state, namespaceOf } = desiredState(resolved, {
    host: null,
    isVlanAware: false,
    hasVlanDevices: false,
    loadBalancers: new Map(),
    program: ["true"],
    dataDirectory: "/nonexistent",
    absolutePath: (path) => path,
  });
  const made = new Set<string>();
  const switches = namespaceOf.get("switches");
  const script = [
    "set -e; mount -t tmpfs tmpfs /run",
    `seen() { nsenter --net=/run/netns/"$1" nft -f - <<'END'\n${SEEN}\nEND\n}`,
    ...state.namespaces.map(({ name }) => `ip netns add ${name}; ip -n ${name} link set lo up`),
    ...state.namespaces.flatMap((namespace) => linkLines(namespace, made)),
    ...state.namespaces.flatMap(settingLines),
    // A cable that was just plugged in carries nothing until the kernel has looked at it, and an IPv6
    // address is of no use before it is known that nobody else has it.
    `for i in $(seq 200); do bridge -n ${switches} link | grep -q 'state [^f]' || break; sleep 0.05; done`,
    ...state.namespaces.map(
      ({ name }) =>
        `for i in $(seq 200); do [ -z "$(ip -n ${name} -6 addr show tentative)" ] && break; sleep 0.05; done`,
    ),
    ...questions.flatMap((question, index) => questionLines(question, index, namespaceOf)),
    "echo end",
  ].join("\n");
  const words = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash"];
  const run = spawn("unshare", words, { timeout: TIMEOUT_MS });
  run.stdin.on("error", () => {}).end(script);
  const [output, errors] = await Promise.all([text(run.stdout), text(run.stderr)]);
  assert.ok(output.endsWith("end\n"), `${output}\n${errors}`);
  return readAnswers(output, questions.length, namespaceOf);
}

function linkLines({ name, links }: NamespaceState, made: Set<string>): string[] {
  const bridges = links.filter(({ kind }) => kind.kind === "bridge");
  const cables = links.filter(({ kind }) => kind.kind === "veth");
  return [
    ...bridges.map((one) => `ip -n ${name} link add ${one.name} type bridge`),
    ...cables.flatMap((one) => {
      if (one.kind.kind !== "veth" || one.kind.peer === null || made.has(`${name} ${one.name}`)) return [];
      const { peer } = one.kind;
      made.add(`${peer.namespace} ${peer.name}`);
      return [`ip -n ${name} link add ${one.name} type veth peer name ${peer.name} netns ${peer.namespace}`];
    }),
  ];
}

function settingLines({ name, links, sysctls, addresses, routes, rules, tables }: NamespaceState): string[] {
  const inside = `nsenter --net=/run/netns/${name}`;
  return [
    ...sysctls.map(({ key, value }) => `${inside} sh -c 'echo ${value} > /proc/sys/${key}'`),
    ...links.flatMap(({ name: link, mac, master }) => [
      ...(mac === null ? [] : [`ip -n ${name} link set ${link} address ${mac}`]),
      ...(master === null ? [] : [`ip -n ${name} link set ${link} master ${master}`]),
      `ip -n ${name} link set ${link} up`,
    ]),
    ...addresses.map(({ link, ip, prefix, isBare, isDeprecated }) => {
      const isNew = familyOfIp(ip) === 6 ? " nodad" : "";
      const flags = `${isNew}${isBare ? " noprefixroute" : ""}${isDeprecated ? " preferred_lft 0" : ""}`;
      return `ip -n ${name} addr add ${ip}/${prefix} dev ${link}${flags}`;
    }),
    ...routes.map((route) => routeLine(name!, route)),
    ...rules.map(({ priority, inLink, mark, table }) => {
      const selectors = `${inLink === null ? "" : ` iif ${inLink}`}${mark === null ? "" : ` fwmark ${mark}`}`;
      return `ip -n ${name} rule add priority ${priority}${selectors} table ${table}`;
    }),
    ...tables.map((table) => `${inside} nft -f - <<'END'\n${table.text}\nEND`),
  ];
}

function routeLine(namespace: string, { to, via, link, table, source, isOnlink, type }: RouteState): string {
  const words = [
    `ip -n ${namespace} -${to.family} route replace`,
    type === "unicast" ? "" : type,
    formatSubnet(to),
    via === null ? "" : `via ${via}`,
    type === "unreachable" ? "" : `dev ${link}`,
    `table ${table}`,
    source === null ? "" : `src ${source}`,
    isOnlink ? "onlink" : "",
  ];
  return words.filter((word) => word !== "").join(" ");
}

function questionLines(
  { from, to, protocol, port, sourcePort }: KernelQuestion,
  index: number,
  namespaceOf: ReadonlyMap<string, string>,
): string[] {
  const all = [...namespaceOf.values()];
  const asker = `nsenter --net=/run/netns/${namespaceOf.get(from)}`;
  const probe =
    protocol === "icmp"
      ? `${asker} ping -n -c 1 -W 1 ${to} > /dev/null 2>&1 && echo "answered ${index} true" || echo "answered ${index} false"`
      : `echo "answered ${index} $(${asker} ${process.execPath} ${PROBE} ${protocol} ${to} ${port} ${sourcePort})"`;
  return [
    ...all.map((name) => `seen ${name}`),
    probe,
    ...all.map(
      (name) =>
        `echo "seen ${index} ${name} $(nsenter --net=/run/netns/${name} nft -j list table inet seen | tr -d '\\n')"`,
    ),
  ];
}

function readAnswers(
  output: string,
  count: number,
  namespaceOf: ReadonlyMap<string, string>,
): KernelAnswer[] {
  const nameOf = new Map([...namespaceOf].map(([name, namespace]) => [namespace, name]));
  return Array.from({ length: count }, (_, index) => {
    const lines = output.split("\n");
    const answered = lines.find((line) => line.startsWith(`answered ${index} `))!.split(" ")[2];
    const arrivals = lines
      .filter((line) => line.startsWith(`seen ${index} `))
      .flatMap((line) => {
        const [, , namespace = "", ...json] = line.split(" ");
        return arrivalsIn(json.join(" "), nameOf.get(namespace)!);
      });
    return { arrivals, isAnswered: answered === "unknown" ? null : answered === "true" };
  });
}

function arrivalsIn(json: string, at: string): Arrival[] {
  const { nftables } = JSON.parse(json) as {
    nftables: {
      set?: { elem?: { concat?: (string | number)[]; elem?: { val: { concat: (string | number)[] } } }[] };
    }[];
  };
  return nftables.flatMap(({ set }) =>
    (set?.elem ?? []).map((element): Arrival => {
      const parts = element.concat ?? element.elem!.val.concat;
      const [source, sourcePort, destination, destinationPort] =
        parts.length === 4 ? parts : [parts[0], 0, parts[1], 0];
      return {
        at,
        source: source as Ip,
        sourcePort: Number(sourcePort),
        destination: destination as Ip,
        destinationPort: Number(destinationPort),
      };
    }),
  );
}
