// What the cables carry: networks in rows by their distance from outside, the edges that join them between
// the rows, and under each network its machines and fences.
import { formatSubnet } from "../../base/ip.ts";
import type {
  ResolvedDatacenter,
  ResolvedEdge,
  ResolvedMachine,
  ResolvedNetwork,
} from "../../model/resolved-datacenter.ts";
import { vlanNumber, vlanOf } from "../topology/vlan-number.ts";
import { firstAndCount, LINE_HEIGHT, PADDING, plain, sizeOf, textWidth } from "./boxes.ts";
import type { DrawnCable, DrawnLine, DrawnNode } from "./drawing.ts";

const BAR_HEIGHT = 26;
const BLOCK_GAP = 40;
const ROW_GAP = 44;
const CELL_GAP = 10;
const COLUMNS_MAX = 6;
/** More machines of one network are only counted. */
const MACHINES_MAX = 60;

/** A network with what is below it, before its place is known: everything relative to its own corner. */
interface Block {
  readonly network: ResolvedNetwork;
  readonly nodes: readonly DrawnNode[];
  readonly width: number;
  readonly height: number;
}

export class LogicalLayout {
  readonly #resolved: ResolvedDatacenter;
  readonly #x: number;
  readonly #y: number;
  readonly #edges: readonly ResolvedEdge[];
  readonly #machinesOf = new Map<string, ResolvedMachine[]>();
  readonly #fencesOf = new Map<string, ResolvedEdge[]>();

