// The file describes the fabric, and an uplink's card is plugged in nowhere.
import type { CheckRule } from "../rule.ts";

export const uplinkNotCabled: CheckRule = {
  code: "uplink-not-cabled",
  severity: "warning",
  title: "a card of an uplink is plugged in nowhere",
  *run({ datacenter, hosts, cables }) {
    if (datacenter.fabric.length === 0) return;
    for (const { uplinks, name } of datacenter.switches) {
      for (const { host: hostName, link } of uplinks) {
        const host = hosts.get(hostName.value);
        if (host === undefined) continue;
        const bond = host.bonds.find((one) => one.name === link.value);
        const cards =
          bond === undefined
            ? host.interfaces.filter((one) => one.name === link.value).map((one) => one.name)
            : bond.links.map(({ value }) => value);
        for (const card of cards) {
          if (cables.has(`${host.name}/${card}`)) continue;
          yield {
            span: link.span,
            message: `${name} leaves ${host.name} over ${card}, which no port of \`fabric\` is plugged into`,
            help: `Say it at a port of a switch: \`{to: ${host.name}/${card}}\`.`,
          };
        }
      }
    }
  },
};
