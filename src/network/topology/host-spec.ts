// A host of the file as a node: its links, who uses them, and its own addresses on cards, bonds, VLANs and
// bridges.
import { macOfName } from "../../base/mac.ts";
import type { Datacenter, Host } from "../../model/datacenter.ts";
import type { ResolvedAddress } from "../../model/resolved-datacenter.ts";
import { isAlone, lagFault } from "../bond/lag-agreement.ts";
import { fabricLagOf } from "./fabric.ts";
import type { HostSpec, LagFault, StackInterface, StackSpec } from "./topology.ts";

/** `switches`: the link of each virtual switch on this host. */
export function hostSpec(
  host: Host,
  switches: ReadonlyMap<string, string>,
  datacenter: Datacenter,
): HostSpec {
  const bondFaults = new Map<string, LagFault>();
  const bondsAlone = new Set<string>();
  for (const bond of host.bonds) {
    const found = fabricLagOf(host, bond, datacenter);
    const fault = found === null ? null : lagFault(bond, found.lag);
    if (fault !== null) bondFaults.set(bond.name, fault);
    if (found !== null && isAlone(bond, found.lag)) bondsAlone.add(bond.name);
  }
  return {
    kind: "host",
    name: host.name,
    source: host,
    switches: [...switches].map(([name, link]) => ({ name, link })),
    bondFaults,
    bondsAlone,
    stack: stackOf(host),
  };
}

function stackOf(host: Host): StackSpec | null {
  const all = [...host.interfaces, ...host.bonds, ...host.vlans, ...host.bridges];
  const interfaces = all
    .filter(({ addresses }) => addresses.length > 0)
    .map((one): StackInterface => {
      const addresses = one.addresses.map(
        ({ value: { ip, prefix }, span }): ResolvedAddress => ({
          ip,
          prefix,
          origin: { kind: "file", text: "as written", span },
        }),
      );
      const mac =
        ("mac" in one ? one.mac?.value : null) ?? macOfName(`${host.name}/${baseLinkOf(host, one.name)}`);
      const mtu = one.mtu?.value ?? 1500;
      return { name: one.name, mac, addresses, network: null, mtu, wantsDhcp: false, span: one.span };
    });
  if (interfaces.length === 0) return null;
  return {
    kind: "host",
    name: host.name,
    interfaces,
    routes: host.routes.map(({ to, via, span }) => ({ to: to.value, via: via.value, span })),
    isForwarding: host.forwarding?.value === true,
    edge: null,
    machine: null,
    cluster: null,
    standsFor: null,
    span: host.span,
  };
}

/** VLAN devices have the MAC of what they are on. */
function baseLinkOf(host: Host, name: string): string {
  let link = name;
  for (let depth = 0; depth < 8; depth++) {
    const vlan = host.vlans.find((one) => one.name === link);
    if (vlan === undefined) return link;
    link = vlan.link.value;
  }
  return link;
}
