// A network that spans hosts, and one of them has no cable into it: its machines are alone.
import type { CheckRule } from "../rule.ts";

export const uplinkMissing: CheckRule = {
  code: "uplink-missing",
  severity: "error",
  title: "machines of one network are on hosts that no uplink joins",
  *run({ resolved, networks, switches, hosts }) {
    const homes = new Map<string, Set<string>>();
    for (const { host, interfaces } of [...resolved.machines, ...resolved.edges]) {
      for (const { network } of host === null ? [] : interfaces) {
        const set = homes.get(network) ?? new Set();
        homes.set(network, set.add(host!));
      }
    }
    const told = new Set<string>();
    for (const [name, places] of homes) {
      const { portGroup, kind, span, isExternal } = networks.get(name)!;
      if (places.size < 2 || kind === "fence-inside") continue;
      const spanning = portGroup === null ? undefined : switches.get(portGroup.switch);
      // Outside, each host may have a line of its own.
      if (spanning === undefined && isExternal) continue;
      if (spanning === undefined) {
        const [first, second] = places;
        yield {
          span,
          message: `machines of ${name} are on ${first} and on ${second}, but ${name} is on no switch that joins these hosts`,
          help: "Give it a `port-group` of a switch with `uplinks` on both.",
        };
        continue;
      }
      for (const place of places) {
        const isJoined = spanning.uplinks.some(({ host }) => host.value === place);
        if (isJoined || told.has(`${spanning.name} ${place}`)) continue;
        told.add(`${spanning.name} ${place}`);
        yield {
          span: spanning.span,
          message: `${spanning.name} has no uplink on ${place}, so machines of ${name} there reach none on other hosts`,
          help: `Write \`uplinks: {${place}: …}\` with an interface or bond of ${place}.`,
          related: [{ span: hosts.get(place)!.span, message: `${place} is here` }],
        };
      }
    }
  },
};