  constructor(resolved: ResolvedDatacenter, x: number, y: number) {
    this.#resolved = resolved;
    this.#x = x;
    this.#y = y;
    this.#edges = resolved.edges.filter(({ kind }) => kind === "edge");
    for (const machine of resolved.machines) addTo(this.#machinesOf, machine.interfaces[0]?.network, machine);
    for (const edge of resolved.edges)
      if (edge.kind === "fence")
        addTo(this.#fencesOf, edge.interfaces.find(({ name }) => name === "out")?.network, edge);
  }

  place(): { readonly nodes: readonly DrawnNode[]; readonly cables: readonly DrawnCable[] } {
    const ranks = this.#ranks();
    const rows = [...new Set(ranks.values())].sort((a, b) => a - b);
    const blocksOf = new Map(
      this.#resolved.networks.map((network) => [network.name, this.#block(network)] as const),
    );
    const widthOf = (rank: number): number => {
      const widths = [...ranks].flatMap(([name, one]) => (one === rank ? blocksOf.get(name)!.width : []));
      return widths.reduce((sum, width) => sum + width + BLOCK_GAP, -BLOCK_GAP);
    };
    const widest = Math.max(0, ...rows.map(widthOf));
    const placed = new Map<string, DrawnNode>();
    const nodes: DrawnNode[] = [];
    let top = this.#y;
    for (const rank of rows) {
      const networks = this.#resolved.networks.filter(({ name }) => ranks.get(name) === rank);
      const blocks = this.#ordered(networks, placed).map(({ name }) => blocksOf.get(name)!);
      const edges = this.#edges.filter((edge) => this.#rankOfEdge(edge, ranks) === rank);
      // Edges stand above the row that they lead to.
      const edgeTop = top;
      if (edges.length > 0)
        top += Math.max(...edges.map((edge) => sizeOf(edgeLines(edge, this.#resolved)).height)) + ROW_GAP;
      let left = this.#x + (widest - widthOf(rank)) / 2;
      let tallest = 0;
      for (const { network, nodes: own, width, height } of blocks) {
        for (const node of own) {
          const moved = { ...node, x: node.x + left, y: node.y + top };
          nodes.push(moved);
          if (node.kind === "network" || node.kind === "external") placed.set(network.name, moved);
        }
        left += width + BLOCK_GAP;
        tallest = Math.max(tallest, height);
      }
      nodes.push(...this.#placeEdges(edges, edgeTop, placed));
      top += tallest + ROW_GAP;
    }
    return { nodes, cables: this.#cables(nodes, placed) };
  }

  /** Distance from outside, in edges. Networks that nothing leads to stand in the first row that they can. */
  #ranks(): Map<string, number> {
    const ranks = new Map<string, number>();
    const networks = this.#resolved.networks.filter(({ kind }) => kind === "network");
    const outer = networks.filter(({ isExternal }) => isExternal);
    let present = (outer.length > 0 ? outer : networks.slice(0, 1)).map(({ name }) => name);
    for (const name of present) ranks.set(name, 0);
    for (let rank = 1; present.length > 0; rank++) {
      const next = new Set<string>();
      for (const edge of this.#edges) {
        const names = edge.interfaces.map(({ network }) => network);
        if (names.some((name) => present.includes(name)))
          for (const name of names) if (!ranks.has(name)) next.add(name);
      }
      present = [...next];
      for (const name of present) ranks.set(name, rank);
    }
    for (const { name } of networks) if (!ranks.has(name)) ranks.set(name, outer.length > 0 ? 1 : 0);
    return ranks;
  }

  /** The row of the networks that it leads to: its innermost. */
  #rankOfEdge(edge: ResolvedEdge, ranks: ReadonlyMap<string, number>): number {
    return Math.max(0, ...edge.interfaces.map(({ network }) => ranks.get(network) ?? 0));
  }

  /** Below the networks that they are joined to, so that few lines cross. */
  #ordered(networks: readonly ResolvedNetwork[], placed: ReadonlyMap<string, DrawnNode>): ResolvedNetwork[] {
    const centre = (network: ResolvedNetwork, index: number): number => {
      const above = this.#edges
        .filter(({ interfaces }) => interfaces.some((one) => one.network === network.name))
        .flatMap(({ interfaces }) => interfaces.flatMap((one) => placed.get(one.network) ?? []));
      const sum = above.reduce((total, { x, width }) => total + x + width / 2, 0);
      return above.length === 0 ? index : sum / above.length + index / 1000;
    };
    const keyed = networks.map((network, index) => ({ network, key: centre(network, index) }));
    return keyed.sort((a, b) => a.key - b.key).map(({ network }) => network);
  }

  #block(network: ResolvedNetwork): Block {
    const vlan = this.#vlanOf(network);
    const machines = this.#machinesOf.get(network.name) ?? [];
    const grid = machineGrid(machines, network.name, null);
    const fences = (this.#fencesOf.get(network.name) ?? []).map((fence) => this.#fenceBox(fence));
    const nodes: DrawnNode[] = grid.nodes.map((node) => ({ ...node, y: node.y + BAR_HEIGHT + 14 }));
    let top = BAR_HEIGHT + 14 + (grid.height > 0 ? grid.height + 14 : 0);
    let left = 0;
    let widest = grid.width;
    let tallest = 0;
    for (const { nodes: own, width, height } of fences) {
      if (left > 0 && left + width > Math.max(760, grid.width)) {
        top += tallest + 14;
        left = 0;
        tallest = 0;
      }
      nodes.push(...own.map((node) => ({ ...node, x: node.x + left, y: node.y + top })));
      left += width + 14;
      widest = Math.max(widest, left - 14);
      tallest = Math.max(tallest, height);
    }
    const subnets = network.subnets.map(formatSubnet).join(" ");
    const words = [network.name, subnets, vlan === null ? "" : vlanWords(vlan)]
      .filter((text) => text !== "")
      .join("   ");
    const width = Math.max(widest, textWidth(words) + 2 * PADDING);
    const bar: DrawnNode = {
      id: `network ${network.name}`,
      kind: network.isExternal ? "external" : "network",
      lines: plain(words),
      x: 0,
      y: 0,
      width,
      height: BAR_HEIGHT,
      vlan,
      title: `network ${words}`,
      inside: null,
    };
    return { network, nodes: [bar, ...nodes], width, height: top + tallest };
  }

  #fenceBox(fence: ResolvedEdge): { nodes: DrawnNode[]; width: number; height: number } {
    const machines = this.#machinesOf.get(fence.name) ?? [];
    const id = `edge ${fence.name}`;
    const grid = machineGrid(machines, fence.name, id);
    const lines = plain(fence.name, `fence, outside ${fence.fence?.address ?? ""}`);
    const head = sizeOf(lines);
    const width = Math.max(head.width, grid.width + 2 * PADDING);
    const height = head.height + grid.height + PADDING;
    const title = `fenced copy ${fence.name}: the same subnet on both sides`;
    const box: DrawnNode = {
      id,
      kind: "fence",
      lines,
      x: 0,
      y: 0,
      width,
      height,
      vlan: null,
      title,
      inside: null,
    };
    const moved = grid.nodes.map((node) => ({ ...node, x: node.x + PADDING, y: node.y + head.height }));
    return { nodes: [box, ...moved], width, height };
  }

  #placeEdges(
    edges: readonly ResolvedEdge[],
    top: number,
    placed: ReadonlyMap<string, DrawnNode>,
  ): DrawnNode[] {
    const wanted = edges.map((edge) => {
      const lines = edgeLines(edge, this.#resolved);
      const size = sizeOf(lines);
      const bars = edge.interfaces.flatMap(({ network }) => placed.get(network) ?? []);
      const centre = bars.reduce((sum, { x, width }) => sum + x + width / 2, 0) / Math.max(1, bars.length);
      return { edge, lines, size, left: centre - size.width / 2 };
    });
    let free = this.#x;
    return wanted
      .sort((a, b) => a.left - b.left)
      .map(({ edge, lines, size, left }) => {
        const x = Math.max(free, left);
        free = x + size.width + BLOCK_GAP / 2;
        const title = `edge ${edge.name}`;
        return {
          id: `edge ${edge.name}`,
          kind: "edge",
          lines,
          x,
          y: top,
          ...size,
          vlan: null,
          title,
          inside: null,
        };
      });
  }

  #cables(nodes: readonly DrawnNode[], placed: ReadonlyMap<string, DrawnNode>): DrawnCable[] {
    const byId = new Map(nodes.map((node) => [node.id, node]));
    return this.#edges.flatMap((edge) => {
      const box = byId.get(`edge ${edge.name}`);
      if (box === undefined) return [];
      return edge.interfaces.flatMap(({ network }, index): DrawnCable[] => {
        const bar = placed.get(network);
        if (bar === undefined) return [];
        const isAbove = bar.y < box.y;
        const x = box.x + (box.width * (index + 1)) / (edge.interfaces.length + 1);
        const end = Math.min(Math.max(x, bar.x + 12), bar.x + bar.width - 12);
        const points = isAbove
          ? ([
              [end, bar.y + bar.height],
              [x, box.y],
            ] as const)
          : ([
              [x, box.y + box.height],
              [end, bar.y],
            ] as const);
        return [{ from: `edge ${edge.name}`, to: `network ${network}`, vlan: bar.vlan, points }];
      });
    });
  }

  #vlanOf({ portGroup }: ResolvedNetwork): number | null {
    const group = this.#resolved.source.switches
      .find(({ name }) => name === portGroup?.switch)
      ?.portGroups.find(({ name }) => name === portGroup?.portGroup);
    const vlan = group === undefined ? 0 : vlanOf(group);
    return vlan === 0 ? null : vlan;
  }
}

