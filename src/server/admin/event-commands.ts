// `show events` (management manual 9.3), in HAProxy's words: the rings, what is in one, and what comes.
import type { Ring } from "../../proxy/log/ring.ts";
import { type Command, type CommandContext, type Following, message } from "./command.ts";

/** Most bytes that are made into one text. */
const TEXT_BYTES_MAX = 16_384;

export const EVENT_COMMANDS: readonly Command[] = [
  {
    name: "show events",
    usage: "[<ring>] [-w] [-n]",
    help: "what is logged to rings: all, or one ring's events, new ones only, as they come",
    level: "user",
    run: show,
  },
];

const DESCRIPTORS: readonly (readonly [name: string, description: string])[] = [
  ["stdout", "standard output (fd#1)"],
  ["stderr", "standard output (fd#2)"],
];

function show([name, ...options]: readonly string[], { actions }: CommandContext): string | Following {
  if (name === undefined) return list(actions.rings);
  if (DESCRIPTORS.some(([known]) => known === name)) return message("Nothing to report for this sink");
  const ring = actions.rings.find(({ definition }) => definition.name === name);
  if (ring === undefined) return message("No such event sink");
  if (options.some((option) => !/^-(?:w|n|wn|nw)$/.test(option))) return message("unknown option");
  const letters = options.join("");
  const events = new RingEvents(ring, letters.includes("n") ? ring.next : 0);
  if (letters.includes("w")) return events;
  let text = "";
  for (let more = events.next(); more !== ""; more = events.next()) text += more;
  return text;
}

function list(rings: readonly Ring[]): string {
  const line = (name: string, type: string, droppedCount: number, description: string) =>
    message(`    ${name.padEnd(10)} : type=${type}, ${droppedCount} dropped, ${description}`);
  return [
    message("Supported events sinks are listed below. Add -w(wait), -n(new). Any key to stop"),
    ...DESCRIPTORS.map(([name, description]) => line(name, "fd", 0, description)),
    ...rings.map(({ definition, droppedCount }) =>
      line(definition.name, "buffer", droppedCount, definition.description),
    ),
  ].join("");
}

class RingEvents implements Following {
  readonly #ring: Ring;
  #place: number;

  constructor(ring: Ring, place: number) {
    this.#ring = ring;
    this.#place = place;
  }

  next(): string {
    let text = "";
    while (text.length < TEXT_BYTES_MAX) {
      const one = this.#ring.read(this.#place);
      if (one === null) break;
      text += `${Buffer.from(one.event).toString("latin1")}\n`;
      this.#place = one.next;
    }
    return text;
  }

  watch(wake: () => void): () => void {
    return this.#ring.watch(wake);
  }
}
