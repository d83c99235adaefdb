// A strict reader of Prometheus' text format 0.0.4, to judge an exporter by: throws at whatever a scraper
// could stumble over, such as a sample without its TYPE, a metric in two places, a label value that is not
// escaped, a repeated sample.
export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  /** Sample values by their labels as written, "" without labels. */
  readonly samples: Map<string, number>;
}

const LABELS = /^(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"(?:,(?=[a-zA-Z_])|$))*$/;

export function readPrometheusText(text: string): Map<string, MetricFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, MetricFamily>();
  let name = "";
  let help = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (comment?.[1] === "HELP") {
      if (families.has(comment[2]!)) throw new Error(`${comment[2]} comes twice`);
      [name, help] = [comment[2]!, comment[3]!];
    } else if (comment !== null) {
      if (comment[2] !== name || families.has(name)) throw new Error(`a TYPE without its HELP: ${line}`);
      if (comment[3] !== "gauge" && comment[3] !== "counter") throw new Error(`no such type: ${line}`);
      families.set(name, { type: comment[3], help, samples: new Map() });
    } else readSample(line, families.get(name), name);
  }
  for (const [family, { samples }] of families)
    if (samples.size === 0) throw new Error(`${family} has no samples`);
  return families;
}

function readSample(line: string, family: MetricFamily | undefined, name: string): void {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (NaN|[+-]?\d+(?:\.\d+)?)$/.exec(line);
  if (match === null || match[1] !== name || family === undefined)
    throw new Error(`not a sample of ${name}: ${line}`);
  const labels = match[2] ?? "";
  if (!LABELS.test(labels)) throw new Error(`bad labels: ${line}`);
  if (family.samples.has(labels)) throw new Error(`a sample comes twice: ${line}`);
  family.samples.set(labels, Number(match[3]));
}
