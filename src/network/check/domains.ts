// Broadcast domains: which networks, and which interfaces of hosts, hear each other. Careful in one way: two
// switches are joined only by what the file says (a shared uplink, cables to one fabric), never by the guess
// that all cables meet somewhere.
import type { Datacenter, Host } from "../../model/datacenter.ts";
import type { ResolvedNetwork } from "../../model/resolved-datacenter.ts";

export interface Domains {
  ofNetwork(network: ResolvedNetwork): string;
  /** Of an interface, bond, VLAN or bridge of a host. */
  ofHostLink(host: Host, link: string): string;
}

/** VLAN devices on VLAN devices; more is a mistake, or a circle. */
const VLAN_DEPTH_MAX = 4;

export function findDomains(datacenter: Datacenter): Domains {
  const wires = joinWires(datacenter);
  const portGroups = new Map(
    datacenter.switches.flatMap(({ name, portGroups: groups }) =>
      groups.map((group) => [`${name}/${group.name}`, group] as const),
    ),
  );
  return {
    ofNetwork({ portGroup, name }) {
      const group = portGroups.get(`${portGroup?.switch}/${portGroup?.portGroup}`);
      if (portGroup === null || group === undefined) return `network ${name}`;
      const wire = wires.rootOf(`switch ${portGroup.switch}`);
      const vlan = group.vlan?.value;
      switch (vlan?.kind) {
        case "access":
          return `${wire} VLAN ${vlan.id}`;
        case "qinq":
          return `${wire} VLAN ${vlan.outer}.${vlan.inner}`;
        case "trunk":
          return `${wire} trunk ${group.name}`;
        default:
          return `${wire} VLAN 0`;
      }
    },
    ofHostLink(host, link) {
      const { base, tags } = unstackVlans(host, link);
      return `${wires.rootOf(`${host.name}/${base}`)} VLAN ${tags.length === 0 ? "0" : tags.join(".")}`;
    },
  };
}

/** The link below all VLAN devices, and their numbers from the outermost. */
export function unstackVlans(host: Host, link: string): { readonly base: string; readonly tags: number[] } {
  const tags: number[] = [];
  let base = link;
  for (let depth = 0; depth < VLAN_DEPTH_MAX; depth++) {
    const vlan = host.vlans.find(({ name }) => name === base);
    if (vlan === undefined) break;
    tags.unshift(vlan.id.value);
    base = vlan.link.value;
  }
  return { base, tags };
}

/** Cards, bonds, bridges, fabric and switches that are joined without a VLAN between them. */
function joinWires({ hosts, fabric, switches }: Datacenter): Wires {
  const wires = new Wires();
  for (const host of hosts) {
    for (const { name, links } of host.bonds)
      for (const { value } of links) wires.join(`${host.name}/${name}`, `${host.name}/${value}`);
    for (const { name, ports } of host.bridges)
      for (const { value } of ports) wires.join(`${host.name}/${name}`, `${host.name}/${value}`);
  }
  for (const { name, ports } of fabric) {
    for (const { to } of ports) {
      if (to === null) continue;
      const far = to.value.split("/")[0]!;
      wires.join(`fabric ${name}`, fabric.some((one) => one.name === far) ? `fabric ${far}` : to.value);
    }
  }
  for (const { name, uplinks } of switches)
    for (const { host, link } of uplinks) wires.join(`switch ${name}`, `${host.value}/${link.value}`);
  return wires;
}

/** Disjoint sets of names. */
export class Wires {
  readonly #parents = new Map<string, string>();

  rootOf(name: string): string {
    let root = name;
    for (let up = this.#parents.get(root); up !== undefined; up = this.#parents.get(root)) root = up;
    if (root !== name) this.#parents.set(name, root);
    return root;
  }

  /** False when they were joined already: one more cable closes a ring. */
  join(a: string, b: string): boolean {
    const [left, right] = [this.rootOf(a), this.rootOf(b)];
    if (left === right) return false;
    this.#parents.set(right, left);
    return true;
  }
}
