// Addresses of machines that do not say theirs: from the network's pool, from its DHCP range, or, inside a
// fence, from what is free in the subnet. Everything that is written counts before anything is chosen.
import {
  familyOfIp,
  type Ip,
  type IpFamily,
  lastOfSubnet,
  rangeOfSubnet,
  type Subnet,
} from "../../base/ip.ts";
import type { MachineInterface } from "../../model/datacenter.ts";
import type { Origin, ResolvedAddress, ResolvedNetwork } from "../../model/resolved-datacenter.ts";
import type { CopyOfVapp } from "./names.ts";
import { AddressPool } from "./pool.ts";
import { poolOf, prefixIn, type Resolution, takenIn } from "./resolution.ts";

const FAMILIES: readonly IpFamily[] = [4, 6];

export function takeWrittenAddresses(resolution: Resolution): void {
  const { datacenter, names } = resolution;
  for (const { name, gateways, subnets } of datacenter.networks) {
    const taken = takenIn(resolution, name);
    for (const { value } of gateways) taken.add(value);
    for (const ip of subnets.flatMap(({ value }) => reservedIn(value))) taken.add(ip);
  }
  for (const { interfaces } of datacenter.edges) {
    for (const { network, addresses } of interfaces)
      for (const { value } of addresses) takenIn(resolution, network.value).add(value);
  }
  for (const { machine, copy } of names.machines.values()) {
    for (const { network, addresses } of machine.interfaces) {
      const where = network?.value ?? (copy === null ? null : copy.vapp.network.parent.value);
      if (where === null) continue;
      for (const { value } of addresses) if (value !== "dhcp") takenIn(resolution, where).add(value);
    }
  }
  for (const { machines, address } of datacenter.clusters) {
    const { machine, copy } = names.machines.get(machines[0]?.value ?? "") ?? {};
    const where = machine?.interfaces[0]?.network?.value ?? copy?.vapp.network.parent.value;
    if (where !== undefined) takenIn(resolution, where).add(address.value);
  }
  for (const { vapp, source } of names.copies) {
    const taken = takenIn(resolution, vapp.network.parent.value);
    if (source?.address != null) taken.add(source.address.value);
    for (const { address } of source?.outside ?? []) taken.add(address.value);
  }
}

/**
 * Addresses of a subnet that mean something else: network and broadcast, and the routers' (RFC 4291, 2.6.1).
 */
function reservedIn(subnet: Subnet): readonly Ip[] {
  if (subnet.family === 6) return subnet.prefix < 127 ? [subnet.first] : [];
  return subnet.prefix < 31 ? [subnet.first, lastOfSubnet(subnet)] : [];
}

/** An interface of a machine that says no address. */
export interface Asker {
  /** "web-001", "shop.test-a/web". */
  readonly machine: string;
  readonly copy: CopyOfVapp | null;
  readonly interface: MachineInterface;
  readonly network: ResolvedNetwork;
}

/** Empty, with a diagnostic where that is a fault, when there is none for it. */
export function chooseAddresses(asker: Asker, resolution: Resolution): readonly ResolvedAddress[] {
  const { network } = asker;
  const wantsDhcp = asker.interface.addresses.some(({ value }) => value === "dhcp");
  if (wantsDhcp) return addressByDhcp(asker, resolution);
  const ips = network.kind === "fence-inside" ? chosenInside(asker, resolution) : fromPool(asker, resolution);
  const { span } = resolution.names.networks.get(network.parent ?? network.name) ?? network;
  const from =
    network.kind === "fence-inside" ? `free inside ${network.name}` : `from the pool of ${network.name}`;
  const origin: Origin = { kind: "pool", text: from, span };
  return ips.map((ip) => ({ ip, prefix: prefixIn(network, ip), origin }));
}

function addressByDhcp(
  { machine, interface: one, network }: Asker,
  resolution: Resolution,
): ResolvedAddress[] {
  // Nobody answers: it stays without address, and `explain` says so.
  if (network.dhcp === null) return [];
  const { span, ranges } = network.dhcp;
  const pool = new AddressPool(ranges, takenIn(resolution, network.name));
  const ip = pool.take(`${machine}/${one.name}`);
  const origin: Origin = { kind: "dhcp", text: `by DHCP in ${network.name}`, span };
  if (ip !== null) return [{ ip, prefix: prefixIn(network, ip), origin }];
  resolution.findings.error(
    "dhcp-range-exhausted",
    one.span,
    `no address is left in the DHCP range of ${network.name} for \`${machine}\``,
    { help: `It holds ${pool.size}.`, related: [{ span, message: "the range is here" }] },
  );
  return [];
}

/** One of each family that the pool has. */
function fromPool({ machine, interface: one, network }: Asker, resolution: Resolution): Ip[] {
  const pools = FAMILIES.map((family) => poolOf(resolution, network.name, family)).filter(
    ({ size }) => size > 0,
  );
  const ips = pools.flatMap((pool) => pool.take(`${machine}/${one.name}`) ?? []);
  if (pools.length === 0) {
    const message = `\`${machine}\` has no address, and ${network.name} has no pool to choose one from`;
    const help = "Say `address: …`, `address: dhcp`, or give the network a `pool`.";
    resolution.findings.error("no-address", one.span, message, { help });
  } else if (ips.length === 0) {
    const help = `It holds ${pools.map(({ size }) => size).join(" and ")}.`;
    const message = `no address is left in the pool of ${network.name} for \`${machine}\``;
    resolution.findings.error("pool-exhausted", one.span, message, { help });
  }
  return ips;
}

/** The same in every copy, so the first one that asks decides. */
function chosenInside(
  { machine, copy, interface: one, network }: Asker,
  resolution: Resolution,
): readonly Ip[] {
  const name = `${copy!.vapp.name}/${machine.slice(machine.lastIndexOf("/") + 1)}/${one.name}`;
  const known = resolution.chosenInside.get(name);
  if (known !== undefined) return known;
  const family = FAMILIES.find((each) => network.subnets.some((subnet) => subnet.family === each));
  const ranges = network.subnets.filter((subnet) => subnet.family === family).map(rangeOfSubnet);
  const ip = new AddressPool(ranges, takenIn(resolution, network.parent!)).take(name);
  if (ip === null)
    resolution.findings.error("no-address", one.span, `no address is left inside for \`${machine}\``, {
      help: "Say `address: …`.",
    });
  const ips = ip === null ? [] : [ip];
  resolution.chosenInside.set(name, ips);
  return ips;
}

/** At most one of each family, of the first network that has one which is not the machine itself. */
export function gatewaysOf(
  interfaces: readonly { readonly network: string; readonly addresses: readonly ResolvedAddress[] }[],
  { networks }: Resolution,
): { readonly ip: Ip; readonly span: ResolvedNetwork["span"] }[] {
  const own = new Set(interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)));
  return FAMILIES.flatMap((family) => {
    for (const { network } of interfaces) {
      const { gateways, span } = networks.get(network)!;
      const ip = gateways.find((one) => familyOfIp(one) === family);
      if (ip !== undefined && !own.has(ip)) return { ip, span };
    }
    return [];
  });
}
