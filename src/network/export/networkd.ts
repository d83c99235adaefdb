// A host's links as the files of systemd-networkd: one .netdev for each bond, VLAN and bridge, one .network
// for each link (systemd.netdev(5), systemd.network(5)).
import { formatSubnet } from "../../base/ip.ts";
import type {
  Bond,
  Datacenter,
  Host,
  HostBridge,
  HostInterface,
  VlanInterface,
} from "../../model/datacenter.ts";
import type { ExportedFiles } from "./exported-files.ts";
import { outOf } from "./netplan.ts";

type Setting = readonly [name: string, value: string | number | null | undefined];
type Link = HostInterface | Bond | VlanInterface | HostBridge;

export function exportNetworkd(datacenter: Datacenter, host: Host): ExportedFiles {
  const files = new Map<string, string>();
  const head = `# ${host.name} of ${datacenter.name.value}, written by sallyport export. Change the datacentre's file instead.\n`;
  const add = (name: string, ...sections: readonly string[]) => {
    files.set(name, `${head}${sections.filter((text) => text !== "").join("\n")}`);
  };
  for (const one of host.bonds)
    add(
      `20-${one.name}.netdev`,
      section("NetDev", [["Name", one.name], ["Kind", "bond"], mtuOf(one)]),
      bondSection(one),
    );
  for (const one of host.vlans) {
    const netdev = section("NetDev", [["Name", one.name], ["Kind", "vlan"], mtuOf(one)]);
    const protocol = one.protocol?.value === "802.1ad" ? "802.1ad" : null;
    add(
      `20-${one.name}.netdev`,
      netdev,
      section("VLAN", [
        ["Id", one.id.value],
        ["Protocol", protocol],
      ]),
    );
  }
  for (const one of host.bridges)
    add(`20-${one.name}.netdev`, section("NetDev", [["Name", one.name], ["Kind", "bridge"], mtuOf(one)]));
  for (const one of [...host.interfaces, ...host.bonds, ...host.vlans, ...host.bridges])
    add(`30-${one.name}.network`, ...networkSections(one, host));
  return { files, left: [] };
}

function networkSections(one: Link, host: Host): string[] {
  const mac = "mac" in one ? (one.mac?.value ?? null) : null;
  const bond = host.bonds.find(({ links }) => links.some(({ value }) => value === one.name));
  const bridge = host.bridges.find(({ ports }) => ports.some(({ value }) => value === one.name));
  const vlans = host.vlans.filter(({ link }) => link.value === one.name);
  const isForwarding = host.forwarding?.value === true && one.addresses.length > 0;
  const settings: Setting[] = [
    ["Bond", bond?.name],
    ["PrimarySlave", bond?.primary?.value === one.name ? "yes" : null],
    ["Bridge", bridge?.name],
    ...vlans.map(({ name }): Setting => ["VLAN", name]),
    ...one.addresses.map(({ value: { ip, prefix } }): Setting => ["Address", `${ip}/${prefix}`]),
    ["IPForward", isForwarding ? "yes" : null],
    // A link that only carries others has no address, and none is to be looked for.
    ["LinkLocalAddressing", one.addresses.length === 0 ? "no" : null],
  ];
  const routes = host.routes.filter(({ via }) => outOf(host, via.value)?.name === one.name);
  return [
    // Bonds, VLANs and bridges take the MAC of a card over, but never have it for good.
    section("Match", [mac === null ? ["Name", one.name] : ["PermanentMACAddress", mac]]),
    section("Link", [["MTUBytes", one.mtu?.value]]),
    section("Network", settings),
    ...routes.map(({ to, via }) =>
      section("Route", [
        ["Destination", to.value.prefix === 0 ? null : formatSubnet(to.value)],
        ["Gateway", via.value],
      ]),
    ),
  ];
}

function bondSection(bond: Bond): string {
  return section("Bond", [
    ["Mode", bond.mode?.value ?? "balance-rr"],
    ["TransmitHashPolicy", bond.hash?.value],
    ["LACPTransmitRate", bond.lacpRate?.value],
    ["MIIMonitorSec", milliseconds(bond.miiMonitorMs?.value)],
    ["UpDelaySec", milliseconds(bond.upDelayMs?.value)],
    ["DownDelaySec", milliseconds(bond.downDelayMs?.value)],
    ["MinLinks", bond.minLinks?.value],
    ["ARPIntervalSec", milliseconds(bond.arpIntervalMs?.value)],
    ["ARPIPTargets", bond.arpTargets.length > 0 ? bond.arpTargets.map(({ value }) => value).join(" ") : null],
    ["AdSelect", bond.adSelect?.value],
  ]);
}

function mtuOf({ mtu }: Link): Setting {
  return ["MTUBytes", mtu?.value];
}

function milliseconds(value: number | undefined): string | null {
  return value === undefined ? null : `${value}ms`;
}

/** "" when none of the settings has a value. */
function section(title: string, settings: readonly Setting[]): string {
  const lines = settings.filter(([, value]) => value != null).map(([name, value]) => `${name}=${value}\n`);
  return lines.length === 0 ? "" : `[${title}]\n${lines.join("")}`;
}
