// The legs of a way there and of the way back: to the load balancer and on to a server, and from the server
// through the load balancer to who has asked.
import type { PacketExplanation } from "../../../src/model/dashboard-datacenter.ts";
import { topologyIdOf } from "../../../src/model/dashboard-datacenter.ts";
import type { Drawn } from "../topology/grouping.ts";
import { hopsToEnd, type PathJson, type Way, wayOf } from "../topology/trace-way.ts";

export interface Leg {
  /** What it is of several; "" when it is the only one. */
  readonly title: string;
  readonly path: PathJson;
  /** Number of its first hop. */
  readonly first: number;
}

/** Empty: there is no such way. */
export function legsOf({ trace, beyond }: PacketExplanation, which: "there" | "back"): Leg[] {
  const onward = beyond?.onward ?? null;
  const paths: [title: string, path: PathJson | null][] =
    which === "there"
      ? [
          ["To the load balancer", trace.there],
          ["On to the server", onward?.there ?? null],
        ]
      : [
          ["From the server", onward?.back ?? null],
          ["From the load balancer", trace.back],
        ];
  const walked = paths.flatMap(([title, path]) => (path === null ? [] : [{ title, path }]));
  let first = 1;
  return walked.map(({ title, path }) => {
    const leg = { title: walked.length > 1 ? title : "", path, first };
    first += hopsToEnd(path).length;
    return leg;
  });
}

/** All legs as one line of the drawing. Null: there is none. */
export function wayOfLegs(legs: readonly Leg[], drawn: Drawn): Way | null {
  if (legs.length === 0) return null;
  const ways = legs.map(({ path }) => wayOf(path, drawn));
  return {
    nodes: ways.flatMap(({ nodes }) => nodes),
    links: ways.flatMap(({ links }) => links),
    hops: ways.flatMap(({ hops }) => hops),
  };
}

/** Ids of all whom the packets meet, there and back: they are drawn, also where others are only counted. */
export function metBy(explanation: PacketExplanation): string[] {
  const legs = [...legsOf(explanation, "there"), ...legsOf(explanation, "back")];
  const ids = legs.flatMap(({ path }) =>
    hopsToEnd(path).map((index) => {
      const { kind, name } = path.hops[index]!.node;
      return topologyIdOf(kind, name);
    }),
  );
  return [...new Set(ids)];
}
