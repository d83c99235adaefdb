// Which slot of the shared state belongs to which frontend, listener, backend and server. A name keeps its
// slot for the master's lifetime, so that counters, health and positions live through reloads and through a
// name's absence. Only a server that is deleted at run time gives its slot back.
import type { ProxyConfiguration } from "../model/proxy.ts";

/**
 * Slot by key: "frontend NAME", "listener FRONTEND ID", "backend NAME", "server BACKEND/NAME". Plain data.
 */
export type SlotTable = Readonly<Record<string, number>>;

export function frontendKey(name: string): string {
  return `frontend ${name}`;
}
export function listenerKey(frontend: string, id: number): string {
  return `listener ${frontend} ${id}`;
}
export function backendKey(name: string): string {
  return `backend ${name}`;
}
export function serverKey(backend: string, name: string): string {
  return `server ${backend}/${name}`;
}

/** The table of before with slots for everything new. Null when there are more objects than slots. */
export function assignSlots(
  configuration: ProxyConfiguration,
  before: SlotTable,
  slotCountMax: number,
): SlotTable | null {
  const table: Record<string, number> = { ...before };
  const taken = new Set(Object.values(before));
  let next = 0;
  for (const key of keysOf(configuration)) {
    if (key in table) continue;
    while (taken.has(next)) next++;
    if (next >= slotCountMax) return null;
    table[key] = next++;
  }
  return table;
}

function* keysOf(configuration: ProxyConfiguration): Generator<string> {
  for (const proxy of configuration.proxies) {
    if (proxy.frontend !== null) {
      yield frontendKey(proxy.name);
      for (const bind of proxy.frontend.binds) yield listenerKey(proxy.name, bind.id);
    }
    if (proxy.backend !== null) {
      yield backendKey(proxy.name);
      const { servers, dispatch } = proxy.backend;
      for (const server of servers) yield serverKey(proxy.name, server.name);
      if (dispatch !== null) yield serverKey(proxy.name, dispatch.name);
    }
  }
}