export function vlanWords(vlan: number): string {
  return `VLAN ${vlanNumber(vlan)}`;
}

function edgeLines(edge: ResolvedEdge, resolved: ResolvedDatacenter): DrawnLine[] {
  const interfaces = edge.interfaces.map(
    ({ network, addresses }) => `${network} ${firstAndCount(addresses.map(({ ip }) => ip))}`,
  );
  return plain(edge.name, ...interfaces, edgeServices(edge, resolved).join(", "));
}

/** What it does for the networks that it joins, in words. */
export function edgeServices(edge: ResolvedEdge, { networks }: ResolvedDatacenter): string[] {
  return [
    edge.loadBalancer === null ? null : "load balancer",
    edge.nat.length === 0 ? null : "NAT",
    networks.some(({ dhcp }) => dhcp?.server === edge.name) ? "DHCP" : null,
    "firewall",
  ].filter((word) => word !== null);
}

function machineGrid(
  machines: readonly ResolvedMachine[],
  network: string,
  inside: string | null,
): { nodes: DrawnNode[]; width: number; height: number } {
  if (machines.length === 0) return { nodes: [], width: 0, height: 0 };
  const shown = machines.slice(0, MACHINES_MAX);
  const cells = shown.map((machine) => ({ machine, lines: machineLines(machine) }));
  const columns = Math.min(shown.length, shown.length > 24 ? 2 * COLUMNS_MAX : COLUMNS_MAX);
  const width = Math.max(...cells.map(({ lines }) => sizeOf(lines).width));
  const height = 2 * LINE_HEIGHT + 2 * PADDING - 4;
  const nodes = cells.map(({ machine, lines }, index): DrawnNode => {
    const [column, row] = [index % columns, Math.floor(index / columns)];
    return {
      id: `machine ${machine.name}`,
      kind: "machine",
      lines,
      x: column * (width + CELL_GAP),
      y: row * (height + CELL_GAP),
      width,
      height,
      vlan: null,
      title: `${machine.name} ${machine.interfaces.map(({ mac, name }) => `${name} ${mac}`).join(", ")}`,
      inside,
    };
  });
  const rows = Math.ceil(shown.length / columns);
  let total = rows * (height + CELL_GAP) - CELL_GAP;
  const hidden = machines.length - shown.length;
  if (hidden > 0) {
    const lines = plain(`and ${hidden} more`);
    const size = sizeOf(lines);
    nodes.push({
      id: `more ${network}`,
      kind: "more",
      lines,
      x: 0,
      y: total + CELL_GAP,
      ...size,
      vlan: null,
      title: `${machines.length} machines in ${network}`,
      inside,
    });
    total += CELL_GAP + size.height;
  }
  return { nodes, width: columns * (width + CELL_GAP) - CELL_GAP, height: total };
}

function machineLines(machine: ResolvedMachine): DrawnLine[] {
  const name = machine.copy === null ? machine.name : machine.name.slice(machine.name.lastIndexOf("/") + 1);
  const addresses = machine.interfaces.flatMap(({ addresses: own }) => own.map(({ ip }) => ip));
  const isDhcp = machine.interfaces.some(({ wantsDhcp }) => wantsDhcp);
  return plain(
    name,
    addresses.length === 0 ? "no address" : `${firstAndCount(addresses)}${isDhcp ? " (DHCP)" : ""}`,
  );
}

function addTo<T>(map: Map<string, T[]>, key: string | undefined, value: T): void {
  if (key === undefined) return;
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
