// What is plugged into the cards of hosts, as far as `fabric` says.
import type {
  Bond,
  Datacenter,
  FabricLag,
  FabricLink,
  FabricPort,
  FabricSwitch,
  Host,
} from "../../model/datacenter.ts";

export interface Cable {
  readonly fabric: FabricSwitch;
  readonly port: FabricPort;
  readonly lag: FabricLag | null;
}

/** By "host/eth0"; the first port where two name the same card. */
export function cablesByLink({ fabric, hosts }: Datacenter): Map<string, Cable> {
  const names = new Set(hosts.map(({ name }) => name));
  const cables = new Map<string, Cable>();
  for (const one of fabric) {
    for (const port of one.ports) {
      const to = port.to?.value;
      if (to === undefined || cables.has(to) || !names.has(to.split("/")[0]!)) continue;
      const lag = one.lags.find(({ name }) => name === port.lag?.value) ?? null;
      cables.set(to, { fabric: one, port, lag });
    }
  }
  return cables;
}

/** What decides which frames the port carries: its LAG, if it is in one. */
export function linkOf({ port, lag }: Cable): FabricLink & { readonly span: FabricPort["span"] } {
  return lag ?? port;
}

/** "tor-1 LAG 1", "tor-1 port 4". */
export function describeEnd({ fabric, port, lag }: Cable): string {
  return lag === null ? `${fabric.name} port ${port.name}` : `${fabric.name} LAG ${lag.name}`;
}

/** The cables of a link of a host: one for a card, one for each member of a bond. */
export function cablesOf(cables: ReadonlyMap<string, Cable>, host: Host, link: string): Cable[] {
  const members = host.bonds.find(({ name }) => name === link)?.links.map(({ value }) => value) ?? [link];
  return members.flatMap((member) => cables.get(`${host.name}/${member}`) ?? []);
}

/** One cable for each different end, so that a LAG speaks once. */
export function endsOf(cables: ReadonlyMap<string, Cable>, host: Host, link: string): Cable[] {
  return [...new Map(cablesOf(cables, host, link).map((cable) => [describeEnd(cable), cable])).values()];
}

export interface HostBond {
  readonly host: Host;
  readonly bond: Bond;
}

export function allBonds({ hosts }: Datacenter): HostBond[] {
  return hosts.flatMap((host) => host.bonds.map((bond) => ({ host, bond })));
}
