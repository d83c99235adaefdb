// What an operator does to a server: ready, drain, maintenance, weight, and the way back. An action goes
// through the same state of the server that the runtime API changes.
import { randomBytes } from "node:crypto";
import type { ServerAction, ServerActionAnswer } from "../../model/dashboard-api.ts";
import type { ServerState } from "../../proxy/health/server-state.ts";
import type { Server } from "../../proxy/runtime.ts";
import { CELL, SERVER_ADMIN } from "../../proxy/state.ts";
import type { AdminActions } from "../admin/actions.ts";
import { serverRow, viewOf } from "./server-rows.ts";
import type { StickyClients } from "./sticky-clients.ts";

type Wanted = "ready" | "drain" | "maintenance";

/** What an operator can have set. */
interface Settings {
  readonly wanted: Wanted;
  readonly weight: number;
}

interface Undo {
  readonly backend: string;
  readonly server: string;
  readonly before: Settings;
  /** When it is no longer this, somebody else has been there. */
  readonly after: Settings;
  readonly untilMs: number;
}

export type ActionOutcome =
  | { readonly kind: "done"; readonly answer: ServerActionAnswer }
  | { readonly kind: "unknown-server" }
  | { readonly kind: "wrong"; readonly message: string }
  | { readonly kind: "too-late"; readonly message: string };

const UNDO_LIFE_MS = 10 * 60_000;
const UNDOS_MAX = 1000;
const WEIGHT_MAX = 256;

export class ServerActions {
  readonly #actions: AdminActions;
  readonly #sticky: StickyClients;
  readonly #undos = new Map<string, Undo>();

  constructor(actions: AdminActions, sticky: StickyClients) {
    this.#actions = actions;
    this.#sticky = sticky;
  }

  run(backend: string, name: string, action: ServerAction): ActionOutcome {
    const found = this.#find(backend, name);
    if (found === null) return { kind: "unknown-server" };
    const before = settingsOf(found.server);
    if (action.action === "weight") return this.#change(found, { ...before, weight: action.weight });
    return this.#change(found, { ...before, wanted: action.action });
  }

  undo(token: string): ActionOutcome {
    const undo = this.#undos.get(token);
    if (undo === undefined || undo.untilMs < this.#actions.nowMs)
      return { kind: "too-late", message: "this can no longer be undone" };
    const found = this.#find(undo.backend, undo.server);
    if (found === null) return { kind: "unknown-server" };
    const { wanted, weight } = settingsOf(found.server);
    if (wanted !== undo.after.wanted || weight !== undo.after.weight)
      return { kind: "too-late", message: `somebody else has changed ${undo.server} since` };
    this.#undos.delete(token);
    return this.#change(found, undo.before);
  }

  #change({ server, state }: Found, to: Settings): ActionOutcome {
    const before = settingsOf(server);
    const nowSeconds = Math.floor(this.#actions.nowMs / 1000);
    if (to.weight !== before.weight) {
      const refusal = state.setWeight(String(to.weight), nowSeconds);
      if (refusal !== null) return { kind: "wrong", message: refusal };
    }
    if (to.wanted !== before.wanted) {
      if (to.wanted === "maintenance") state.setMaintenance(nowSeconds);
      else state.setReady(nowSeconds);
      if (to.wanted === "drain") state.setDrain(nowSeconds);
    }
    return { kind: "done", answer: this.#answer(server, before) };
  }

  #answer(server: Server, before: Settings): ServerActionAnswer {
    const row = serverRow(viewOf(this.#actions), server, this.#sticky);
    const after = settingsOf(server);
    const token = randomBytes(16).toString("base64url");
    const untilMs = this.#actions.nowMs + UNDO_LIFE_MS;
    const undo = { backend: server.backend.name, server: server.name, before, after, untilMs };
    if (this.#undos.size >= UNDOS_MAX) this.#undos.delete(this.#undos.keys().next().value!);
    this.#undos.set(token, undo);
    return {
      server: row,
      message: describe(row, before, after),
      undo: { token, untilMs, label: labelOf(row.server, before, after) },
    };
  }

  #find(backend: string, name: string): Found | null {
    const server = this.#actions.runtime.backendsByName.get(backend)?.serversByName.get(name);
    const state = server === undefined ? null : this.#actions.stateOf(server);
    return server === undefined || state === null ? null : { server, state };
  }
}

interface Found {
  readonly server: Server;
  readonly state: ServerState;
}

function settingsOf(server: Server): Settings {
  const { admin } = server;
  const isInMaintenance = (admin & (SERVER_ADMIN.maintenance | SERVER_ADMIN.maintenanceConfigured)) !== 0;
  const wanted = isInMaintenance ? "maintenance" : (admin & SERVER_ADMIN.drain) !== 0 ? "drain" : "ready";
  return { wanted, weight: server.state.read(server.slot, CELL.weight) };
}

function describe(row: ServerActionAnswer["server"], before: Settings, after: Settings): string {
  const { server, sticky, sessions } = row;
  if (after.wanted !== before.wanted) {
    if (after.wanted === "ready") return `${server} takes requests again`;
    if (after.wanted === "maintenance") return `${server} is in maintenance: nobody is sent there`;
    const left =
      sticky === null ? `${sessions} sessions are left` : `${sticky.clients} clients hold its cookie`;
    return `${server} drains: it takes no new visitors, ${left}`;
  }
  if (after.weight === before.weight) return `${server} stays as it was`;
  return `${server} has weight ${after.weight} now, it had ${before.weight}`;
}

function labelOf(server: string, before: Settings, after: Settings): string {
  const words: Readonly<Record<Wanted, string>> = {
    ready: "ready",
    drain: "draining",
    maintenance: "maintenance",
  };
  if (after.wanted !== before.wanted) return `${server} back to ${words[before.wanted]}`;
  return `${server} back to weight ${before.weight}`;
}

/** Null: it is none. */
export function readAction(body: unknown): ServerAction | null {
  if (typeof body !== "object" || body === null) return null;
  const { action, weight } = body as { readonly action?: unknown; readonly weight?: unknown };
  if (action === "ready" || action === "drain" || action === "maintenance") return { action };
  const isWeight =
    typeof weight === "number" && Number.isInteger(weight) && weight >= 0 && weight <= WEIGHT_MAX;
  return action === "weight" && isWeight ? { action, weight } : null;
}
