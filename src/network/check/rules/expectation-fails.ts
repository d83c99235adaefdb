// What the file itself says must be true, asked of the simulation.
import { familyOfIp } from "../../../base/ip.ts";
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { Endpoint, Expectation, Reference } from "../../../model/datacenter.ts";
import type { Trace, TracePath, TraceQuestion } from "../../../model/trace.ts";
import type { CheckContext } from "../context.ts";
import type { CheckRule, Fault } from "../rule.ts";

export const expectationFails: CheckRule = {
  code: "expectation-fails",
  severity: "error",
  title: "a sentence of `expect` is not true",
  *run(context) {
    const names = namesOf(context);
    for (const expectation of context.datacenter.expectations) {
      const { from, to, at } = expectation;
      const unknown = [
        ...unknownName(from.value, from.span, names),
        ...(to.value.kind === "name" ? unknownName(to.value.reference, to.span, names) : []),
        ...(at === null ? [] : unknownName(at.value, at.span, names)),
      ];
      yield* unknown;
      const target = targetOf(to.value);
      if (context.explain === null || unknown.length > 0 || target === null) continue;
      const question: TraceQuestion = {
        from: from.value,
        to: target,
        protocol: expectation.protocol,
        port: expectation.port,
        sourcePort: null,
      };
      const fault = judge(expectation, context.explain(question), context);
      if (fault !== null) yield fault;
    }
  },
};

function judge(expectation: Expectation, trace: Trace, { machines }: CheckContext): Fault | null {
  const { there, back } = trace;
  const isThere =
    there.disposition === "delivered" ||
    there.disposition === "load-balanced" ||
    there.disposition === "answered-by-router";
  const isBack = back === null || back.disposition === "delivered";
  const isReached = isThere && isBack;
  if (isReached !== expectation.isReached) {
    const path = isThere && back !== null ? back : there;
    const way = isThere && !isReached ? "on the way back, " : "";
    return {
      span: expectation.span,
      message: `this is not true: ${expectation.isReached ? way : "it is reached: "}${path.summary.replace(/\.$/, "")}`,
      help: expectation.isReached ? "`sallyport explain` shows the whole way." : null,
      related: decidingLine(path),
    };
  }
  if (!isReached || expectation.at === null) return null;
  const wanted = expectation.at.value.text;
  const end = there.hops[there.end]?.node.name ?? "nobody";
  // A cluster is reached at one of its members.
  if (end === wanted || machines.get(end)?.cluster === wanted) return null;
  return {
    span: expectation.at.span,
    message: `it is ${end} that gets it, not ${wanted}: ${there.summary.replace(/\.$/, "")}`,
    related: decidingLine(there),
  };
}

function decidingLine({ span }: TracePath): NonNullable<Fault["related"]> {
  return span === null ? [] : [{ span, message: "this line decides" }];
}

function targetOf(endpoint: Endpoint): TraceQuestion["to"] | null {
  if (endpoint.kind === "address")
    return familyOfIp(endpoint.ip) === 4 || familyOfIp(endpoint.ip) === 6 ? endpoint.ip : null;
  return endpoint.kind === "name" ? endpoint.reference : null;
}

function unknownName(reference: Reference, span: Fault["span"], names: ReadonlySet<string>): Fault[] {
  if (names.has(reference.text)) return [];
  return [
    {
      span,
      message: `there is nobody named \`${reference.text}\``,
      help: suggestWord(reference.text, names),
    },
  ];
}

function namesOf({ networks, machines, edges, clusters, hosts }: CheckContext): ReadonlySet<string> {
  return new Set([networks, machines, edges, clusters, hosts].flatMap((map): string[] => [...map.keys()]));
}
