// What the parts of a random datacentre must know of each other, drawn from a seed before the parts are.
export type Chance = (below: number) => number;
export type Json = Record<string, unknown>;

export interface Plan {
  readonly chance: Chance;
  /** For what came later: a source of its own, so that the same seed still makes of the rest what it made. */
  readonly more: Chance;
  /** And for what came after that. */
  readonly newest: Chance;
  readonly hasIpv6: boolean;
  /** Networks at the edge that has the internet. */
  readonly near: readonly string[];
  /** A network behind a second edge; null: there is none. */
  readonly deep: string | null;
  /** Names of machines that are in no vApp, with the number of their network. */
  readonly machines: readonly { readonly name: string; readonly network: string; readonly host: number }[];
  /** Whether those networks are VLANs of one switch. */
  readonly isSwitched: boolean;
  readonly vapp: { readonly parent: string; readonly isFenced: boolean; readonly copies: string[] } | null;
  /** Networks that give addresses to who asks. */
  readonly dhcp: readonly string[];
  readonly cluster: { readonly network: string; readonly members: readonly string[] } | null;
  /** Machines behind the load balancer of the outermost edge; empty: it has none. */
  readonly balanced: readonly { readonly name: string; readonly address: string }[];
}

export const PUBLIC: readonly string[] = ["203.0.113.10", "203.0.113.11", "203.0.113.12"];
export const PUBLIC6: readonly string[] = ["2001:db8:0:1::10", "2001:db8:0:1::11"];
export const BALANCED_PORT = 8080;
export const BALANCER_FILE = "balancer.cfg";
export const CLUSTER_HOST = 30;
const FIRST_MEMBER = 21;

export function randomPlan(chance: Chance, more: Chance, newest: Chance): Plan {
  const near = ["org", "dmz"].slice(0, 1 + chance(2));
  const deep = chance(2) === 0 ? "deep" : null;
  const networks = [...near, ...(deep === null ? [] : [deep])];
  const machines = networks.flatMap((network) =>
    Array.from({ length: 1 + chance(2) }, (_, index) => ({
      name: `${network}-${index + 1}`,
      network,
      host: 11 + index,
    })),
  );
  const vapp =
    chance(3) === 0
      ? null
      : { parent: pick(chance, near), isFenced: chance(4) > 0, copies: ["a", "b"].slice(0, 1 + chance(2)) };
  const [hasIpv6, isSwitched] = [chance(2) === 0, chance(2) === 0];
  const dhcp = networks.filter(() => more(3) === 0);
  const members = ["nlb-1", "nlb-2", "nlb-3"].slice(0, 2 + more(2));
  const cluster = more(3) === 0 ? { network: pick(more, near), members } : null;
  const servers = machines.filter(({ network }) => near.includes(network));
  const balanced =
    more(2) === 0
      ? []
      : servers.map(({ name, network, host }) => ({ name, address: addressIn(network, host, 4) }));
  return { chance, more, newest, hasIpv6, near, deep, machines, isSwitched, vapp, dhcp, cluster, balanced };
}

/** "org" is 10.0.0.0/24 and fd00:0::/64, "dmz" 10.1…, "deep" 10.2… */
export function subnetNumber(network: string): number {
  return ["org", "dmz", "deep"].indexOf(network);
}

export function addressIn(network: string, host: number, family: 4 | 6): string {
  const number = subnetNumber(network);
  return family === 4 ? `10.${number}.0.${host}` : `fd00:${number}::${host}`;
}

export function both({ hasIpv6 }: Plan, network: string, host: number): string[] {
  return ([4, 6] as const).slice(0, hasIpv6 ? 2 : 1).map((family) => addressIn(network, host, family));
}

/** Members of the cluster, with the number of their addresses. */
export function membersOf({ cluster }: Plan): { readonly name: string; readonly host: number }[] {
  return cluster?.members.map((name, index) => ({ name, host: FIRST_MEMBER + index })) ?? [];
}

export function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[chance(from.length)]!;
}

/** Each of the values as likely as that nothing is said. */
export function maybe(chance: Chance, key: string, values: readonly unknown[]): Json {
  const index = chance(values.length + 1);
  return index === values.length ? {} : { [key]: values[index] };
}
