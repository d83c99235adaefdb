// DHCP: one dnsmasq for each network, in the namespace of the edge that serves it, and a client in the
// namespace of each machine that asks. A new reservation is a changed file and a signal, so that nobody's
// lease is lost.
import { familyOfIp, type Ip, ipOfValue, subnetHas, valueOfIp } from "../../base/ip.ts";
import type { ProcessState } from "../../model/network-state.ts";
import type {
  ResolvedDhcp,
  ResolvedEdge,
  ResolvedInterface,
  ResolvedMachine,
  ResolvedNetwork,
} from "../../model/resolved-datacenter.ts";
import type { Drafts } from "./desired-state.ts";
import { edgeDevice } from "./edge-state.ts";
import { contentHash, safeName } from "./kernel-names.ts";
import { deviceOf } from "./machine-state.ts";
import type { NamespaceDraft } from "./namespace-draft.ts";
import type { Wiring } from "./wiring.ts";

export function dhcpServers(
  edge: ResolvedEdge,
  { resolved, drafts }: Wiring,
  namespace: string,
): ProcessState[] {
  return resolved.networks.flatMap((network) => {
    const { dhcp } = network;
    if (dhcp === null || dhcp.server !== edge.name) return [];
    if (dhcp.ranges.some(({ first }) => familyOfIp(first) === 6))
      drafts.notes.push(`DHCP of ${network.name} lends no IPv6 addresses: what is started speaks IPv4's`);
    const own = edge.interfaces.find((one) => one.network === network.name)?.addresses ?? [];
    return [server(network, dhcp, own, namespace, resolved.machines)];
  });
}

function server(
  network: ResolvedNetwork,
  dhcp: ResolvedDhcp,
  own: ResolvedInterface["addresses"],
  namespace: string,
  machines: readonly ResolvedMachine[],
): ProcessState {
  const reservations = dhcp.reservations
    .filter(({ ip }) => familyOfIp(ip) === 4)
    .map(({ mac, ip, machine }) => `${mac},${ip},${hostName(machine)}\n`)
    .join("");
  const names = machines
    .flatMap(({ name, interfaces }) =>
      interfaces
        .filter((one) => one.network === network.name && !one.wantsDhcp)
        .flatMap(({ addresses }) => addresses.map(({ ip }) => `${ip} ${hostName(name)}\n`)),
    )
    .join("");
  const files = [
    { name: "dnsmasq.conf", text: configuration(network, dhcp, own) },
    { name: "reservations", text: reservations },
    { name: "names", text: names },
  ];
  return {
    name: safeName(`dhcp-${network.name}`),
    words: `DHCP and DNS of ${network.name}`,
    namespace,
    // In the foreground it would leave all groups, which a user without a range of numbers may not, even as
    // root of a user namespace; only `--no-daemon` does not.
    command: ["dnsmasq", "--no-daemon", "--conf-file={directory}/dnsmasq.conf"],
    workingDirectory: null,
    isIsolated: false,
    files,
    // Ranges and options are read at start only.
    reload: { signal: "HUP", hash: contentHash(`${reservations}\n${names}`) },
  };
}

function configuration(
  network: ResolvedNetwork,
  dhcp: ResolvedDhcp,
  own: ResolvedInterface["addresses"],
): string {
  const seconds = Math.max(120, Math.round(dhcp.leaseMs / 1000));
  const gateway = network.gateways.find((ip) => familyOfIp(ip) === 4);
  const dns = dhcp.dns.filter((ip) => familyOfIp(ip) === 4);
  const [subnet] = network.subnets.filter(({ family }) => family === 4);
  const lines = [
    `interface=${edgeDevice(network.name)}`,
    "except-interface=lo",
    "bind-interfaces",
    "no-hosts",
    "no-resolv",
    "dhcp-authoritative",
    "no-ping",
    "log-facility=-",
    "pid-file=",
    "dhcp-leasefile={directory}/leases",
    "dhcp-hostsfile={directory}/reservations",
    "addn-hosts={directory}/names",
    ...dhcp.ranges
      .filter(({ first }) => familyOfIp(first) === 4 && subnet !== undefined && subnetHas(subnet, first))
      .map(({ first, last }) => `dhcp-range=${first},${last},${netmask(subnet!.prefix)},${seconds}`),
    // Without a gateway none is given: dnsmasq would give its own address.
    gateway === undefined ? "dhcp-option=option:router" : `dhcp-option=option:router,${gateway}`,
    ...(dns.length === 0 ? [] : [`dhcp-option=option:dns-server,${dns.join(",")}`]),
    ...(dhcp.domain === null ? [] : [`domain=${dhcp.domain}`, "expand-hosts", `local=/${dhcp.domain}/`]),
    ...own.filter(({ ip }) => familyOfIp(ip) === 4).map(({ ip }) => `# answers at ${ip}`),
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * udhcpc calls this for every change of a lease; Debian's own script would rewrite the host's resolv.conf.
 */
const LEASE_SCRIPT = `#!/bin/sh
case $1 in
  bound | renew)
    ip address replace "$ip/$mask" dev "$interface"
    for gateway in $router; do
      ip route replace default via "$gateway" dev "$interface"
      break
    done
    ;;
  deconfig)
    ip link set dev "$interface" up
    ip -4 address flush dev "$interface"
    ;;
esac
`;

export function addDhcpClient(
  machine: ResolvedMachine,
  one: ResolvedInterface,
  draft: NamespaceDraft,
  { processes }: Drafts,
): void {
  if (draft.name === null) return;
  const device = deviceOf(one);
  const suffix = one.name === "eth0" ? "" : `-${one.name}`;
  processes.push({
    name: safeName(`dhcp-client-${machine.name}${suffix}`),
    words: `the DHCP client of ${machine.name}`,
    namespace: draft.name,
    command: [
      ...[
        "udhcpc",
        "-f",
        "-i",
        device,
        "-s",
        "{directory}/lease",
        "-x",
        `hostname:${hostName(machine.name)}`,
      ],
      // Tries once a second, for as long as nobody answers.
      ...["-t", "5", "-T", "1", "-A", "1"],
    ],
    workingDirectory: null,
    isIsolated: false,
    files: [{ name: "lease", text: LEASE_SCRIPT }],
    reload: null,
  });
}

/** A DNS label (RFC 1035, 2.3.1) of a machine's own name, without its copy's. */
function hostName(machine: string): string {
  const own = machine.slice(machine.lastIndexOf("/") + 1);
  return own.replaceAll(/[^A-Za-z0-9-]/g, "-").slice(0, 63);
}

function netmask(prefix: number): Ip {
  const all = valueOfIp("255.255.255.255" as Ip);
  return ipOfValue(all - (all >> BigInt(prefix)), 4)!;
}
