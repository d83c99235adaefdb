// Servers that come and go at run time: what is served goes on with another list of servers, and everything
// else that was read, loaded and looked up for it is kept.
import type { ProxyConfiguration } from "../model/proxy.ts";
import { serverKey } from "../proxy/slots.ts";
import type { PreparedConfiguration } from "./messages.ts";

/** From what is served to what is to be served, or a sentence that says why it is not to be. */
export type ServerChange = (present: PreparedConfiguration) => ProxyConfiguration | string;

export interface KeptPreparation extends Pick<PreparedConfiguration, "addresses" | "ports" | "slots"> {
  /** Slots of servers that are gone: another name may have them once nobody serves by them. */
  readonly freedSlots: readonly number[];
}

/** What of the present preparation is about servers that another configuration still has. */
export function keepPreparation(
  present: PreparedConfiguration,
  configuration: ProxyConfiguration,
): KeptPreparation {
  const there = new Set(serversOf(configuration).map(({ key }) => key));
  const gone = serversOf(present.configuration).filter(({ key }) => !there.has(key));
  const keys = gone.map(({ key }) => key);
  return {
    addresses: omit(present.addresses, keys),
    ports: omit(present.ports, keys),
    slots: omit(
      present.slots,
      gone.map(({ slotKey }) => slotKey),
    ),
    freedSlots: gone.flatMap(({ slotKey }) => present.slots[slotKey] ?? []),
  };
}

function serversOf({ proxies }: ProxyConfiguration): { key: string; slotKey: string }[] {
  return proxies.flatMap(({ name: backend, backend: settings }) =>
    (settings?.servers ?? []).map(({ name }) => ({
      key: `${backend}/${name}`,
      slotKey: serverKey(backend, name),
    })),
  );
}

function omit<T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  const left = { ...record };
  for (const key of keys) delete left[key];
  return left;
}
