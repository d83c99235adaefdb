// Rates from counters that only grow: what has been added since the look before, by the time between them.
// A counter that is smaller than before counts anew, and has no rate until the next look.
import type { LinkFlow, LinkTraffic } from "../../model/dashboard-datacenter.ts";

/** What passed a link, as far as it is counted. */
export interface LinkTotals {
  readonly link: string;
  readonly countedBy: LinkTraffic["countedBy"];
  readonly sent: Total;
  readonly received: Total;
}

export interface Total {
  readonly bytes: number;
  readonly packets: number | null;
}

interface Look {
  readonly atMs: number;
  readonly totals: ReadonlyMap<string, LinkTotals>;
}

export class TrafficMeter {
  #before: Look | null = null;

  /** `atMs`: when they were counted. */
  receive(all: readonly LinkTotals[], atMs: number): Record<string, LinkTraffic> {
    const before = this.#before;
    this.#before = { atMs, totals: new Map(all.map((one) => [one.link, one])) };
    const seconds = before === null ? 0 : (atMs - before.atMs) / 1000;
    return Object.fromEntries(
      all.map(({ link, countedBy, sent, received }) => {
        const known = before?.totals.get(link);
        const earlier = known?.countedBy === countedBy ? known : undefined;
        const traffic: LinkTraffic = {
          countedBy,
          sent: flowOf(sent, earlier?.sent, seconds),
          received: flowOf(received, earlier?.received, seconds),
        };
        return [link, traffic];
      }),
    );
  }
}

function flowOf(now: Total, before: Total | undefined, seconds: number): LinkFlow {
  const rate = (to: number | null, from: number | null | undefined) =>
    to === null || from == null || seconds <= 0 || to < from ? null : (to - from) / seconds;
  return {
    bytes: now.bytes,
    packets: now.packets,
    bytesPerSecond: rate(now.bytes, before?.bytes),
    packetsPerSecond: rate(now.packets, before?.packets),
  };
}
