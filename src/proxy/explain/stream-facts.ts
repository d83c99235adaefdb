// What rules can change of a stream besides its heads, as texts that can be compared before and after.
import type { SocketAddress } from "../../base/address.ts";
import { toText } from "../rules/sample-cast.ts";
import type { SampleValue } from "../rules/sample-value.ts";
import type { Stream } from "../stream.ts";

export type StreamFacts = ReadonlyMap<string, string>;

/** `shared` are the variables of the process. */
export function factsOf(stream: Stream, shared: ReadonlyMap<string, SampleValue>): StreamFacts {
  const { session } = stream;
  const facts = new Map<string, string>();
  for (const variables of [shared, session.variables, stream.variables]) {
    for (const [name, value] of variables ?? []) facts.set(name, toText(value, "any"));
  }
  const captures = [
    ["capture.req.hdr", stream.requestCaptures],
    ["capture.res.hdr", stream.responseCaptures],
  ] as const;
  for (const [name, values] of captures) {
    for (const [slot, value] of (values ?? []).entries()) {
      if (value !== null) facts.set(`${name}(${slot})`, value);
    }
  }
  facts.set("source", addressText(session.source));
  facts.set("destination", addressText(stream.destination));
  if (stream.logLevel !== null) facts.set("log level", stream.logLevel);
  if (stream.serverTimeoutMs !== null) facts.set("timeout server", `${stream.serverTimeoutMs}ms`);
  if (stream.tunnelTimeoutMs !== null) facts.set("timeout tunnel", `${stream.tunnelTimeoutMs}ms`);
  return facts;
}

/** One sentence for each difference. */
export function changesOf(before: StreamFacts, after: StreamFacts): string[] {
  const changes: string[] = [];
  for (const [name, value] of after) if (before.get(name) !== value) changes.push(`sets ${name} to ${value}`);
  for (const name of before.keys()) if (!after.has(name)) changes.push(`forgets ${name}`);
  return changes;
}

export function addressText({ family, host, port }: SocketAddress): string {
  return family === "unix" ? host : family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
