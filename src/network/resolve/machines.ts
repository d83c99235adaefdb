// Machines of the file and of the copies: where they are, and which addresses and MACs they have.
import { type Ip, type IpRange, rangeOfSubnet } from "../../base/ip.ts";
import { type Mac, macOfName } from "../../base/mac.ts";
import type { Machine, MachineInterface, Route } from "../../model/datacenter.ts";
import type {
  ResolvedAddress,
  ResolvedInterface,
  ResolvedMachine,
  ResolvedNetwork,
  ResolvedRoute,
} from "../../model/resolved-datacenter.ts";
import type { CopyOfVapp } from "./names.ts";
import { AddressPool } from "./pool.ts";
import { fromFile, hostOf, networkOf, poolOf, prefixIn, type Resolution, takenIn } from "./resolution.ts";

/** Everything that is written counts before anything is chosen. */
export function takeWrittenAddresses(resolution: Resolution): void {
  const { datacenter, names } = resolution;
  for (const network of datacenter.networks) {
    const taken = takenIn(resolution, network.name);
    for (const { value } of network.gateways) taken.add(value);
  }
  for (const edge of datacenter.edges) {
    for (const { network, addresses } of edge.interfaces)
      for (const { value } of addresses) takenIn(resolution, network.value).add(value);
  }
  for (const cluster of datacenter.clusters) {
    const [member] = cluster.machines;
    const network =
      member === undefined ? null : names.machines.get(member.value)?.machine.interfaces[0]?.network;
    if (network != null) takenIn(resolution, network.value).add(cluster.address.value);
  }
  for (const [, { machine, copy }] of names.machines) {
    for (const one of machine.interfaces) {
      const network = one.network?.value ?? (copy === null ? null : networkNameInCopy(copy));
      if (network === null) continue;
      for (const { value } of one.addresses) if (value !== "dhcp") takenIn(resolution, network).add(value);
    }
  }
  for (const { vapp, source } of names.copies) {
    const taken = takenIn(resolution, vapp.network.parent.value);
    if (source?.address != null) taken.add(source.address.value);
    for (const { address } of source?.outside ?? []) taken.add(address.value);
  }
}

export function isFenced({ vapp }: CopyOfVapp): boolean {
  return vapp.network.fenced?.value === true;
}

/** The network that machines of a copy are in: its own inside a fence, else the parent. */
export function networkNameInCopy(copy: CopyOfVapp): string {
  return isFenced(copy) ? copy.name : copy.vapp.network.parent.value;
}

export function resolveMachines(resolution: Resolution): void {
  for (const [name, { machine, copy }] of resolution.names.machines)
    resolution.machines.set(name, resolveMachine(resolution, name, machine, copy));
}

function resolveMachine(
  resolution: Resolution,
  name: string,
  machine: Machine,
  copy: CopyOfVapp | null,
): ResolvedMachine {
  const interfaces = machine.interfaces.flatMap((one) => resolveInterface(resolution, name, one, copy) ?? []);
  const attachedTo = machine.kind.kind === "attach" ? machine.kind.host : null;
  return {
    name,
    source: machine,
    host: hostOf(resolution, machine.host ?? attachedTo, machine.span),
    copy: copy === null ? null : { vapp: copy.vapp.name, copy: copy.source?.name ?? copy.vapp.name },
    interfaces,
    gateways: gatewaysOf(resolution, machine, interfaces),
    routes: machine.routes.map(toRoute),
    isForwarding: machine.forwarding?.value === true,
    cluster:
      resolution.datacenter.clusters.find(({ machines }) => machines.some(({ value }) => value === name))
        ?.name ?? null,
    span: machine.span,
  };
}

