// Services as chips in a box: which a box has, where each lies, and what it counts. Their places do not
// depend on what is counted, so that nothing moves while one looks.
import type { NodeState } from "../../../src/model/dashboard-datacenter.ts";
import { formatCount, formatRate } from "../text/format.ts";
import type { DrawnNode } from "./grouping.ts";

export interface Chip {
  readonly service: string;
  /** From the left and the top of all chips. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export const CHIP_HEIGHT = 17;
const LETTER = 5.9;
const PADDING = 14;
const GAP = 4;
/** " 1.2k/s" */
const COUNT_LETTERS = 6;
const WITH_CHIPS: ReadonlySet<string> = new Set(["edge", "fence", "network", "external"]);

export function servicesShown({ node }: DrawnNode): readonly string[] {
  return node !== null && WITH_CHIPS.has(node.kind) ? node.services : [];
}

/** Side by side, in as many rows as the width asks for. */
export function chipsIn(node: DrawnNode, width: number): { readonly chips: Chip[]; readonly height: number } {
  const chips: Chip[] = [];
  let [x, y] = [0, 0];
  for (const [service, own] of chipWidths(node)) {
    if (x > 0 && x + own > width) [x, y] = [0, y + CHIP_HEIGHT + GAP];
    chips.push({ service, x, y, width: own });
    x += own + GAP;
  }
  return { chips, height: chips.length === 0 ? 0 : y + CHIP_HEIGHT };
}

/** Of a box whose chips take about two rows. */
export function widthForChips(node: DrawnNode): number {
  const widths = chipWidths(node).map(([, width]) => width);
  const all = widths.reduce((sum, width) => sum + width + GAP, 0);
  return Math.max(0, ...widths, widths.length > 2 ? all * 0.62 : all);
}

function chipWidths(node: DrawnNode): (readonly [service: string, width: number])[] {
  const counted = node.node?.kind === "edge" || node.node?.kind === "fence" ? COUNT_LETTERS : 0;
  return servicesShown(node).map((service) => [service, (service.length + counted) * LETTER + PADDING]);
}

/** "12", "40/s"; "" where nothing is counted. A rate tells more of now than a number. */
export function chipCount(service: string, state: NodeState | null): string {
  const own = state?.counters.filter((one) => one.service === service) ?? [];
  const shown = own.find(({ unit }) => unit === "per second") ?? own[0];
  if (shown === undefined) return "";
  if (shown.unit === "per second") return formatRate(shown.value);
  return formatCount(own.reduce((sum, { value, unit }) => sum + (unit === shown.unit ? value : 0), 0));
}

/** All of it: "NAT: 12 connections known to NAT". */
export function chipWords(service: string, state: NodeState | null): string {
  const own = state?.counters.filter((one) => one.service === service) ?? [];
  if (own.length === 0) return service;
  return `${service}: ${own.map(({ value, unit, label }) => `${formatCount(value)} ${unit} ${label}`).join(", ")}`;
}
