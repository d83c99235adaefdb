// What stands at a line: its VLANs by number, and what passes it, for a line that stands for several all of
// them together. Who has counted it is said, since a load balancer knows only of its own.
import type { LinkFlow, LinkTraffic, TopologyState } from "../../../src/model/dashboard-datacenter.ts";
import { vlanNumber } from "../../../src/network/topology/vlan-number.ts";
import { formatBytesRate, formatCount } from "../text/format.ts";
import type { DrawnLink } from "./grouping.ts";

export type Measure = "bytes" | "packets";

export interface DrawnTraffic {
  readonly countedBy: LinkTraffic["countedBy"] | "both";
  /** Per second; null: not known, or not yet. Sent by the lower end. */
  readonly sent: number | null;
  readonly received: number | null;
}

const VLANS_SHOWN_MAX = 4;
/** Of lines, by both directions together, per second. */
const BUSY: Readonly<Record<Measure, readonly [some: number, much: number]>> = {
  bytes: [10 * 1024, 1024 * 1024],
  packets: [100, 10_000],
};

/** "20", "100.20" with two tags, "5, 10, 20", "12 VLANs"; "" for none. */
export function vlanLabel({ vlan, carries }: Pick<DrawnLink, "vlan" | "carries">): string {
  if (vlan !== null) return vlanNumber(vlan);
  if (carries.length > VLANS_SHOWN_MAX) return `${carries.length} VLANs`;
  return carries.join(" ");
}

/** Null: nobody counts there. */
export function trafficOf(
  { members }: DrawnLink,
  state: TopologyState | null,
  measure: Measure,
): DrawnTraffic | null {
  const all = members.flatMap(({ id }) => state?.links[id] ?? []);
  if (all.length === 0) return null;
  const sum = (of: (traffic: LinkTraffic) => LinkFlow) => {
    const rates = all.flatMap((one) => rateOf(of(one), measure) ?? []);
    return rates.length === 0 ? null : rates.reduce((total, rate) => total + rate, 0);
  };
  const counting = new Set(all.map(({ countedBy }) => countedBy));
  return {
    countedBy: counting.size === 1 ? all[0]!.countedBy : "both",
    sent: sum(({ sent }) => sent),
    received: sum(({ received }) => received),
  };
}

/** "1.2 KiB/s", "40 p/s"; "" while it is not known. */
export function rateLabel(traffic: DrawnTraffic | null, measure: Measure): string {
  const both = bothWays(traffic);
  if (both === null) return "";
  return formatRateOf(both, measure);
}

/** 0: idle or unknown, 1, 2, 3: how thick the line is. */
export function busyness(traffic: DrawnTraffic | null, measure: Measure): 0 | 1 | 2 | 3 {
  const both = bothWays(traffic) ?? 0;
  const [some, much] = BUSY[measure];
  return both <= 0 ? 0 : both < some ? 1 : both < much ? 2 : 3;
}

/** What the thickness of lines says. */
export function busyWords(measure: Measure): readonly string[] {
  const [some, much] = BUSY[measure];
  return [`below ${formatRateOf(some, measure)}`, `below ${formatRateOf(much, measure)}`, "more"];
}

export function trafficWords(traffic: DrawnTraffic, measure: Measure): string {
  const { sent, received, countedBy } = traffic;
  const rate = (value: number | null) => (value === null ? "unknown" : formatRateOf(value, measure));
  const who = {
    kernel: "by the kernel at the ports",
    "load-balancer": "by the load balancer, of what it exchanges alone",
    both: "by the kernel, and by the load balancer of what it exchanges",
  }[countedBy];
  return `sent ${rate(sent)}, received ${rate(received)}, counted ${who}`;
}

export function formatRateOf(value: number, measure: Measure): string {
  return measure === "bytes" ? formatBytesRate(value) : `${formatCount(Math.round(value))} p/s`;
}

function bothWays(traffic: DrawnTraffic | null): number | null {
  if (traffic === null || (traffic.sent === null && traffic.received === null)) return null;
  return (traffic.sent ?? 0) + (traffic.received ?? 0);
}

function rateOf({ bytesPerSecond, packetsPerSecond }: LinkFlow, measure: Measure): number | null {
  return measure === "bytes" ? bytesPerSecond : packetsPerSecond;
}
