// Which addresses are a stack's own, and for which it answers when somebody asks for a MAC: also those of a
// cluster, of everybody on the other side of a fence, and of everybody outside.
import { type Ip, subnetHas } from "../../base/ip.ts";
import type { Mac } from "../../base/mac.ts";
import { isPrivate } from "../topology/external-station.ts";
import type { StackInterface, StackSpec } from "../topology/topology.ts";
import type { World } from "./world.ts";

/** What it answers with, in words, and the line that says so. */
export interface NeighbourAnswer {
  readonly mac: Mac;
  readonly text: string;
  readonly span: StackSpec["span"];
}

export class OwnAddresses {
  readonly #spec: StackSpec;
  readonly #world: World;
  readonly #macOn: (one: StackInterface) => Mac;

  constructor(spec: StackSpec, world: World, macOn: (one: StackInterface) => Mac) {
    this.#spec = spec;
    this.#world = world;
    this.#macOn = macOn;
  }

  has(ip: Ip): boolean {
    return this.#spec.interfaces.some(({ addresses }) => addresses.some((address) => address.ip === ip));
  }

  isLocal(ip: Ip): boolean {
    // Whoever is outside may have any address that nobody in the file has.
    if (this.#spec.standsFor !== null && !isPrivate(ip) && !this.isSomebodys(ip)) return true;
    return this.has(ip);
  }

  /** Whether an address of an external network belongs to somebody in the file. */
  isSomebodys(ip: Ip): boolean {
    const { edges, machines, clusters } = this.#world.topology.resolved;
    const { name } = this.#spec;
    const has = (interfaces: readonly StackInterface["addresses"][number][]) =>
      interfaces.some((address) => address.ip === ip);
    return (
      edges.some(({ interfaces }) =>
        interfaces.some(({ network, addresses }) => network === name && has(addresses)),
      ) ||
      machines.some(({ interfaces }) =>
        interfaces.some(({ network, addresses }) => network === name && has(addresses)),
      ) ||
      clusters.some(({ network, address }) => network === name && address === ip)
    );
  }

  /** Whether it answers for an address on an interface, and with which MAC; null: it is silent. */
  answerFor(ip: Ip, one: StackInterface): NeighbourAnswer | null {
    const { cluster, edge, standsFor, name, span } = this.#spec;
    if (cluster !== null && ip === cluster.address && one.network === cluster.network) {
      const text = `${name} answers for the cluster ${cluster.name} with the shared ${cluster.mac}`;
      return { mac: cluster.mac, text, span: cluster.span };
    }
    if (this.isLocal(ip)) {
      const mac = this.#macOn(one);
      return { mac, text: `${name} answers: ${ip} is ${mac}`, span: one.span };
    }
    if (edge?.fence != null && one.name === "in" && !edge.fence.pairs.some(({ inside }) => inside === ip)) {
      const text = `the fence answers for ${ip} with its own ${one.mac} (proxy ARP): whatever is not inside is behind it`;
      return { mac: one.mac, text, span: edge.span };
    }
    if (standsFor === null || this.isSomebodys(ip)) return null;
    if (standsFor.gateways.includes(ip))
      return { mac: one.mac, text: `the router ${ip} of ${name} answers`, span };
    if (standsFor.subnets.some((subnet) => subnetHas(subnet, ip)))
      return { mac: one.mac, text: `somebody in ${name} answers for ${ip}`, span };
    return null;
  }
}
