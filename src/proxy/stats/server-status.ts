// A server's status in HAProxy's words: "UP", "UP 1/3", "DOWN", "DOWN 1/2", "NOLB", "DRAIN", "MAINT (via
// be/s1)", "no check". A server that follows another (`track`) shows the checks of the one at the end of the
// chain.
import { type CheckStatusName, STATUS_FACTS } from "../health/check-result.ts";
import type { Server } from "../runtime.ts";
import { CELL, CHECK_STATUS, DRAIN_MASK, MAINTENANCE_MASK, SERVER_ADMIN, SERVER_STATE } from "../state.ts";
import type { StatisticsView } from "./statistics-view.ts";

/** A server's own checks, or those of the server that it follows. */
export function checkedServer(view: StatisticsView, server: Server): Server {
  // The reader refuses circles; the bound keeps a defect there from hanging us here.
  let checked = server;
  for (let depth = 0; depth < 64 && checked.definition.track !== null; depth++) {
    const { backend, server: name } = checked.definition.track;
    const next = view.runtime.backendsByName.get(backend)?.serversByName.get(name);
    if (next === undefined) break;
    checked = next;
  }
  return checked;
}

/** `check` is on its line and nobody disabled it. */
export function isChecked(view: StatisticsView, server: Server, kind: "health" | "agent"): boolean {
  const definition = kind === "health" ? server.definition.check : server.definition.agent;
  return definition !== null && (view.checks?.isEnabled(server, kind) ?? true);
}

/** Name of the last check's outcome, "UNK" before there was one. */
export function checkStatusOf(server: Server, kind: "health" | "agent"): CheckStatusName {
  const number = server.state.read(server.slot, kind === "health" ? CELL.checkStatus : CELL.agentStatus);
  const name = CHECK_STATUS[number] as CheckStatusName | undefined;
  // The cell of an agent that was never asked is 0.
  return name === undefined ? "UNK" : name === "UNK" ? "INI" : name;
}

/** 0 once an agent has said so, else 1; agents have no rise and fall. */
export function agentHealthOf(server: Server): number {
  return checkStatusOf(server, "agent") === "L7STS" ? 0 : 1;
}

export function serverStatus(view: StatisticsView, server: Server): string {
  const { admin } = server;
  if ((admin & SERVER_ADMIN.maintenanceUnresolved) !== 0) return "MAINT (resolution)";
  const { track } = server.definition;
  if ((admin & SERVER_ADMIN.maintenanceTracked) !== 0 && track !== null)
    return `MAINT (via ${track.backend}/${track.server})`;
  if ((admin & MAINTENANCE_MASK) !== 0) return "MAINT";
  const checked = checkedServer(view, server);
  if (server.operational === SERVER_STATE.stopping) return stoppingStatus(view, server, checked);
  return server.operational === SERVER_STATE.down
    ? downStatus(view, checked)
    : upStatus(view, server, checked);
}

function upStatus(view: StatisticsView, server: Server, checked: Server): string {
  const isFalling = isChecked(view, checked, "health") && checkHealth(checked) < healthMax(checked);
  if ((server.admin & DRAIN_MASK) !== 0) {
    if (isChecked(view, checked, "agent")) return "DRAIN (agent)";
    return isFalling ? `DRAIN ${failuresLeft(checked)}` : "DRAIN";
  }
  if (isFalling) return `UP ${failuresLeft(checked)}`;
  return isChecked(view, checked, "health") ? "UP" : "no check";
}

function stoppingStatus(view: StatisticsView, server: Server, checked: Server): string {
  const isUnchecked = !isChecked(view, server, "health") && server.definition.track === null;
  return isUnchecked || checkHealth(checked) === healthMax(checked)
    ? "NOLB"
    : `NOLB ${failuresLeft(checked)}`;
}

function downStatus(view: StatisticsView, checked: Server): string {
  const hasAgent = isChecked(view, checked, "agent");
  const hasCheck = isChecked(view, checked, "health");
  if (hasAgent && agentHealthOf(checked) === 0) return "DOWN (agent)";
  const health = checkHealth(checked);
  if ((hasCheck && health === 0) || (!hasCheck && !hasAgent)) return "DOWN";
  return `DOWN ${health}/${checked.definition.check?.rise ?? 1}`;
}

function checkHealth(server: Server): number {
  return server.state.read(server.slot, CELL.checkHealth);
}

function healthMax(server: Server): number {
  const { check } = server.definition;
  return check === null ? 0 : check.rise + check.fall - 1;
}

function failuresLeft(server: Server): string {
  const { check } = server.definition;
  return check === null ? "1/1" : `${checkHealth(server) - check.rise + 1}/${check.fall}`;
}

export function describeStatus(status: CheckStatusName): string {
  return STATUS_FACTS[status].text;
}
