// Addresses and ports of edges that are somebody's: of load balancers, consoles, NAT rules and publications.
// Two that want the same place would not both work, so nothing is published where something is.
import type { Ip } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import { choosePort, EDGE_PORTS } from "./ports.ts";
import type { Resolution } from "./resolution.ts";

export type Protocol = "tcp" | "udp";

/** Who has a place, in words, and where the file says so. */
export interface Holder {
  readonly words: string;
  readonly span: Span;
}

export class UsedPlaces {
  /** By "tcp 203.0.113.10:443". */
  readonly #holders = new Map<string, Holder>();

  constructor(resolution: Resolution) {
    this.#addLoadBalancers(resolution);
    this.#addConsoles(resolution);
    this.#addNatRules(resolution);
  }

  /** Null: `holder` has it from now on. Else whose it is. */
  take(protocol: string, ip: Ip, port: number, holder: Holder): Holder | null {
    const key = `${protocol} ${ip}:${port}`;
    const other = this.#holders.get(key);
    if (other !== undefined) return other;
    this.#holders.set(key, holder);
    return null;
  }

  /** The wanted port of an address, or another that is free; null when none is. */
  takeFree(protocol: Protocol, ip: Ip, wanted: number, asker: string, holder: Holder): number | null {
    const isTaken = (port: number) => this.#holders.has(`${protocol} ${ip}:${port}`);
    const port = choosePort(wanted, asker, EDGE_PORTS, isTaken);
    if (port !== null) this.take(protocol, ip, port, holder);
    return port;
  }

  #addLoadBalancers({ edges, loadBalancerBinds }: Resolution): void {
    for (const { edge, ip, port, span } of loadBalancerBinds) {
      const all = edges.get(edge)?.interfaces.flatMap(({ addresses }) => addresses.map((one) => one.ip));
      const words = `the load balancer of ${edge} listens there`;
      for (const address of ip === null ? (all ?? []) : [ip])
        this.take("tcp", address, port, { words, span });
    }
  }

  #addConsoles({ datacenter: { consoles } }: Resolution): void {
    for (const [name, endpoint] of [
      ["portal", consoles?.portal],
      ["proxy", consoles?.proxy],
    ] as const) {
      if (endpoint == null) continue;
      const { ip, port } = endpoint.address.value;
      this.take("tcp", ip, port, { words: `the console ${name} is there`, span: endpoint.span });
    }
  }

  #addNatRules({ datacenter }: Resolution): void {
    for (const { name, nat } of datacenter.edges) {
      const words = `a NAT rule of ${name} translates it`;
      for (const rule of nat) {
        if (rule.kind !== "dnat" || rule.ports === null || rule.protocol === null) continue;
        const { first, last } = rule.ports.value;
        for (let port = first; port <= last; port++)
          this.take(rule.protocol.value, rule.address.value, port, { words, span: rule.span });
      }
    }
  }
}
