// What is counted of each nameserver, with the names that `show resolvers` has (management manual 9.3).
import type { AnswerFault } from "./answer.ts";

export const NAMESERVER_COUNTERS = [
  "sent",
  "snd_error",
  "valid",
  "update",
  "cname",
  "cname_error",
  "any_err",
  "nx",
  "timeout",
  "refused",
  "other",
  "invalid",
  "too_big",
  "truncated",
  "outdated",
] as const;
export type NameserverCounter = (typeof NAMESERVER_COUNTERS)[number];

export type NameserverCounters = Record<NameserverCounter, number>;

export function newNameserverCounters(): NameserverCounters {
  return Object.fromEntries(NAMESERVER_COUNTERS.map((name) => [name, 0])) as NameserverCounters;
}

export const COUNTER_OF_FAULT: Readonly<Record<AnswerFault, NameserverCounter>> = {
  nx: "nx",
  refused: "refused",
  empty: "any_err",
  alias: "cname_error",
  truncated: "truncated",
  invalid: "invalid",
  other: "other",
};
