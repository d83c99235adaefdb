// What can be done to a server: each action is asked about first, in words that say what becomes of its
// clients, and each has a way back.
import type { ServerAction, ServerActionAnswer, ServerRow } from "../../../src/model/dashboard-api.ts";
import { post } from "../api/client.ts";
import { say, sayFault } from "../parts/messages.tsx";
import { putServers } from "../state/servers.ts";
import { plural } from "../text/format.ts";

type Wanted = "ready" | "drain" | "maintenance";
export const ACTIONS: readonly (readonly [Wanted, label: string, meaning: string])[] = [
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

export function Question({
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

/** Does it, says so, and offers the way back, which has one too. */
export async function perform(path: string, body: unknown): Promise<void> {
  try {
    const { server, message, undo } = await post<ServerActionAnswer>(path, body);
    putServers([server]);
    say(message, { label: undo.label, run: () => void perform("/undo", { token: undo.token }) });
  } catch (error) {
    sayFault(error);
  }
}

export function isNow({ condition }: ServerRow, wanted: Wanted): boolean {
  if (wanted === "ready") return condition !== "drain" && condition !== "maintenance";
  return condition === wanted;
}

function label(action: Wanted): string {
  return ACTIONS.find(([name]) => name === action)![1];
}
