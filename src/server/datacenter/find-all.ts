// All that is to be said of a datacentre file: what reading and resolving it found, and the rules of `check`.
import type { Trace, TraceQuestion } from "../../model/trace.ts";
import { checkDatacenter, type Finding } from "../../network/check/check.ts";
import { compileNetwork, explain, type Network } from "../../network/explain/explain.ts";
import type { LoadedDatacenter } from "./load-datacenter.ts";

export type { Finding } from "../../network/check/check.ts";

/** In the order of the files and lines. */
export function findAll(loaded: LoadedDatacenter): readonly Finding[] {
  const read = loaded.diagnostics.map((diagnostic): Finding => ({ ...diagnostic, fix: null }));
  const order = new Map(loaded.sources.map(({ name }, index) => [name, index]));
  const rank = ({ span }: Finding) => [order.get(span.file) ?? -1, span.line, span.column] as const;
  return [...read, ...ruleFindings(loaded)].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
  });
}

function ruleFindings({ datacenter, resolved, loadBalancerBinds }: LoadedDatacenter): readonly Finding[] {
  if (datacenter === null || resolved === null) return [];
  const network = compileNetwork(resolved, loadBalancerBinds);
  return checkDatacenter({ datacenter, resolved, explain: (question) => traceOf(question, network) });
}

/** A question that cannot even be asked has a way that ends where it begins. */
function traceOf(question: TraceQuestion, network: Network): Trace {
  const trace = explain(network, question, { back: true });
  if (!("kind" in trace)) return trace;
  const there = { hops: [], disposition: "no-address", end: -1, summary: trace.message, span: null } as const;
  return { question, before: [], there, back: null };
}
