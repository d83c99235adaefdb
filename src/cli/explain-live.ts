// `sallyport explain … --live`: the packet is sent in the network that `apply` has made, every cable is
// listened at, and the frames are held against those of the explanation, as are the rules that the kernel
// says it went by in edges and fences.
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { type Seen, watchQuestion } from "../driver/linux/watch-question.ts";
import type { Trace } from "../model/trace.ts";
import { compareRules } from "../network/explain/compare-rules.ts";
import { compareTrace, type LiveCapture, type LivePlace } from "../network/explain/compare-trace.ts";
import { compileNetwork, explain } from "../network/explain/explain.ts";
import { isAnswerTo, packetIn } from "../network/explain/live-frames.ts";
import { livePlaces } from "../network/explain/live-places.ts";
import { traceJson } from "../network/explain/trace-text.ts";
import { readPacketWords } from "../server/explain/packet-words.ts";
import { complainOfUsage } from "./command-line.ts";
import { textOf } from "./explain-packet.ts";
import { callOf, openFile, readLiveWords } from "./live-command.ts";
import { isAgreed, type LiveVerdict, rulesText, silenceText, verdictText } from "./live-verdict-text.ts";
import type { Terminal } from "./terminal.ts";

const SWITCHES = ["live", "back", "brief", "full"].map((name) => ({ name, takesValue: false }));
/** Above all ports that are served, and where Linux chooses none by itself (ip_local_port_range). */
const FIRST_KEY = 61_000;
const KEY_COUNT = 4000;
const SERVED: ReadonlySet<string> = new Set(["delivered", "load-balanced"]);

/** Exit code 0: the kernel does what is explained, whatever that is; 1: it does not, or was not asked. */
export async function explainLive(
  args: readonly string[],
  help: string,
  terminal: Terminal,
): Promise<number> {
  const complain = (message: string, cure: string | null = null): 1 =>
    complainOfUsage(terminal, "explain", message, cure);
  const words = await readLiveWords("explain", help, args, SWITCHES, terminal);
  if (typeof words === "number") return words;
  const asked = readPacketWords(words.words);
  if (asked.kind === "wrong") return complain(asked.message, asked.help);
  if (asked.kind === "pair") return complain("--live is for packets: ask with `to`");
  const open = await openFile("explain", words, terminal);
  if (open === null) return 1;
  const { usable, desired } = open;
  if (open.store.readApplied() === null)
    return complain(`${words.file} is not applied`, callOf("apply", words));
  const network = compileNetwork(usable.resolved, usable.loadBalancerBinds);
  const key = asked.question.sourcePort ?? FIRST_KEY + Math.floor(Math.random() * KEY_COUNT);
  const trace = explain(network, { ...asked.question, sourcePort: key }, { back: true });
  if ("kind" in trace) return complain(trace.message, suggestWord(trace.name, trace.known));
  const namespace = desired.namespaceOf.get(asked.question.from.text);
  const places = livePlaces(desired.state, network.topology);
  if (namespace === undefined || places === null)
    return complain(`nothing can be sent from ${asked.question.from.text}: it is no namespace here`);
  const to = addressAsked(trace);
  if (to === null) return complain(`there is nothing to send: ${trace.there.summary}`);
  const question = { protocol: asked.question.protocol, to, port: asked.question.port ?? 0, key };
  const listenedAt = [...places.byLink.values()];
  const verdictOn = ({ captures, traced }: Seen): LiveVerdict => ({
    ...compare(trace, key, captures, listenedAt),
    rules: compareRules(trace, usable.resolved, key, traced),
  });
  const watched = { places, edges: edgesOnTheWay(trace, desired.namespaceOf) };
  const seen = await watchQuestion(namespace, question, watched, (some) => isAgreed(verdictOn(some)));
  if (typeof seen === "string") return complain(seen);
  const { captures, untold } = seen;
  const verdict = verdictOn(seen);
  if (words.line.has("json")) {
    const live = { agrees: isAgreed(verdict), frames: captures.length, ...verdict };
    terminal.write(`${JSON.stringify({ ...(traceJson(trace) as object), live }, null, 2)}\n`);
  } else {
    const shown = words.line.has("back") ? trace : { ...trace, back: null };
    const level = words.line.has("brief") ? "brief" : words.line.has("full") ? "full" : "normal";
    const text = [
      `${textOf(shown, level, terminal)}\n`,
      level === "brief" ? "" : rulesText(verdict.rules, terminal),
      ...untold.map((why) => `no rules of the kernel are known of ${why}\n`),
      verdict.isUnanswered ? silenceText(trace) : "",
      verdictText(captures, verdict, terminal),
    ];
    terminal.write(text.join(""));
  }
  return isAgreed(verdict) ? 0 : 1;
}

/** Namespaces of those whose rules the packet or its answer meets. */
function edgesOnTheWay(
  { there, back }: Trace,
  namespaceOf: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const nodes = [...there.hops, ...(back?.hops ?? [])].map(({ node }) => node);
  return new Map(
    nodes.flatMap(({ kind, name }) => {
      const namespace = kind === "edge" || kind === "fence" ? namespaceOf.get(name) : undefined;
      return namespace === undefined ? [] : [[name, namespace] as const];
    }),
  );
}

/** Null: the packet never leaves who asks. */
function addressAsked({ there, question }: Trace): string | null {
  if (typeof question.to === "string") return question.to;
  const first = there.hops[0]?.captures.map(({ frame }) => packetIn(frame)).find((packet) => packet !== null);
  return first?.destination ?? null;
}

/**
 * Whether somebody answers is not the network's affair: where no program serves what explain takes for
 * served, only the way there is compared.
 */
function compare(
  { there, back }: Trace,
  key: number,
  captures: readonly LiveCapture[],
  listenedAt: readonly LivePlace[],
): Omit<LiveVerdict, "rules"> {
  const end = there.hops[there.end]?.node.name;
  const answer = captures.find(
    ({ node, direction, frame }) => node === end && direction === "out" && isAnswerTo(key, frame),
  );
  const body = answer === undefined ? null : packetIn(answer.frame)?.body;
  const isRefused = body?.kind === "tcp" && body.flags.includes("rst");
  const isUnanswered = back !== null && SERVED.has(there.disposition) && (answer === undefined || isRefused);
  if (!isUnanswered) {
    const hops = [...there.hops, ...(back?.hops ?? [])];
    return { disagreements: compareTrace({ hops }, captures, listenedAt), isUnanswered };
  }
  const questions = captures.filter(({ frame }) => !isAnswerTo(key, frame));
  const disagreements = compareTrace(there, questions, listenedAt);
  return { disagreements, isUnanswered: disagreements.length === 0 };
}
