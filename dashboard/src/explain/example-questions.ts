// Questions that somebody could ask who does not know the datacentre yet: from outside to an edge, from a
// machine to a service of another one, and from a machine out.
import type { TopologyAnswer, TopologyNode } from "../../../src/model/dashboard-datacenter.ts";

export interface ExampleQuestion {
  /** "internet → org-edge, tcp 443". */
  readonly words: string;
  /** Of the page's address. */
  readonly query: string;
}

const PUBLIC_PORT = "443";

export function exampleQuestions({ nodes }: Pick<TopologyAnswer, "nodes">): ExampleQuestion[] {
  const named = nodes.filter(({ reference }) => reference !== null);
  const first = (kind: TopologyNode["kind"]) => named.find((node) => node.kind === kind)?.reference ?? null;
  // Who is in a fence is reached by what it publishes, which is no first question.
  const machines = named.filter(({ kind, inside }) => kind === "machine" && inside === null);
  const server = machines.findLast((node) => portOf(node) !== null);
  const client = machines.find((node) => node !== server);
  return [
    question(first("external"), first("edge"), PUBLIC_PORT),
    question(
      client?.reference ?? null,
      server?.reference ?? null,
      server === undefined ? null : portOf(server),
    ),
    question(client?.reference ?? null, first("external"), PUBLIC_PORT),
  ].filter((one) => one !== null);
}

/** Of its first service over TCP. */
function portOf({ services }: TopologyNode): string | null {
  return (
    services.map((service) => /^tcp (\d+)$/.exec(service)?.[1]).find((port) => port !== undefined) ?? null
  );
}

function question(from: string | null, to: string | null, port: string | null): ExampleQuestion | null {
  if (from === null || to === null || port === null) return null;
  return { words: `${from} → ${to}, tcp ${port}`, query: `${new URLSearchParams({ from, to, port })}` };
}
