// A host's links as a file of netplan (https://netplan.readthedocs.io, netplan-yaml), which hands them to
// systemd-networkd or NetworkManager.
import { formatSubnet, type Ip, subnetHas, subnetOf } from "../../base/ip.ts";
import type {
  Bond,
  Datacenter,
  Host,
  HostBridge,
  HostInterface,
  VlanInterface,
} from "../../model/datacenter.ts";
import type { ExportedFiles } from "./exported-files.ts";

/** Lines of YAML with their depth. */
type Line = readonly [depth: number, text: string];

export function exportNetplan(datacenter: Datacenter, host: Host): ExportedFiles {
  const left: string[] = [];
  const lines: Line[] = [
    [0, "network:"],
    [1, "version: 2"],
    [1, "renderer: networkd"],
    ...section("ethernets", host.interfaces, (one) => [...cardLines(one), ...sharedLines(one, host)]),
    ...section("bonds", host.bonds, (one) => [...bondLines(one), ...sharedLines(one, host)]),
    ...section("vlans", vlansToSay(host, left), (one) => [
      [3, `id: ${one.id.value}`],
      [3, `link: ${one.link.value}`],
      ...sharedLines(one, host),
    ]),
    ...section("bridges", host.bridges, (one) => [
      [3, `interfaces: ${list(one.ports.map(({ value }) => value))}`],
      ...sharedLines(one, host),
    ]),
  ];
  if (host.forwarding?.value === true)
    left.push("forwarding is a sysctl: net.ipv4.ip_forward = 1, net.ipv6.conf.all.forwarding = 1");
  const head = `# ${host.name} of ${datacenter.name.value}, written by sallyport export. Change the datacentre's file instead.\n`;
  const text = head + lines.map(([depth, line]) => `${"  ".repeat(depth)}${line}\n`).join("");
  return { files: new Map([[`60-${host.name}.yaml`, text]]), left };
}

function section<T extends { readonly name: string }>(
  title: string,
  things: readonly T[],
  linesOf: (thing: T) => readonly Line[],
): Line[] {
  if (things.length === 0) return [];
  return [
    [1, `${title}:`],
    ...things.flatMap((thing): Line[] => {
      const lines = linesOf(thing);
      return lines.length === 0 ? [[2, `${thing.name}: {}`]] : [[2, `${thing.name}:`], ...lines];
    }),
  ];
}

function cardLines({ mac, name }: HostInterface): Line[] {
  if (mac === null) return [];
  // Beside a match the name is netplan's own, unless it is set.
  return [
    [3, "match:"],
    [4, `macaddress: "${mac.value}"`],
    [3, `set-name: ${name}`],
  ];
}

function bondLines(bond: Bond): Line[] {
  const parameters: [string, string | number | undefined][] = [
    ["mode", bond.mode?.value ?? "balance-rr"],
    ["transmit-hash-policy", bond.hash?.value],
    ["lacp-rate", bond.lacpRate?.value],
    ["mii-monitor-interval", bond.miiMonitorMs?.value],
    ["up-delay", bond.upDelayMs?.value],
    ["down-delay", bond.downDelayMs?.value],
    ["min-links", bond.minLinks?.value],
    ["primary", bond.primary?.value],
    ["arp-interval", bond.arpIntervalMs?.value],
    [
      "arp-ip-targets",
      bond.arpTargets.length > 0 ? list(bond.arpTargets.map(({ value }) => value)) : undefined,
    ],
    ["ad-select", bond.adSelect?.value],
  ];
  return [
    [3, `interfaces: ${list(bond.links.map(({ value }) => value))}`],
    [3, "parameters:"],
    ...parameters
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): Line => [4, `${name}: ${value}`]),
  ];
}

function sharedLines(one: HostInterface | Bond | VlanInterface | HostBridge, host: Host): Line[] {
  const lines: Line[] = [];
  if (one.mtu !== null) lines.push([3, `mtu: ${one.mtu.value}`]);
  const addresses = one.addresses.map(({ value: { ip, prefix } }) => `${ip}/${prefix}`);
  if (addresses.length > 0) lines.push([3, `addresses: ${list(addresses.map((text) => `"${text}"`))}`]);
  const routes = host.routes.filter(({ via }) => outOf(host, via.value)?.name === one.name);
  if (routes.length > 0) {
    lines.push([3, "routes:"]);
    for (const { to, via } of routes) {
      const target = to.value.prefix === 0 ? "default" : formatSubnet(to.value);
      lines.push([4, `- {to: "${target}", via: "${via.value}"}`]);
    }
  }
  return lines;
}

/** Netplan 0.106 has no 802.1ad, so what is on such a VLAN cannot be said either. */
function vlansToSay({ vlans }: Host, left: string[]): VlanInterface[] {
  const missing = new Set<string>();
  return vlans.filter(({ name, protocol, id, link }) => {
    const isProvider = protocol?.value === "802.1ad";
    if (!isProvider && !missing.has(link.value)) return true;
    missing.add(name);
    const why = isProvider ? `is 802.1ad (VLAN ${id.value})` : `is on ${link.value}`;
    left.push(`netplan cannot say ${name}, which ${why}; systemd-networkd can: export networkd`);
    return false;
  });
}

/** The link in whose subnet a router is. */
export function outOf(host: Host, via: Ip): HostInterface | Bond | VlanInterface | HostBridge | null {
  const all = [...host.interfaces, ...host.bonds, ...host.vlans, ...host.bridges];
  return (
    all.find(({ addresses }) =>
      addresses.some(({ value }) => subnetHas(subnetOf(value.ip, value.prefix), via)),
    ) ?? null
  );
}

function list(items: readonly string[]): string {
  return `[${items.join(", ")}]`;
}
