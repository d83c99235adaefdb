// One server in one row: how it is, what its checks last heard, what it carries.
import type { ServerCheck, ServerCondition, ServerRow } from "../../../src/model/dashboard-api.ts";
import { Badge, type Tone } from "../parts/small.tsx";
import { errorsOf } from "../state/server-list.ts";
import { formatCount, formatDuration, formatMs, formatRate } from "../text/format.ts";

export const CONDITION_TONES: Readonly<Record<ServerCondition, Tone>> = {
  up: "good",
  unchecked: "good",
  starting: "warning",
  stopping: "warning",
  drain: "warning",
  maintenance: "quiet",
  down: "bad",
};

export function ServerTableRow({ row, open }: { readonly row: ServerRow; open(): void }) {
  const errors = errorsOf(row);
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link name" aria-haspopup="dialog" onClick={open}>
          {row.server}
        </button>
        <div class="quiet small">
          {row.backend} · {row.address}
          {row.isBackup && " · backup"}
        </div>
      </th>
      <td>
        <Badge tone={CONDITION_TONES[row.condition]}>{row.condition}</Badge>
        <div class="quiet small">{formatDuration(row.lastChangeSeconds * 1000)}</div>
      </td>
      <td>
        <CheckCell check={row.check} />
      </td>
      <td class="number">
        {row.effectiveWeight}
        {row.effectiveWeight !== row.configuredWeight && (
          <div class="quiet small">file: {row.configuredWeight}</div>
        )}
      </td>
      <td class="number">
        {formatCount(row.sessions)}
        {row.sessionLimit !== null && <span class="quiet"> / {formatCount(row.sessionLimit)}</span>}
        {row.queued > 0 && <div class="bad-text small">{formatCount(row.queued)} waiting</div>}
      </td>
      <td class="number">{formatRate(row.requestsPerSecond)}</td>
      <td class="number">{row.requestsTotal === 0 ? "–" : formatMs(row.averages.responseMs)}</td>
      <td class={errors > 0 ? "number bad-text" : "number"}>{formatCount(errors)}</td>
      <td>
        <StickyCell row={row} />
      </td>
    </tr>
  );
}

function CheckCell({ check }: { readonly check: ServerCheck | null }) {
  if (check === null) return <span class="quiet">not checked</span>;
  const { status, code, durationMs, isPassing, meaning, lastAnswer } = check;
  return (
    <span title={`${meaning}${lastAnswer === "" ? "" : `: ${lastAnswer}`}`}>
      <span class={isPassing ? "" : "bad-text"}>
        {status}
        {code === null ? "" : ` ${code}`}
      </span>{" "}
      <span class="quiet">{formatMs(durationMs)}</span>
      <div class="quiet small answer">{lastAnswer === "" ? meaning : lastAnswer}</div>
    </span>
  );
}

function StickyCell({ row: { sticky, condition } }: { readonly row: ServerRow }) {
  if (sticky === null) return <span class="quiet">–</span>;
  const isLeaving = condition === "drain" || condition === "maintenance";
  const count = `${sticky.clients}${sticky.isMore ? "+" : ""}`;
  return (
    <span title={`in the last ${formatDuration(sticky.windowSeconds * 1000)}`}>
      {count}
      {isLeaving && <span class="quiet"> {sticky.clients === 0 ? "gone" : "left"}</span>}
    </span>
  );
}
