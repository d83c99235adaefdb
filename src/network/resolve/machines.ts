// Machines of the file and of the copies: where they are, and which addresses and MACs they have.
import { macOfName } from "../../base/mac.ts";
import type { Machine, MachineInterface, Route } from "../../model/datacenter.ts";
import type {
  ResolvedAddress,
  ResolvedInterface,
  ResolvedMachine,
  ResolvedRoute,
} from "../../model/resolved-datacenter.ts";
import { chooseAddresses, gatewaysOf } from "./addresses.ts";
import { type CopyOfVapp, networkNameInCopy } from "./names.ts";
import { fromFile, hostOf, networkOf, prefixIn, type Resolution } from "./resolution.ts";

export function resolveMachines(resolution: Resolution): void {
  const clusters = new Map(
    resolution.datacenter.clusters
      .toReversed()
      .flatMap(({ name, machines }) => machines.map(({ value }) => [value, name] as const)),
  );
  for (const [name, { machine, copy }] of resolution.names.machines)
    resolution.machines.set(
      name,
      resolveMachine(resolution, name, machine, copy, clusters.get(name) ?? null),
    );
}

function resolveMachine(
  resolution: Resolution,
  name: string,
  machine: Machine,
  copy: CopyOfVapp | null,
  cluster: string | null,
): ResolvedMachine {
  const interfaces = machine.interfaces.flatMap((one) => resolveInterface(resolution, name, one, copy) ?? []);
  const attachedTo = machine.kind.kind === "attach" ? machine.kind.host : null;
  return {
    name,
    source: machine,
    host: hostOf(resolution, machine.host ?? attachedTo, machine.span),
    copy: copy === null ? null : { vapp: copy.vapp.name, copy: copy.source?.name ?? copy.vapp.name },
    interfaces,
    gateways: machine.gateway === null ? gatewaysOf(interfaces, resolution) : writtenGateway(machine.gateway),
    routes: machine.routes.map(toRoute),
    isForwarding: machine.forwarding?.value === true,
    cluster,
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
  const identity =
    copy === null ? machine : `${copy.vapp.name}/${machine.slice(machine.lastIndexOf("/") + 1)}`;
  const written = one.addresses.flatMap(({ value, span }): ResolvedAddress[] =>
    value === "dhcp" ? [] : [{ ip: value, prefix: prefixIn(network, value), origin: fromFile(span) }],
  );
  return {
    name: one.name,
    network: network.name,
    addresses:
      written.length > 0 ? written : chooseAddresses({ machine, copy, interface: one, network }, resolution),
    mac: one.mac?.value ?? macOfName(`${identity}/${one.name}`),
    wantsDhcp: one.addresses.some(({ value }) => value === "dhcp"),
    span: one.span,
  };
}

function writtenGateway({ value, span }: NonNullable<Machine["gateway"]>): ResolvedMachine["gateways"] {
  return value === "none" ? [] : [{ ip: value, span }];
}

export function toRoute({ to, via, span }: Route): ResolvedRoute {
  return { to: to.value, via: via.value, span };
}
