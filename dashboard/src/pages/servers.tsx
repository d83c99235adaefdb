// HAProxy's table of servers, made readable, and what an operator does with one: take it out softly, or at
// once, bring it back, give it more or less - each asked about first, and each with a way back.
import { useEffect, useState } from "preact/hooks";
import type {
  ServerAction,
  ServerActionAnswer,
  ServerCheck,
  ServerCondition,
  ServerRow,
} from "../../../src/model/dashboard-api.ts";
import { type ApiFault, pathOf, post, session } from "../api/client.ts";
import { Dialog } from "../parts/dialog.tsx";
import { say, sayFault } from "../parts/messages.tsx";
import { Badge, Empty, Fault, Heads, PageHead, type Tone } from "../parts/small.tsx";
import { VirtualRows } from "../parts/virtual-rows.tsx";
import { goWith, place } from "../router.ts";
import { errorsOf, type SortKey, shownServers } from "../state/server-list.ts";
import { putServers, servers, startServers } from "../state/servers.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMs,
  formatPlace,
  formatRate,
  plural,
} from "../text/format.ts";
import "./servers.css";

const ROW_HEIGHT = 53;
const COLUMNS = 9;
const TONES: Readonly<Record<ServerCondition, Tone>> = {
  up: "good",
  unchecked: "good",
  starting: "warning",
  stopping: "warning",
  drain: "warning",
  maintenance: "quiet",
  down: "bad",
};

export default function ServersPage() {
  const [fault, setFault] = useState<ApiFault | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const load = () => {
    startServers().then(
      () => setFault(null),
      (error: unknown) => setFault(error as ApiFault),
    );
  };
  useEffect(load, []);
  const rows = servers.value;
  const { query } = place.value;
  const find = query.get("find") ?? "";
  const condition = query.get("state") ?? "";
  const sort = (query.get("sort") ?? "file") as SortKey;
  const shown = rows === null ? [] : shownServers(rows, find, condition, sort);
  const counts = Map.groupBy(rows ?? [], (row) => row.condition);
  const open = rows?.find(({ id }) => id === chosen) ?? null;
  return (
    <>
      <PageHead title="Servers">
        <input
          type="search"
          aria-label="Find a server"
          placeholder="Find by name, address, cookie"
          value={find}
          onInput={(event) => goWith({ find: event.currentTarget.value })}
        />
        <select
          aria-label="State"
          value={condition}
          onChange={(event) => goWith({ state: event.currentTarget.value })}
        >
          <option value="">{`All (${rows?.length ?? 0})`}</option>
          {[...counts].map(([name, some]) => (
            <option key={name} value={name}>{`${name} (${some.length})`}</option>
          ))}
        </select>
        <select
          aria-label="Order"
          value={sort}
          onChange={(event) => goWith({ sort: event.currentTarget.value })}
        >
          <option value="file">as in the file</option>
          <option value="condition">what needs me first</option>
          <option value="sessions">most sessions first</option>
          <option value="requests">most requests first</option>
          <option value="errors">most errors first</option>
          <option value="response">slowest first</option>
        </select>
      </PageHead>
      {fault !== null && rows === null && <Fault fault={fault} again={load} />}
      {rows !== null && shown.length === 0 && (
        <Empty>{rows.length === 0 ? "No backend has a server." : "No server is like that."}</Empty>
      )}
      {shown.length > 0 && (
        <div class="table-scroll">
          <table class="servers">
            <Heads
              columns={[
                ["Server"],
                ["State"],
                ["Last check"],
                ["Weight", "number"],
                ["Sessions", "number"],
                ["Requests", "number"],
                ["Response", "number"],
                ["Errors", "number"],
                ["Sticky clients"],
              ]}
            />
            <VirtualRows
              rows={shown}
              rowHeight={ROW_HEIGHT}
              columns={COLUMNS}
              render={(row) => <Row key={row.id} row={row} open={() => setChosen(row.id)} />}
            />
          </table>
        </div>
      )}
      {open !== null && <ServerDialog row={open} close={() => setChosen(null)} />}
    </>
  );
}

function Row({ row, open }: { readonly row: ServerRow; open(): void }) {
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
        <Badge tone={TONES[row.condition]}>{row.condition}</Badge>
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

type Wanted = "ready" | "drain" | "maintenance";
const ACTIONS: readonly (readonly [Wanted, label: string, meaning: string])[] = [
  ["ready", "Ready", "It gets its share of everything again, as soon as its checks pass."],
  [
    "drain",
    "Drain",
    "It gets no new clients. Those who have its cookie still come, until they go; requests in hand are finished.",
  ],
  [
    "maintenance",
    "Maintenance",
    "Nobody is sent to it any more, whoever has its cookie is given another server, and its checks stop.",
  ],
];

function ServerDialog({ row, close }: { readonly row: ServerRow; close(): void }) {
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
        <Badge tone={TONES[row.condition]}>{row.condition}</Badge> <span class="quiet">{row.status}</span>
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

function Question({
  row,
  action,
  act,
  cancel,
}: {
  readonly row: ServerRow;
  readonly action: ServerAction;
  act(): void;
  cancel(): void;
}) {
  const isWeight = action.action === "weight";
  const meaning = isWeight
    ? `It had ${row.weight}; the file says ${row.configuredWeight}.${action.weight === 0 ? " With 0 it gets no new clients." : ""}`
    : ACTIONS.find(([name]) => name === action.action)![2];
  const clients = row.sticky?.clients ?? 0;
  const isLeaving = action.action === "drain" || action.action === "maintenance";
  return (
    <div class="notice" role="alertdialog" aria-label="Are you sure?">
      <p>
        <b>
          {isWeight
            ? `Weight ${action.weight} for ${row.server}?`
            : `${label(action.action)}: ${row.server}?`}
        </b>
      </p>
      <p>{meaning}</p>
      {isLeaving && (
        <p class="quiet">
          Now: {plural(row.sessions, "session")}
          {row.sticky !== null && `, ${plural(clients, "client")} with its cookie`}.
        </p>
      )}
      <div class="server-actions">
        <button type="button" class="primary" onClick={act}>
          {isWeight ? "Set weight" : label(action.action)}
        </button>
        <button type="button" onClick={cancel}>
          Cancel
        </button>
      </div>
    </div>
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

/** Does it, says so, and offers the way back, which has one too. */
async function perform(path: string, body: unknown): Promise<void> {
  try {
    const { server, message, undo } = await post<ServerActionAnswer>(path, body);
    putServers([server]);
    say(message, { label: undo.label, run: () => void perform("/undo", { token: undo.token }) });
  } catch (error) {
    sayFault(error);
  }
}

function isNow({ condition }: ServerRow, wanted: Wanted): boolean {
  if (wanted === "ready") return condition !== "drain" && condition !== "maintenance";
  return condition === wanted;
}

function label(action: Wanted): string {
  return ACTIONS.find(([name]) => name === action)![1];
}
