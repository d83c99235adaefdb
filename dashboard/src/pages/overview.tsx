// What goes on now, and in the last hour: all together or of one frontend or backend.
import { useEffect } from "preact/hooks";
import type { History, Overview, ProxyFigures } from "../../../src/model/dashboard-api.ts";
import { on } from "../api/events.ts";
import { BINARY_STEPS, Chart, WHOLE_STEPS } from "../parts/chart.tsx";
import { Badge, Empty, Fault, Figure, Heads, PageHead, type Tone } from "../parts/small.tsx";
import { goWith, place } from "../router.ts";
import { useLoaded } from "../state/loaded.ts";
import { overview } from "../state/overview.ts";
import { withFigures } from "../state/rolling-history.ts";
import {
  formatBytesRate,
  formatCount,
  formatDuration,
  formatMs,
  formatRate,
  plural,
} from "../text/format.ts";
import "./overview.css";

const SPANS: readonly (readonly [seconds: number, label: string])[] = [
  [60, "1 min"],
  [300, "5 min"],
  [900, "15 min"],
  [3600, "1 h"],
];
const RELOAD_MS = 10_000;

export default function OverviewPage() {
  const now = overview.value;
  const { query } = place.value;
  const seconds = Number(query.get("seconds") ?? 300);
  const proxy = query.get("proxy") ?? "";
  const figures = now === null ? null : figuresOf(now, proxy);
  return (
    <>
      <PageHead title="Overview">
        <select
          aria-label="Of what"
          value={proxy}
          onChange={(event) => goWith({ proxy: event.currentTarget.value })}
        >
          <option value="">All together</option>
          {now?.proxies.map(({ kind, name }) => (
            <option key={`${kind}/${name}`} value={`${kind}/${name}`}>
              {kind} {name}
            </option>
          ))}
        </select>
        <fieldset class="choices" aria-label="How long">
          {SPANS.map(([span, label]) => (
            <button
              key={span}
              type="button"
              aria-pressed={span === seconds}
              onClick={() => goWith({ seconds: String(span) })}
            >
              {label}
            </button>
          ))}
        </fieldset>
      </PageHead>
      <div class="stack">
        {figures !== null && <NowFigures figures={figures} now={now!} />}
        <Charts seconds={seconds} proxy={proxy} />
        {now !== null && <Proxies now={now} />}
      </div>
    </>
  );
}

function NowFigures({ figures, now }: { readonly figures: ProxyFigures; readonly now: Overview }) {
  const { latency, errorsPerSecond, serverCount, serversUp, sessionLimit } = figures;
  return (
    <dl class="figures card">
      <Figure label="Requests" value={formatRate(figures.requestsPerSecond)} note={statusWords(figures)} />
      <Figure
        label="Errors"
        value={formatRate(errorsPerSecond)}
        note={`${formatCount(figures.status4xx)}/s with 4xx`}
        tone={errorsPerSecond > 0 ? "bad" : "plain"}
      />
      <Figure
        label="Latency, half below"
        value={formatMs(latency?.p50Ms ?? null)}
        note={latency === null ? "" : `99 % below ${formatMs(latency.p99Ms)}`}
      />
      <Figure
        label="Sessions"
        value={formatCount(figures.sessions)}
        note={sessionLimit === null ? "" : `of ${formatCount(sessionLimit)}`}
      />
      <Figure
        label="To clients"
        value={formatBytesRate(figures.bytesOutPerSecond)}
        note={`${formatBytesRate(figures.bytesInPerSecond)} from them`}
      />
      {serverCount > 0 && (
        <Figure
          label="Servers"
          value={`${serversUp} of ${serverCount}`}
          note={figures.queued > 0 ? `${plural(figures.queued, "request")} waiting` : "usable"}
          tone={serversUp < serverCount ? "bad" : "plain"}
        />
      )}
      <Figure
        label="Up"
        value={formatDuration(now.atMs - now.startedMs)}
        note={`${plural(now.workers, "worker")}, ${now.engine}${now.generation > 1 ? `, reload ${now.generation - 1}` : ""}`}
      />
    </dl>
  );
}