function resolveInterface(
  resolution: Resolution,
  machine: string,
  one: MachineInterface,
  copy: CopyOfVapp | null,
): ResolvedInterface | null {
  const { findings } = resolution;
  const inside = copy === null ? undefined : resolution.networks.get(networkNameInCopy(copy));
  if (one.network === null && inside === undefined) {
    // An unknown parent has been reported.
    if (copy === null)
      findings.error("network-missing", one.span, `\`${machine}\` is in no network`, {
        help: "Say `network: …`.",
      });
    return null;
  }
  const network = one.network === null ? inside! : networkOf(resolution, one.network);
  if (network === null) return null;
  const wantsDhcp = one.addresses.some(({ value }) => value === "dhcp");
  const identity =
    copy === null ? machine : `${copy.vapp.name}/${machine.slice(machine.lastIndexOf("/") + 1)}`;
  const mac = one.mac?.value ?? macOfName(`${identity}/${one.name}`);
  const written = one.addresses.flatMap(({ value, span }): ResolvedAddress[] =>
    value === "dhcp" ? [] : [{ ip: value, prefix: prefixIn(network, value), origin: fromFile(span) }],
  );
  const addresses =
    written.length > 0 ? written : chosenAddress(resolution, machine, one, network, wantsDhcp);
  return { name: one.name, network: network.name, addresses, mac, wantsDhcp, span: one.span };
}

/** From the range of DHCP when it asks by DHCP, else from the pool. */
function chosenAddress(
  resolution: Resolution,
  machine: string,
  one: MachineInterface,
  network: ResolvedNetwork,
  wantsDhcp: boolean,
): ResolvedAddress[] {
  const source = resolution.names.networks.get(network.parent ?? network.name);
  const asker = `${machine}/${one.name}`;
  const span = source?.dhcp?.span ?? source?.span ?? one.span;
  if (wantsDhcp) {
    // Nobody answers: it stays without address, and `explain` says so.
    if (network.dhcp === null) return [];
    const pool = new AddressPool(network.dhcp.ranges, takenIn(resolution, network.name));
    const ip = pool.take(asker);
    if (ip !== null)
      return [
        {
          ip,
          prefix: prefixIn(network, ip),
          origin: { kind: "dhcp", text: `by DHCP in ${network.name}`, span },
        },
      ];
    resolution.findings.error(
      "dhcp-range-exhausted",
      one.span,
      `no address is left in the DHCP range of ${network.name} for \`${machine}\``,
      {
        help: `It holds ${pool.size}.`,
        related: [{ span, message: "the range is here" }],
      },
    );
    return [];
  }
  const pool =
    network.kind === "network" ? poolOf(resolution, network.name) : insidePool(resolution, network);
  const ip = pool.take(asker);
  if (ip !== null)
    return [
      {
        ip,
        prefix: prefixIn(network, ip),
        origin: { kind: "pool", text: `from the pool of ${network.name}`, span },
      },
    ];
  const isThere = pool.size > 0;
  resolution.findings.error(
    isThere ? "pool-exhausted" : "no-address",
    one.span,
    isThere
      ? `no address is left in the pool of ${network.name} for \`${machine}\``
      : `\`${machine}\` has no address, and ${network.name} has no pool to choose one from`,
    {
      help: isThere
        ? `It holds ${pool.size}.`
        : "Say `address: …`, `address: dhcp`, or give the network a `pool`.",
    },
  );
  return [];
}

/** Inside a fence all of the subnet is free that is not written. */
function insidePool(resolution: Resolution, network: ResolvedNetwork): AddressPool {
  const taken = takenIn(resolution, network.name);
  for (const gateway of network.gateways) taken.add(gateway);
  const ranges = network.subnets.filter(({ family }) => family === 4).map(usableRange);
  return new AddressPool(ranges, taken);
}

function usableRange(subnet: ResolvedNetwork["subnets"][number]): IpRange {
  const { first, last } = rangeOfSubnet(subnet);
  return { first, last };
}

function gatewaysOf(
  resolution: Resolution,
  machine: Machine,
  interfaces: readonly ResolvedInterface[],
): { readonly ip: Ip; readonly span: typeof machine.span }[] {
  if (machine.gateway !== null) {
    const { value, span } = machine.gateway;
    return value === "none" ? [] : [{ ip: value, span }];
  }
  for (const { network } of interfaces) {
    const { gateways = [], span } = resolution.networks.get(network) ?? {};
    if (gateways.length > 0) return gateways.map((ip) => ({ ip, span: span! }));
  }
  return [];
}

export function toRoute({ to, via, span }: Route): ResolvedRoute {
  return { to: to.value, via: via.value, span };
}

export function macOrMade(mac: Mac | undefined, identity: string): Mac {
  return mac ?? macOfName(identity);
}
