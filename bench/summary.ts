// From samples to what is said about them: medians, spread, and ratios to HAProxy taken round by round, so
// that a machine that slows down in the middle does not favour anybody.
import type { BenchCase } from "./cases.ts";

export interface ContenderResult {
  readonly contender: string;
  /** Median of µs of CPU per unit. */
  readonly cpuUs: number;
  /** HAProxy's cost divided by this one's, median of the rounds; above 1 is cheaper. */
  readonly ratio: number;
  readonly ratioMinimum: number;
  readonly ratioMaximum: number;
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly per: string;
  readonly contenders: readonly ContenderResult[];
  /** Of Sallyport with its dashboard open over Sallyport without; null: not measured. */
  readonly dashboard: Surplus | null;
}

export function summarise(
  { name, title, per }: BenchCase,
  samples: Readonly<Record<string, readonly number[]>>,
): CaseResult {
  const reference = samples["haproxy"] ?? [];
  const contenders = Object.entries(samples).map(([contender, costs]) => {
    const ratios = costs.map((cost, round) => (reference[round] ?? Number.NaN) / cost);
    return {
      contender,
      cpuUs: median(costs),
      ratio: median(ratios),
      ratioMinimum: Math.min(...ratios),
      ratioMaximum: Math.max(...ratios),
    };
  });
  const dashboard = surplusOf(samples, "with dashboard", "sallyport");
  return { name, title, per, contenders, dashboard };
}

/** What one costs more than another, as a share of that one: median, least and most of the rounds. */
export interface Surplus {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** Round by round, as the ratios are. Null: one of them was not measured. */
export function surplusOf(
  samples: Readonly<Record<string, readonly number[]>>,
  contender: string,
  over: string,
): Surplus | null {
  const [costs, reference] = [samples[contender], samples[over]];
  if (costs === undefined || reference === undefined) return null;
  const shares = costs.map((cost, round) => cost / (reference[round] ?? Number.NaN) - 1);
  return { median: median(shares), minimum: Math.min(...shares), maximum: Math.max(...shares) };
}

export function renderSurplus(title: string, { median: middle, minimum, maximum }: Surplus): string {
  const percent = (share: number) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)} %`;
  return `${title}: ${percent(middle)} (${percent(minimum)} to ${percent(maximum)})`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function renderTable(results: readonly CaseResult[]): string {
  const rows = [["work", "", ...(results[0]?.contenders ?? []).map(({ contender }) => contender)]];
  for (const { title, per, contenders } of results) {
    const cells = contenders.map(({ cpuUs, ratio, ratioMinimum, ratioMaximum }) => {
      const spread = `${ratioMinimum.toFixed(2)}–${ratioMaximum.toFixed(2)}`;
      return `${cpuUs.toFixed(1)} (${ratio.toFixed(2)}x ${spread})`;
    });
    rows.push([title, `µs CPU/${per}`, ...cells]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
