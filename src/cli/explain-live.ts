// `sallyport explain … --live`: the packet is sent in the network that `apply` has made, every cable is
// listened at, and the frames are held against those of the explanation.
import { setTimeout as pause } from "node:timers/promises";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { FrameCapture } from "../driver/linux/frame-capture.ts";
import { sendQuestion } from "../driver/linux/send-question.ts";
import type { Trace } from "../model/trace.ts";
import {
  compareTrace,
  type Disagreement,
  type LiveCapture,
  type LivePlace,
} from "../network/explain/compare-trace.ts";
import { compileNetwork, explain } from "../network/explain/explain.ts";
import { isAnswerTo, packetIn, questionKeyOf, withoutRepeats } from "../network/explain/live-frames.ts";
import { type LivePlaces, livePlaces } from "../network/explain/live-places.ts";
import { traceJson } from "../network/explain/trace-text.ts";
import { readPacketWords } from "../server/explain/packet-words.ts";
import { complainOfUsage } from "./command-line.ts";
import { textOf } from "./explain-packet.ts";
import { openFile, readLiveWords } from "./live-command.ts";
import { colour, type Terminal } from "./terminal.ts";

const SWITCHES = ["live", "back", "brief", "full"].map((name) => ({ name, takesValue: false }));
/** Above all ports that are served, and where Linux chooses none by itself (ip_local_port_range). */
const FIRST_KEY = 61_000;
const KEY_COUNT = 4000;
/** What was answered may still be on its way through the last switch. */
const LINGER_MS = 200;
/** tcpdump itself may be late on a busy machine. */
const LOOKS_MAX = 10;
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
    return complain(`${words.file} is not applied`, `sallyport apply ${words.file}`);
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
  const compared = (seen: readonly LiveCapture[]) => compare(trace, key, seen, [...places.byLink.values()]);
  const send = () => sendQuestion(namespace, question);
  const captures = await capture(places, key, send, (seen) => compared(seen).disagreements.length === 0);
  if (typeof captures === "string") return complain(captures);
  const { disagreements, isUnanswered } = compared(captures);
  if (words.line.has("json")) {
    const agrees = disagreements.length === 0;
    const record = { agrees, isUnanswered, frames: captures.length, disagreements };
    terminal.write(`${JSON.stringify({ ...(traceJson(trace) as object), live: record }, null, 2)}\n`);
  } else {
    const shown = words.line.has("back") ? trace : { ...trace, back: null };
    const level = words.line.has("brief") ? "brief" : words.line.has("full") ? "full" : "normal";
    const silent = isUnanswered ? `${silenceText(trace)}\n` : "";
    terminal.write(
      `${textOf(shown, level, terminal)}\n${silent}${verdictText(captures, disagreements, terminal)}`,
    );
  }
  return disagreements.length === 0 ? 0 : 1;
}

/** Null: the packet never leaves who asks. */
function addressAsked({ there, question }: Trace): string | null {
  if (typeof question.to === "string") return question.to;
  const first = there.hops[0]?.captures.map(({ frame }) => packetIn(frame)).find((packet) => packet !== null);
  return first?.destination ?? null;
}

/** The frames of the question, as the nodes have them; or why there are none. */
async function capture(
  { namespace, byLink }: LivePlaces,
  key: number,
  send: () => Promise<string | null>,
  isAsExplained: (captures: readonly LiveCapture[]) => boolean,
): Promise<LiveCapture[] | string> {
  const listener = new FrameCapture(namespace);
  try {
    const fault = await listener.start();
    if (fault !== null) return `nobody can listen: ${fault} (apt-get install tcpdump tshark)`;
    const failure = await send();
    if (failure !== null) return `the packet was not sent: ${failure}`;
    for (let look = 1; ; look++) {
      await pause(LINGER_MS);
      const frames = listener.frames().flatMap(({ link, direction, frame }): LiveCapture[] => {
        const place: LivePlace | undefined = byLink.get(link);
        if (place === undefined || questionKeyOf(frame) !== key) return [];
        // What comes in at the switch is what the node has sent.
        return [{ ...place, direction: direction === "in" ? "out" : "in", frame }];
      });
      const captures = withoutRepeats(frames);
      if (look === LOOKS_MAX || isAsExplained(captures)) return captures;
    }
  } finally {
    await listener.stop();
  }
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
): { readonly disagreements: readonly Disagreement[]; readonly isUnanswered: boolean } {
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

function silenceText({ question, there }: Trace): string {
  const what = question.port === null ? question.protocol : `${question.protocol} ${question.port}`;
  const end = there.hops[there.end]?.node.name ?? "its end";
  return `no program answers ${what} at ${end}: compared is the way there`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function verdictText(
  captures: readonly LiveCapture[],
  disagreements: readonly Disagreement[],
  { isColour }: Terminal,
): string {
  const places = new Set(captures.map(({ node, port }) => `${node} ${port}`)).size;
  if (disagreements.length === 0) {
    const good = colour(isColour, "good", "the kernel agrees");
    return `${good}: ${count(captures.length, "frame")} at ${count(places, "cable")} as explained\n`;
  }
  const lines = disagreements.map(({ node, port, direction, explained, captured }) => {
    const what = `explained ${explained ?? "nothing"}, captured ${captured ?? "nothing"}`;
    return `  ${node}, ${direction} by ${port}: ${what}\n`;
  });
  return `${colour(isColour, "error", "the kernel does otherwise")}:\n${lines.join("")}`;
}
