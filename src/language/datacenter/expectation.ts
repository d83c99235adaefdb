// The sentences under `expect`: "A reaches [tcp|udp|icmp] TO[:PORT] [at B]" and "A cannot reach …".
import type { Span } from "../../diagnostic/span.ts";
import type { Endpoint, Expectation, IpProtocol, Located } from "../../model/datacenter.ts";
import type { Report } from "./report.ts";
import { parseEndpoint, parseReference } from "./scalars.ts";
import type { ScalarNode, Word } from "./tree.ts";

const FORM = "A reaches [tcp|udp|icmp] TO[:PORT] [at B], or A cannot reach …";

/** Undefined when it is none; the word that is wrong is reported. */
export function parseExpectation(node: ScalarNode, report: Report): Expectation | undefined {
  const words = wordsOf(node);
  const fail = (span: Span, message: string): undefined =>
    report.error("expectation", span, message, { help: FORM }) as undefined;
  const next = (what: string): Word | undefined => {
    const word = words.shift();
    return word ?? fail(endOf(node.span), `the sentence ends where ${what} is expected`);
  };
  const fromWord = next("who sends");
  if (fromWord === undefined) return undefined;
  const from = parseReference(fromWord.text);
  if (from === null) return fail(fromWord.span, `\`${fromWord.text}\` is no name`);
  const verb = next("`reaches` or `cannot reach`");
  if (verb === undefined) return undefined;
  if (verb.text !== "reaches" && verb.text !== "cannot")
    return fail(verb.span, `\`reaches\` or \`cannot reach\` is expected, not \`${verb.text}\``);
  if (verb.text === "cannot") {
    const reach = next("`reach`");
    if (reach === undefined) return undefined;
    if (reach.text !== "reach") return fail(reach.span, `\`reach\` is expected, not \`${reach.text}\``);
  }
  let target = next("whom");
  if (target === undefined) return undefined;
  let protocol: IpProtocol | null = null;
  if (target.text === "tcp" || target.text === "udp" || target.text === "icmp" || target.text === "ping") {
    protocol = target.text === "ping" ? "icmp" : target.text;
    target = next("whom");
    if (target === undefined) return undefined;
  }
  const split = splitPort(target);
  if (typeof split === "string") return fail(target.span, split);
  protocol ??= split.port === null ? "icmp" : "tcp";
  if (protocol === "icmp" && split.port !== null) return fail(target.span, "icmp has no ports");
  if (protocol !== "icmp" && split.port === null)
    return fail(target.span, `the port is missing: ${target.text}:80, if it is that`);
  const at = words.length === 0 ? null : readAt(words, fail, node);
  if (at === undefined) return undefined;
  return {
    text: node.text,
    from: { value: from, span: fromWord.span },
    isReached: verb.text === "reaches",
    to: { value: split.to, span: target.span },
    protocol,
    port: split.port,
    at,
    span: node.span,
  };
}

function readAt(
  words: Word[],
  fail: (span: Span, message: string) => undefined,
  node: ScalarNode,
): Located<NonNullable<ReturnType<typeof parseReference>>> | undefined {
  const [at, name, more] = words;
  if (at!.text !== "at") return fail(at!.span, `\`at\` or the end is expected, not \`${at!.text}\``);
  if (name === undefined) return fail(endOf(node.span), "the sentence ends where a name is expected");
  const value = parseReference(name.text);
  if (value === null) return fail(name.span, `\`${name.text}\` is no name`);
  return more === undefined
    ? { value, span: name.span }
    : fail(more.span, `the sentence goes on with \`${more.text}\``);
}

function splitPort(word: Word): { readonly to: Endpoint; readonly port: number | null } | string {
  const whole = parseEndpoint(word.text);
  if ("value" in whole) return { to: whole.value, port: null };
  const match = /^(?:\[(.+)\]|(.+)):(\d{1,5})$/.exec(word.text);
  if (match === null) return whole.message;
  const host = parseEndpoint((match[1] ?? match[2])!);
  if (!("value" in host)) return host.message;
  const port = Number(match[3]);
  return port >= 1 && port <= 65535 ? { to: host.value, port } : `${match[3]} is no port`;
}

function wordsOf({ text, span, isQuoted }: ScalarNode): Word[] {
  // Quoted text begins behind its quote; with escapes or variables the place is the whole.
  const isExact = span.endColumn - span.column === text.length + (isQuoted ? 2 : 0);
  const start = span.column + (isQuoted ? 1 : 0);
  return [...text.matchAll(/\S+/g)].map((match) => ({
    text: match[0],
    span: isExact
      ? { ...span, column: start + match.index, endColumn: start + match.index + match[0].length }
      : span,
  }));
}

function endOf(span: Span): Span {
  return { ...span, column: span.endColumn };
}