function Charts({ seconds, proxy }: { readonly seconds: number; readonly proxy: string }) {
  const of = proxy === "" ? "" : `&proxy=${encodeURIComponent(proxy)}`;
  const { data, fault, again, set } = useLoaded<History>(`/history?seconds=${seconds}${of}`);
  useEffect(
    () =>
      on("overview", (now) => {
        const figures = figuresOf(now, proxy);
        if (figures !== null)
          set((before) => (before === null ? null : withFigures(before, now.atMs, figures, seconds)));
      }),
    [proxy, seconds, set],
  );
  const isLong = data !== null && data.stepMs > 1000;
  useEffect(() => {
    if (!isLong) return;
    const timer = setInterval(again, RELOAD_MS);
    return () => clearInterval(timer);
  }, [isLong, again]);
  if (fault !== null && data === null) return <Fault fault={fault} again={again} />;
  if (data === null) return <Empty>Loading …</Empty>;
  const { atMs, columns } = data;
  return (
    <div class="grid">
      <div class="card">
        <Chart
          title="Requests"
          atMs={atMs}
          seconds={seconds}
          format={formatRate}
          series={[
            { label: "all", colour: "--series-1", values: columns.requestsPerSecond, isFilled: true },
            { label: "4xx", colour: "--series-2", values: columns.status4xx },
            { label: "errors", colour: "--bad", values: columns.errorsPerSecond },
          ]}
        />
      </div>
      <div class="card">
        <Chart
          title="Latency"
          atMs={atMs}
          seconds={seconds}
          format={formatMs}
          series={[
            { label: "50 %", colour: "--series-1", values: columns.p50Ms },
            { label: "90 %", colour: "--series-3", values: columns.p90Ms },
            { label: "99 %", colour: "--series-2", values: columns.p99Ms },
          ]}
        />
      </div>
      <div class="card">
        <Chart
          title="Bytes"
          atMs={atMs}
          seconds={seconds}
          format={formatBytesRate}
          steps={BINARY_STEPS}
          series={[
            { label: "to clients", colour: "--series-1", values: columns.bytesOutPerSecond, isFilled: true },
            { label: "from clients", colour: "--series-4", values: columns.bytesInPerSecond },
          ]}
        />
      </div>
      <div class="card">
        <Chart
          title="Sessions"
          atMs={atMs}
          seconds={seconds}
          format={formatCount}
          steps={WHOLE_STEPS}
          series={[
            { label: "open", colour: "--series-1", values: columns.sessions, isFilled: true },
            { label: "waiting", colour: "--series-2", values: columns.queued },
          ]}
        />
      </div>
    </div>
  );
}

function Proxies({ now }: { readonly now: Overview }) {
  return (
    <div class="table-scroll">
      <table>
        <caption class="hidden">Frontends and backends</caption>
        <Heads
          columns={[
            ["Name"],
            ["State"],
            ["Requests", "number"],
            ["Errors", "number"],
            ["p50", "number"],
            ["p99", "number"],
            ["Sessions", "number"],
            ["To clients", "number"],
            ["Servers", "number"],
          ]}
        />
        <tbody>
          {now.proxies.map((one) => (
            <tr key={`${one.kind}/${one.name}`}>
              <th scope="row">
                <a
                  href={
                    one.kind === "backend"
                      ? `/servers?find=${encodeURIComponent(`${one.name}/`)}`
                      : `/overview?proxy=${one.kind}/${encodeURIComponent(one.name)}`
                  }
                >
                  {one.name}
                </a>{" "}
                <span class="quiet small">
                  {one.kind}
                  {one.mode === "tcp" && ", tcp"}
                </span>
              </th>
              <td>
                <Badge tone={toneOf(one)}>{one.status}</Badge>
              </td>
              <td class="number">{formatRate(one.requestsPerSecond)}</td>
              <td class={one.errorsPerSecond > 0 ? "number bad-text" : "number"}>
                {formatRate(one.errorsPerSecond)}
              </td>
              <td class="number">{formatMs(one.latency?.p50Ms ?? null)}</td>
              <td class="number">{formatMs(one.latency?.p99Ms ?? null)}</td>
              <td class="number">{formatCount(one.sessions)}</td>
              <td class="number">{formatBytesRate(one.bytesOutPerSecond)}</td>
              <td class={one.serversUp < one.serverCount ? "number bad-text" : "number"}>
                {one.kind === "backend" ? `${one.serversUp}/${one.serverCount}` : ""}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function figuresOf(now: Overview, proxy: string): ProxyFigures | null {
  if (proxy === "") return now.total;
  return now.proxies.find(({ kind, name }) => `${kind}/${name}` === proxy) ?? null;
}

function toneOf({ status, serversUp, serverCount }: ProxyFigures): Tone {
  if (status === "DOWN" || status === "STOP") return "bad";
  return serversUp < serverCount ? "warning" : "good";
}

function statusWords({ status2xx, status3xx, status5xx }: ProxyFigures): string {
  const parts = [
    [status2xx, "2xx"],
    [status3xx, "3xx"],
    [status5xx, "5xx"],
  ] as const;
  return parts
    .filter(([rate]) => rate > 0)
    .map(([rate, label]) => `${formatRate(rate)} with ${label}`)
    .join(", ");
}
