// A name that is asked for again and again, for all servers that have it, or once for a rule. Knows when, and
// what was answered; what comes of it for servers is decided by who owns it.
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { ResolversSection } from "../../model/resolvers.ts";
import type { QuestionType } from "../../protocol/dns/message.ts";
import type { KnownAddress, KnownService } from "./answer.ts";
import type { FollowedServer } from "./followed-server.ts";
import { type LookupOutcome, NameLookup } from "./name-lookup.ts";
import { Remembered } from "./remembered.ts";

export interface NameOwner {
  readonly nowMs: number;
  arm(timer: Timer, deadlineMs: number): void;
  /** There may be a question to be asked. */
  handleQuestion(name: FollowedName): void;
  /** Nobody of `nameservers` has answered in time. */
  countTimeouts(section: ResolversSection, nameservers: Iterable<number>): void;
  handleOutcome(name: FollowedName, outcome: LookupOutcome): void;
  /** It was needed once, and its answer is too old. */
  handleStale(name: FollowedName): void;
}

export class FollowedName implements TimerTarget {
  #section: ResolversSection;
  readonly name: string;
  readonly type: QuestionType;
  readonly addresses: Remembered<KnownAddress> = new Remembered(({ address }) => address);
  readonly services: Remembered<KnownService> = new Remembered(({ target, port }) => `${target}:${port}`);
  /** In the order in which they asked for it. */
  readonly servers: Set<FollowedServer> = new Set();
  /** Rules that wait for the present lookup. */
  readonly waiters: (() => void)[] = [];
  /** When there was a good answer, or when somebody began to ask. */
  lastValidMs: number;
  hasAnswer = false;
  lookup: NameLookup | null = null;
  readonly #timer: Timer = new Timer(this);
  readonly #owner: NameOwner;

  constructor(section: ResolversSection, name: string, type: QuestionType, owner: NameOwner) {
    this.#section = section;
    this.name = name;
    this.type = type;
    this.#owner = owner;
    this.lastValidMs = owner.nowMs;
  }

  get section(): ResolversSection {
    return this.#section;
  }

  /** Of another reading of the file. A lookup begins anew when it says something else. */
  setSection(section: ResolversSection): void {
    const hasChanged = textOf(section) !== textOf(this.#section);
    this.#section = section;
    if (!hasChanged) return;
    this.lookup = null;
    this.start();
  }

  /** An answer that a rule may still use. */
  get isFresh(): boolean {
    return this.hasAnswer && this.#owner.nowMs - this.lastValidMs < this.section.holdMs.valid;
  }

  start(): void {
    if (this.lookup !== null) return;
    this.lookup = new NameLookup(this.section, this.name, this.type, this.#owner.nowMs);
    this.proceed();
  }

  stop(): void {
    this.lookup = null;
    this.#owner.arm(this.#timer, Number.POSITIVE_INFINITY);
  }

  handleTimeout(nowMs: number): void {
    const { lookup } = this;
    if (lookup === null) {
      if (this.servers.size > 0) this.start();
      else this.#owner.handleStale(this);
      return;
    }
    this.#owner.countTimeouts(this.section, lookup.waiting);
    lookup.handleTimeout(nowMs);
    this.proceed();
  }

  /** The lookup has begun, or something has come to it. */
  proceed(): void {
    const { lookup } = this;
    if (lookup === null) return;
    const { outcome } = lookup;
    if (outcome === null) {
      this.#owner.arm(this.#timer, lookup.nextTimeout);
      this.#owner.handleQuestion(this);
      return;
    }
    this.lookup = null;
    const { resolveMs, holdMs } = this.section;
    const delayMs = this.servers.size > 0 ? resolveMs : holdMs.valid;
    this.#owner.arm(this.#timer, this.#owner.nowMs + delayMs);
    this.#owner.handleOutcome(this, outcome);
  }
}

/** What it says, wherever it stands. */
function textOf({ span: _, ...section }: ResolversSection): string {
  return JSON.stringify(section);
}
