// What was asked and how it ended, as it happens: found by filters, and each explained.
import { useEffect, useRef, useState } from "preact/hooks";
import type {
  RequestDetails,
  RequestRecord,
  RequestsAnswer,
  RequestsKept,
} from "../../../src/model/dashboard-api.ts";
import { type ApiFault, get } from "../api/client.ts";
import { on } from "../api/events.ts";
import { Dialog } from "../parts/dialog.tsx";
import { RequestTraceView } from "../parts/request-trace.tsx";
import { Badge, Empty, Fault, Heads, PageHead, type Tone } from "../parts/small.tsx";
import { VirtualRows } from "../parts/virtual-rows.tsx";
import { go, goWith, place } from "../router.ts";
import { useLoaded } from "../state/loaded.ts";
import { overview } from "../state/overview.ts";
import { type Filters, filtersOf, queryOf, withNew } from "../state/request-tail.ts";
import { formatBytes, formatClock, formatCount, formatMs } from "../text/format.ts";
import "./requests.css";

const ROW_HEIGHT = 34;
const COLUMNS = 9;
const PAGE = 200;

export default function RequestsPage() {
  const { parts, query } = place.value;
  const filters = filtersOf(query);
  const [held, setHeld] = useState<readonly RequestRecord[]>([]);
  const [kept, setKept] = useState<RequestsKept | null>(null);
  const [older, setOlder] = useState<number | null>(null);
  const [fault, setFault] = useState<ApiFault | null>(null);
  const [isPaused, setPaused] = useState(false);
  const question = queryOf(filters);
  const latest = useRef<{ filters: Filters; isPaused: boolean }>({ filters, isPaused });
  latest.current = { filters, isPaused };

  const load = (before: number | null) => {
    const more = before === null ? "" : `&before=${before}`;
    const stop = new AbortController();
    get<RequestsAnswer>(
      `/requests?limit=${PAGE}${more}${question === "" ? "" : `&${question}`}`,
      stop.signal,
    ).then(
      (answer) => {
        setHeld((list) => (before === null ? answer.requests : [...list, ...answer.requests]));
        setKept(answer.kept);
        setOlder(answer.before);
        setFault(null);
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setFault(error as ApiFault);
      },
    );
    return () => stop.abort();
  };
  useEffect(() => load(null), [question]);
  useEffect(() => {
    const endings = [
      on("requests", ({ requests, kept: now }) => {
        setKept(now);
        if (latest.current.isPaused) return;
        setHeld((list) => withNew(list, requests, latest.current.filters));
      }),
      on("lost", () => void load(null)),
    ];
    return () => {
      for (const end of endings) end();
    };
  }, []);

  const id = parts[1] ?? null;
  return (
    <>
      <PageHead title="Requests">
        {kept !== null && (
          <span class="quiet small">
            {formatCount(kept.count)} kept
            {kept.share < 1 && `, ${Math.max(1, Math.round(kept.share * 100))} % of them under this load`}
          </span>
        )}
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
      </PageHead>
      <FilterForm filters={filters} />
      {fault !== null && <Fault fault={fault} again={() => void load(null)} />}
      {held.length === 0 && fault === null && (
        <Empty>
          {question === "" ? "No request has come yet." : "No request is like that."}
          {question !== "" && (
            <button type="button" onClick={() => go("/requests")}>
              Without filters
            </button>
          )}
        </Empty>
      )}
      {held.length > 0 && (
        <div class="table-scroll">
          <table class="requests">
            <Heads
              columns={[
                ["Time"],
                ["Client"],
                ["Request"],
                ["Status"],
                ["Server"],
                ["Total", "number"],
                ["Where the time went"],
                ["Bytes", "number"],
                ["Ended"],
              ]}
            />
            <VirtualRows
              rows={held}
              rowHeight={ROW_HEIGHT}
              columns={COLUMNS}
              render={(row) => <Row key={row.id} row={row} question={question} />}
            />
          </table>
        </div>
      )}
      {older !== null && held.length > 0 && (
        <button type="button" class="older" onClick={() => void load(older)}>
          Older ones
        </button>
      )}
      {id !== null && (
        <DetailsDialog id={id} close={() => go(`/requests${question === "" ? "" : `?${question}`}`)} />
      )}
    </>
  );
}

function FilterForm({ filters }: { readonly filters: Filters }) {
  const proxies = overview.value?.proxies ?? [];
  const names = (kind: "frontend" | "backend") =>
    proxies.filter((one) => one.kind === kind).map(({ name }) => name);
  const text = (name: keyof Filters, label: string, hint: string, size: number) => (
    <input
      type="search"
      aria-label={label}
      placeholder={hint}
      size={size}
      value={filters[name] ?? ""}
      onInput={(event) => goWith({ [name]: event.currentTarget.value.trim() })}
    />
  );
  const choice = (name: keyof Filters, label: string, options: readonly string[]) => (
    <select
      aria-label={label}
      value={filters[name] ?? ""}
      onChange={(event) => goWith({ [name]: event.currentTarget.value })}
    >
      <option value="">{label}</option>
      {options.map((option) => (
        <option key={option} value={option}>
          {option}
        </option>
      ))}
    </select>
  );
  return (
    <search class="filters">
      <button
        type="button"
        aria-pressed={filters.failed === "true"}
        onClick={() => goWith({ failed: filters.failed === "true" ? "" : "true" })}
      >
        Failed only
      </button>
      {text("path", "A part of the path", "Path", 16)}
      {text("client", "A part of the client's address", "Client", 12)}
      {choice("status", "Any status", ["2xx", "3xx", "4xx", "5xx"])}
      {choice("method", "Any method", ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])}
      {choice("frontend", "Any frontend", names("frontend"))}
      {choice("backend", "Any backend", names("backend"))}
      {text("server", "Server", "Server", 10)}
      {choice("slowerMs", "Any time", ["10", "100", "1000", "10000"])}
      {text("termination", "Termination state begins with", "State: SC, cD …", 11)}
    </search>
  );
}

