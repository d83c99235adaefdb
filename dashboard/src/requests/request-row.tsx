// One request in one row: who, what, how it ended, and where its time went.
import type { RequestRecord } from "../../../src/model/dashboard-api.ts";
import { Badge, type Tone } from "../parts/small.tsx";
import { formatBytes, formatClock, formatMs } from "../text/format.ts";

export function RequestTableRow({
  row,
  question,
}: {
  readonly row: RequestRecord;
  readonly question: string;
}) {
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

/** Which colour of the bars stands for what. */
export function TimeLegend() {
  const all = [...PARTS.map(([name, , words]) => [name, words] as const), ["data", "the body"] as const];
  return (
    <p class="time-legend quiet small">
      {all.map(([name, words]) => (
        <span key={name}>
          <i class={name} /> {words}
        </span>
      ))}
    </p>
  );
}

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

function statusTone(status: number): Tone {
  if (status >= 500 || status < 0) return "bad";
  if (status >= 400) return "warning";
  return status >= 300 ? "plain" : "good";
}
