// Notes what happens to frames while they travel: hops, steps, captures. One recording is one conversation
// (an ARP question with its answer, the way there, the way back); every frame on its way belongs to one.
import type { Span } from "../../diagnostic/span.ts";
import type {
  Disposition,
  TraceCapture,
  TraceHop,
  TraceLevel,
  TracePath,
  TraceStep,
  TraceStepKind,
} from "../../model/trace.ts";

export type NodeName = TraceHop["node"];

/** Identifies a node in a topology: names are unique within a kind only. */
export function nodeIdOf({ kind, name }: NodeName): string {
  return `${kind}:${name}`;
}

export interface StepDetails {
  readonly level?: TraceLevel;
  readonly span?: Span | null;
  readonly facts?: TraceStep["facts"];
}

/** One hop while it is being written. */
export class HopNote {
  readonly index: number;
  readonly node: NodeName;
  readonly parent: number | null;
  readonly ingress: string | null;
  readonly atMs: number;
  readonly recording: Recording;
  readonly #egress: string[] = [];
  readonly #steps: TraceStep[] = [];
  readonly #captures: TraceCapture[] = [];

  constructor(
    recording: Recording,
    node: NodeName,
    parent: number | null,
    ingress: string | null,
    atMs: number,
  ) {
    this.recording = recording;
    this.index = recording.hops.length;
    this.node = node;
    this.parent = parent;
    this.ingress = ingress;
    this.atMs = atMs;
    recording.hops.push(this);
  }

  step(
    kind: TraceStepKind,
    text: string,
    { level = "normal", span = null, facts = {} }: StepDetails = {},
  ): void {
    this.#steps.push({ kind, level, text, span, facts });
  }

  capture(port: string, direction: "in" | "out", frame: Uint8Array, atMs: number): void {
    this.#captures.push({ port, direction, atMs, frame });
    if (direction === "out") this.#egress.push(port);
  }

  get nodeId(): string {
    return nodeIdOf(this.node);
  }

  /** This is where the conversation's packet ended. A better end replaces a worse one: see `Recording`. */
  end(disposition: Disposition, summary: string, span: Span | null = null): void {
    const isGood = GOOD_ENDS.has(disposition);
    this.#steps.push({ kind: isGood ? "deliver" : "drop", level: "brief", text: summary, span, facts: {} });
    this.recording.end(this, disposition, summary, span);
  }

  finish(): TraceHop {
    const { node, parent, ingress, atMs } = this;
    return {
      node,
      parent,
      ingress,
      egress: this.#egress,
      atMs,
      steps: this.#steps,
      captures: this.#captures,
    };
  }
}

/** Ends that are what the sender wanted. */
const GOOD_ENDS: ReadonlySet<Disposition> = new Set(["delivered", "load-balanced", "answered-by-router"]);

/** Of several ends of one flooded packet the most telling counts; lower is more telling. */
const RANK: Readonly<Record<Disposition, number>> = {
  delivered: 0,
  "load-balanced": 0,
  "answered-by-router": 0,
  refused: 1,
  "dropped-by-firewall": 2,
  "dropped-by-policy": 3,
  "mtu-exceeded": 2,
  "ttl-expired": 2,
  "no-route": 2,
  "source-unreachable": 2,
  "arp-unanswered": 3,
  "no-address": 2,
  looped: -1,
  "dropped-by-cluster": 4,
  "not-for-us": 5,
  "vlan-mismatch": 6,
  "link-down": 6,
  flooded: 7,
};

export class Recording {
  readonly hops: HopNote[] = [];
  /** It is the way back of another one. */
  readonly isAnswer: boolean;
  readonly #wantsAnswer: boolean;
  #answer: Recording | null = null;
  #end: { hop: HopNote; disposition: Disposition; summary: string; span: Span | null } | null = null;

  /** `wantsAnswer`: what is sent back is recorded too; else it is not even sent. */
  constructor({
    wantsAnswer = false,
    isAnswer = false,
  }: { readonly wantsAnswer?: boolean; readonly isAnswer?: boolean } = {}) {
    this.isAnswer = isAnswer;
    this.#wantsAnswer = wantsAnswer;
  }

  /** The recording of the way back; null when nobody wants to know. */
  answer(): Recording | null {
    if (!this.#wantsAnswer) return null;
    this.#answer ??= new Recording({ isAnswer: true });
    return this.#answer;
  }

  get disposition(): Disposition | null {
    return this.#end?.disposition ?? null;
  }

  get hasGoodEnd(): boolean {
    return this.#end !== null && GOOD_ENDS.has(this.#end.disposition);
  }

  end(hop: HopNote, disposition: Disposition, summary: string, span: Span | null): void {
    if (this.#end !== null && RANK[this.#end.disposition] <= RANK[disposition]) return;
    this.#end = { hop, disposition, summary, span };
  }

  /** `otherwise`: what became of it when no end was noted. */
  finish(otherwise: { readonly disposition: Disposition; readonly summary: string }): TracePath {
    const end = this.#end;
    return {
      hops: this.hops.map((hop) => hop.finish()),
      disposition: end?.disposition ?? otherwise.disposition,
      end: end?.hop.index ?? this.hops.length - 1,
      summary: end?.summary ?? otherwise.summary,
      span: end?.span ?? null,
    };
  }
}