function Row({ row, question }: { readonly row: RequestRecord; readonly question: string }) {
  const { http, timers } = row;
  return (
    <tr class={row.isFailed ? "failed" : undefined}>
      <td>{formatClock(row.atMs)}</td>
      <td class="mono">{row.client}</td>
      <td class="grow">
        <a href={`/requests/${row.id}${question === "" ? "" : `?${question}`}`}>
          {http === null ? (
            "a connection"
          ) : (
            <>
              <b>{http.method}</b> {http.target}
            </>
          )}
        </a>
      </td>
      <td>
        {http !== null && (
          <Badge tone={statusTone(http.status)}>{http.status < 0 ? "none" : http.status}</Badge>
        )}
      </td>
      <td>
        {row.server ?? <span class="quiet">none</span>} <span class="quiet small">{row.backend}</span>
      </td>
      <td class="number">{formatMs(timers.totalMs)}</td>
      <td>
        <TimeBar row={row} />
      </td>
      <td class="number">{formatBytes(row.bytesOut)}</td>
      <td>
        <span class={row.isFailed ? "mono bad-text" : "mono"} title={row.ending}>
          {row.termination}
        </span>{" "}
        <span class="quiet small">{row.ending}</span>
      </td>
    </tr>
  );
}

const PARTS = [
  ["request", "requestMs", "the client's request"],
  ["queue", "queueMs", "waiting"],
  ["connect", "connectMs", "connecting"],
  ["response", "responseMs", "the server's answer"],
] as const;

function TimeBar({ row: { timers } }: { readonly row: RequestRecord }) {
  const parts = PARTS.map(([name, key, words]) => ({ name, ms: Math.max(0, timers[key]), words }));
  const known = parts.reduce((sum, { ms }) => sum + ms, 0);
  const all = [...parts, { name: "data", ms: Math.max(0, timers.totalMs - known), words: "the body" }];
  const total = all.reduce((sum, { ms }) => sum + ms, 0);
  const words = all
    .filter(({ ms }) => ms > 0)
    .map(({ ms, words: of }) => `${formatMs(ms)} ${of}`)
    .join(", ");
  return (
    <span
      class="time-bar"
      role="img"
      aria-label={words === "" ? "less than a millisecond" : words}
      title={words}
    >
      {total > 0 &&
        all.map(({ name, ms }) => <i key={name} class={name} style={{ width: `${(100 * ms) / total}%` }} />)}
    </span>
  );
}

function DetailsDialog({ id, close }: { readonly id: string; close(): void }) {
  const { data, fault, again } = useLoaded<RequestDetails>(`/requests/${encodeURIComponent(id)}`);
  return (
    <Dialog title={data === null ? `Request ${id}` : titleOf(data.request)} onClose={close}>
      {fault !== null && data === null && <Fault fault={fault} again={again} />}
      {data !== null && <Details details={data} />}
      <div class="dialog-buttons">
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Details({ details }: { readonly details: RequestDetails }) {
  const { request, timers, termination, headers, explanation } = details;
  return (
    <>
      <p>
        {formatClock(request.atMs)} from <span class="mono">{request.client}</span> by {request.frontend}
        {request.isTls && ", TLS"}
        {request.server !== null && (
          <>
            {" "}
            to{" "}
            <b>
              {request.backend}/{request.server}
            </b>
          </>
        )}
        . {request.ending !== "" && <span class="bad-text">{request.ending}. </span>}
        {request.persistence !== "" && <span>{request.persistence}.</span>}
        {request.retries > 0 && ` ${request.retries} retries.`}
      </p>
      <section>
        <h2>Where the time went: {formatMs(request.timers.totalMs)}</h2>
        <table class="plain">
          <tbody>
            {timers.map(({ name, ms, meaning }) => (
              <tr key={name}>
                <th scope="row" class="mono">
                  {name}
                </th>
                <td class="number">{formatMs(ms)}</td>
                <td class="wrap">{meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section>
        <h2>
          How it ended: <span class="mono">{request.termination}</span>
        </h2>
        <table class="plain">
          <tbody>
            {termination.map(({ letter, meaning }, index) => (
              <tr key={`${index}${letter}`}>
                <th scope="row" class="mono">
                  {letter}
                </th>
                <td class="wrap">{meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {headers.length > 0 && (
        <details>
          <summary>What the client sent</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by the keyboard. */}
          <pre class="excerpt" tabIndex={0}>
            {request.http !== null && `${request.http.method} ${request.http.target}\n`}
            {headers.map(([name, value]) => `${name}: ${value}\n`).join("")}
          </pre>
        </details>
      )}
      <section>
        <h2>Why</h2>
        {explanation.kind === "unexplained" ? (
          <p class="quiet">{explanation.reason}</p>
        ) : (
          <>
            {explanation.assumptions.length > 0 && (
              <p class="quiet small">{explanation.assumptions.join(" ")}</p>
            )}
            <RequestTraceView trace={explanation.trace} />
          </>
        )}
      </section>
    </>
  );
}

function titleOf({ http, id }: RequestRecord): string {
  return http === null ? `Connection ${id}` : `${http.method} ${http.target}`;
}

function statusTone(status: number): Tone {
  if (status >= 500 || status < 0) return "bad";
  if (status >= 400) return "warning";
  return status >= 300 ? "plain" : "good";
}
