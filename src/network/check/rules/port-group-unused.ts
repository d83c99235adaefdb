// A port group that no network is on: often the network names another one by mistake.
import type { CheckRule } from "../rule.ts";

export const portGroupUnused: CheckRule = {
  code: "port-group-unused",
  severity: "notice",
  title: "no network is on a port group",
  *run({ datacenter }) {
    const used = new Set<string>();
    for (const { portGroup } of datacenter.networks)
      if (portGroup !== null) used.add(`${portGroup.value.switch}/${portGroup.value.portGroup}`);
    const mirrored = new Set(
      datacenter.switches.flatMap(({ mirrors }) => mirrors.map(({ from }) => from.value)),
    );
    for (const { name, portGroups } of datacenter.switches) {
      for (const { name: group, span } of portGroups) {
        if (used.has(`${name}/${group}`) || mirrored.has(group)) continue;
        yield {
          span,
          message: `no network is on port group ${name}/${group}`,
          help: `A network is put there by \`port-group: ${name}/${group}\`.`,
        };
      }
    }
  },
};
