// Names of cards, bonds, LAGs and ports that nothing has.
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { Host, Located } from "../../../model/datacenter.ts";
import type { CheckRule, Fault } from "../rule.ts";

export const unknownLink: CheckRule = {
  code: "unknown-link",
  severity: "error",
  title: "a bond, VLAN, bridge, uplink or cable names a link that is not there",
  *run({ datacenter, hosts, resolved }) {
    for (const host of datacenter.hosts) {
      const links = linksOf(host);
      const cards = host.interfaces.map(({ name }) => name);
      for (const { name, links: members } of host.bonds)
        for (const link of members)
          yield* unknown(link, cards, `a network card of ${host.name}`, `bond ${name}`);
      for (const { name, link } of host.vlans)
        yield* unknown(link, links, `a link of ${host.name}`, `VLAN ${name}`);
      for (const { name, ports } of host.bridges)
        for (const port of ports) yield* unknown(port, links, `a link of ${host.name}`, `bridge ${name}`);
    }
    for (const { name, uplinks } of datacenter.switches) {
      for (const { host: hostName, link } of uplinks) {
        const host = hosts.get(hostName.value);
        if (host === undefined) yield* unknown(hostName, [...hosts.keys()], "a host", `switch ${name}`);
        else yield* unknown(link, linksOf(host), `a link of ${host.name}`, `switch ${name}`);
      }
    }
    for (const { name, ports, lags } of datacenter.fabric) {
      for (const port of ports) {
        if (port.lag !== null)
          yield* unknown(
            port.lag,
            lags.map((one) => one.name),
            `a LAG of ${name}`,
            `port ${port.name}`,
          );
        if (port.to === null) continue;
        const [owner = "", far = ""] = port.to.value.split("/", 2);
        const host = hosts.get(owner);
        const other = datacenter.fabric.find((one) => one.name === owner);
        const known =
          host === undefined ? other?.ports.map((one) => one.name) : host.interfaces.map((one) => one.name);
        const names = [...hosts.keys(), ...datacenter.fabric.map((one) => one.name)];
        if (known === undefined)
          yield* unknown(
            { value: owner, span: port.to.span },
            names,
            "a host or switch",
            `port ${port.name} of ${name}`,
          );
        else
          yield* unknown(
            { value: far, span: port.to.span },
            known,
            `${host === undefined ? "a port" : "a network card"} of ${owner}`,
            `port ${port.name} of ${name}`,
          );
      }
    }
    for (const {
      name,
      host: place,
      source: { kind },
    } of resolved.machines) {
      const host = hosts.get(place ?? "");
      if (kind.kind === "attach" && host !== undefined)
        yield* unknown(kind.interface, linksOf(host), `a link of ${host.name}`, `machine ${name}`);
    }
  },
};

function* unknown(
  { value, span }: Located<string>,
  known: readonly string[],
  kind: string,
  user: string,
): Iterable<Fault> {
  if (known.includes(value)) return;
  const list = known.length > 0 && known.length <= 8 ? `There are ${known.join(", ")}.` : null;
  yield {
    span,
    message: `\`${value}\`, which ${user} names, is not ${kind}`,
    help: suggestWord(value, known) ?? list,
  };
}

function linksOf(host: Host): string[] {
  return [...host.interfaces, ...host.bonds, ...host.vlans, ...host.bridges].map(({ name }) => name);
}
