// The cables: physical switches above, hosts below them, virtual switches on the hosts, each in a row.
import type { Bond, Host, PortGroup, Switch } from "../../model/datacenter.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import { bondModeOf } from "../topology/topology.ts";
import { vlanOf } from "../topology/vlan-number.ts";
import { plain, sizeOf } from "./boxes.ts";
import type { DrawnCable, DrawnKind, DrawnLine, DrawnNode } from "./drawing.ts";

const GAP = 28;
const ROW_GAP = 40;

export interface PlacedRows {
  readonly nodes: readonly DrawnNode[];
  readonly cables: readonly DrawnCable[];
  readonly height: number;
}

export function physicalLayout({ source }: ResolvedDatacenter, x: number, y: number): PlacedRows {
  const rows: { id: string; kind: DrawnKind; lines: DrawnLine[]; title: string }[][] = [
    source.fabric.map(({ name, lags, ports }) => ({
      id: `fabric ${name}`,
      kind: "fabric",
      lines: plain(name, `${ports.length} ports${lags.length > 0 ? `, ${lags.length} LAG` : ""}`),
      title: `physical switch ${name}`,
    })),
    source.hosts.map((host) => ({
      id: `host ${host.name}`,
      kind: "host",
      lines: plain(host.name, ...host.bonds.map(bondWords)),
      title: `host ${host.name}`,
    })),
    source.switches.map((one) => ({
      id: `switch ${one.name}`,
      kind: "switch",
      lines: [...plain(versionWords(one)), ...one.portGroups.map(portGroupLine)],
      title: `virtual switch ${one.name}`,
    })),
  ];
  const nodes: DrawnNode[] = [];
  let top = y;
  for (const row of rows) {
    let left = x;
    let tallest = 0;
    for (const { lines, ...rest } of row) {
      const size = sizeOf(lines);
      nodes.push({ ...rest, lines, ...size, x: left, y: top, vlan: null, inside: null });
      left += size.width + GAP;
      tallest = Math.max(tallest, size.height);
    }
    if (row.length > 0) top += tallest + ROW_GAP;
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const pairs = [
    ...source.hosts.flatMap((host) => fabricPairs(host, source.fabric)),
    ...source.switches.flatMap(uplinkPairs),
  ];
  const cables = pairs.flatMap(([from, to]): DrawnCable[] => {
    const [a, b] = [byId.get(from), byId.get(to)];
    return a === undefined || b === undefined ? [] : [{ from, to, vlan: null, points: downwards(a, b) }];
  });
  return { nodes, cables, height: nodes.length === 0 ? 0 : top - y - ROW_GAP };
}

/** From the middle of a box's lower side to the middle of another's upper side. */
export function downwards(a: DrawnNode, b: DrawnNode): DrawnCable["points"] {
  return [
    [a.x + a.width / 2, a.y + a.height],
    [b.x + b.width / 2, b.y],
  ];
}

function fabricPairs(host: Host, fabric: ResolvedDatacenter["source"]["fabric"]): [string, string][] {
  return fabric
    .filter(({ ports }) => ports.some(({ to }) => to?.value.startsWith(`${host.name}/`)))
    .map(({ name }) => [`fabric ${name}`, `host ${host.name}`]);
}

function uplinkPairs({ name, uplinks }: Switch): [string, string][] {
  return uplinks.map(({ host }) => [`host ${host.value}`, `switch ${name}`]);
}

function bondWords(bond: Bond): string {
  return `${bond.name}: ${bond.links.map(({ value }) => value).join(" + ")}, ${bondModeOf(bond)}`;
}

function versionWords({ name, version }: Switch): string {
  return version === null ? name : `${name} ${version.value}`;
}

function portGroupLine(portGroup: PortGroup): DrawnLine {
  const vlan = vlanOf(portGroup);
  return { text: `${portGroup.name}: ${vlanWords(portGroup)}`, vlan: vlan === 0 ? null : vlan };
}

function vlanWords({ vlan }: PortGroup): string {
  const value = vlan?.value;
  switch (value?.kind) {
    case "access":
      return `VLAN ${value.id}`;
    case "qinq":
      return `VLAN ${value.outer}.${value.inner}`;
    case "trunk":
      return "machines tag themselves";
    default:
      return "no VLAN";
  }
}
