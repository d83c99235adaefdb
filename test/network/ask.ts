// For tests: a question about a datacentre that is written into the test.
import assert from "node:assert/strict";
import { readDatacenter } from "../../src/language/datacenter/reader.ts";
import type { ResolvedDatacenter } from "../../src/model/resolved-datacenter.ts";
import type { Trace } from "../../src/model/trace.ts";
import { compileNetwork, type ExplainOptions, explain } from "../../src/network/explain/explain.ts";
import { resolveDatacenter } from "../../src/network/resolve/resolve.ts";
import { readPacketWords } from "../../src/server/explain/packet-words.ts";

/** What a text means; it must be without fault. It begins with an empty line, which becomes the name's. */
export function resolved(lines: string): ResolvedDatacenter {
  const text = `datacenter: test${lines}`;
  const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
  const { datacenter, diagnostics } = readDatacenter([{ name: "test.yaml", text }], environment);
  assert.deepEqual(
    diagnostics.map(({ message, span }) => `${span.line}: ${message}`),
    [],
  );
  const result = resolveDatacenter(datacenter!);
  assert.deepEqual(
    result.diagnostics.map(({ message, span }) => `${span.line}: ${message}`),
    [],
  );
  return result.resolved;
}

/** The answer to a question such as "a to b tcp 80"; the answer's way is always asked for too. */
export function ask(
  text: string | ResolvedDatacenter,
  question: string,
  options: ExplainOptions = {},
): Trace {
  const words = readPacketWords(question.split(" "));
  assert.equal(words.kind, "packet", question);
  const network = compileNetwork(typeof text === "string" ? resolved(text) : text);
  const trace = explain(network, (words as { question: Trace["question"] }).question, {
    back: true,
    ...options,
  });
  assert.ok(!("kind" in trace), question);
  return trace;
}

/** Name of the node where the way there ended. */
export function endOf({ there }: Trace): string {
  return there.hops[there.end]?.node.name ?? "nowhere";
}
