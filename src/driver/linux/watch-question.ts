// Sends the first packet of a question into a running network and tells what became of it: the frames on
// every cable, and the rules that it met in the edges and fences that are listened at.
import { setTimeout as pause } from "node:timers/promises";
import type { TracedPacket } from "../../network/explain/compare-rules.ts";
import type { LiveCapture, LivePlace } from "../../network/explain/compare-trace.ts";
import { questionKeyOf, withoutRepeats } from "../../network/explain/live-frames.ts";
import type { LivePlaces } from "../../network/explain/live-places.ts";
import { FrameCapture } from "./frame-capture.ts";
import { RuleTrace } from "./rule-trace.ts";
import { type LiveQuestion, type Sending, sendQuestion } from "./send-question.ts";

export interface Seen {
  /** As the nodes have them. */
  readonly captures: readonly LiveCapture[];
  /** By the name of the edge or fence. */
  readonly traced: ReadonlyMap<string, readonly TracedPacket[]>;
  /** Why the kernel tells of no rules in some. */
  readonly untold: readonly string[];
}

export interface Watched {
  readonly places: LivePlaces;
  /** Namespaces by the names of the edges and fences whose rules are asked for. */
  readonly edges: ReadonlyMap<string, string>;
}

/** Before the first look: what nobody has explained has come by then, too. */
const QUIET_MS = 200;
/** tcpdump itself may be late on a busy machine. */
const [LOOKS_MAX, LOOK_MS] = [36, 50];

/** What was seen when it was as explained, or at the end of all patience; or why nothing was asked. */
export async function watchQuestion(
  namespace: string,
  question: LiveQuestion,
  { places, edges }: Watched,
  isAsExplained: (seen: Seen) => boolean,
): Promise<Seen | string> {
  const listener = new FrameCapture(places.namespace);
  const traces = new Map([...edges].map(([name, inside]) => [name, new RuleTrace(inside)]));
  let sending: Sending | null = null;
  try {
    const [fault, ...untold] = await Promise.all([
      listener.start(),
      ...[...traces].map(async ([name, trace]) => {
        const why = await trace.start([question.key]);
        if (why === null) return null;
        traces.delete(name);
        await trace.stop();
        return `${name}: ${why}`;
      }),
    ]);
    if (fault !== null) return `nobody can listen: ${fault} (apt-get install tcpdump tshark)`;
    sending = sendQuestion(namespace, question);
    const failure = await sending.sent;
    if (failure !== null) return `the packet was not sent: ${failure}`;
    for (let look = 1; ; look++) {
      await pause(look === 1 ? QUIET_MS : LOOK_MS);
      const seen = {
        captures: capturesOf(listener, places, question.key),
        traced: new Map([...traces].map(([name, trace]) => [name, trace.packets()])),
        untold: untold.filter((why) => why !== null),
      };
      if (look === LOOKS_MAX || isAsExplained(seen)) return seen;
    }
  } finally {
    sending?.stop();
    await Promise.all([listener.stop(), ...[...traces.values()].map((trace) => trace.stop())]);
  }
}

function capturesOf(listener: FrameCapture, { byLink }: LivePlaces, key: number): LiveCapture[] {
  const frames = listener.frames().flatMap(({ link, direction, frame }): LiveCapture[] => {
    const place: LivePlace | undefined = byLink.get(link);
    if (place === undefined || questionKeyOf(frame) !== key) return [];
    // What comes in at the switch is what the node has sent.
    return [{ ...place, direction: direction === "in" ? "out" : "in", frame }];
  });
  return withoutRepeats(frames);
}
