// All that is known of one server, and what an operator does with it.
import { useState } from "preact/hooks";
import type { ServerAction, ServerCheck, ServerRow } from "../../../src/model/dashboard-api.ts";
import { pathOf, session } from "../api/client.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Badge } from "../parts/small.tsx";
import { formatBytes, formatCount, formatDuration, formatMs, formatPlace } from "../text/format.ts";
import { ACTIONS, isNow, perform, Question } from "./server-actions.tsx";
import { CONDITION_TONES } from "./server-row.tsx";

export function ServerDialog({ row, close }: { readonly row: ServerRow; close(): void }) {
  const [asked, setAsked] = useState<ServerAction | null>(null);
  const [weight, setWeight] = useState(String(row.weight));
  const mayAct = session.value?.role !== "viewer";
  const act = async (action: ServerAction) => {
    // What has been done is said behind the dialog, with the way back.
    close();
    await perform(`/servers${pathOf(row.backend, row.server)}/actions`, action);
  };
  const number = Number(weight);
  const isWeight = /^\d{1,3}$/.test(weight) && number <= 256;
  return (
    <Dialog title={row.id} onClose={close}>
      <div class="server-state">
        <Badge tone={CONDITION_TONES[row.condition]}>{row.condition}</Badge>{" "}
        <span class="quiet">{row.status}</span>
      </div>
      {mayAct && asked === null && (
        <div class="server-actions">
          {ACTIONS.map(([action, label]) => (
            <button
              key={action}
              type="button"
              aria-pressed={isNow(row, action)}
              disabled={isNow(row, action)}
              onClick={() => setAsked({ action })}
            >
              {label}
            </button>
          ))}
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (isWeight) setAsked({ action: "weight", weight: number });
            }}
          >
            <input
              aria-label="Weight, 0 to 256"
              inputMode="numeric"
              size={4}
              value={weight}
              aria-invalid={!isWeight}
              onInput={(event) => setWeight(event.currentTarget.value)}
            />
            <button type="submit" disabled={!isWeight || number === row.weight}>
              Set weight
            </button>
          </form>
        </div>
      )}
      {asked !== null && (
        <Question row={row} action={asked} act={() => act(asked)} cancel={() => setAsked(null)} />
      )}
      <Details row={row} />
      <div class="dialog-buttons">
        <a
          class="button"
          href={`/requests?backend=${encodeURIComponent(row.backend)}&server=${encodeURIComponent(row.server)}`}
        >
          Its requests
        </a>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Details({ row }: { readonly row: ServerRow }) {
  const { check, agent, errors, averages, span } = row;
  const facts: readonly (readonly [string, string])[] = [
    ["Address", row.address],
    ["Cookie", row.cookie ?? "none"],
    ["Line", formatPlace(span)],
    ["Check", check === null ? "none" : checkWords(check)],
    ...(agent === null ? [] : [["Agent", checkWords(agent)] as const]),
    ["Down so far", formatDuration(row.downtimeSeconds * 1000)],
    ["Sessions", `${row.sessions}, at most ${row.sessionsMax}, ${formatCount(row.sessionsTotal)} in all`],
    ["Idle connections", String(row.idleConnections)],
    ["Bytes", `${formatBytes(row.bytesOut)} from it, ${formatBytes(row.bytesIn)} to it`],
    [
      "Errors",
      `${errors.connection} connections, ${errors.response} responses, ${errors.status5xx} with 5xx; ${errors.retries} retries, ${errors.redispatches} redispatched`,
    ],
    [
      "On average",
      `${formatMs(averages.queueMs)} waiting, ${formatMs(averages.connectMs)} connecting, ${formatMs(averages.responseMs)} to the response, ${formatMs(averages.totalMs)} in all`,
    ],
    [
      "Last session",
      row.lastSessionSeconds < 0 ? "never" : `${formatDuration(row.lastSessionSeconds * 1000)} ago`,
    ],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function checkWords({
  status,
  meaning,
  code,
  durationMs,
  lastAnswer,
  health,
  rise,
  fall,
}: ServerCheck): string {
  const answer = lastAnswer === "" ? "" : `: ${lastAnswer}`;
  return `${status}${code === null ? "" : ` ${code}`} in ${formatMs(durationMs)}, ${meaning}${answer} (health ${health} of ${rise + fall - 1})`;
}
