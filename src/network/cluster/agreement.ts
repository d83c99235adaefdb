// One member of a running cluster, sans I/O: it hears the heartbeats of the others, sees who takes part, and
// takes its share once all who do have said the same. No member leads. A slot passes from hand to hand: who
// loses it lets go first and says so, then the other takes it, so no two ever have it; in between, for the
// time of two datagrams, a new connection waits for its retransmission.
//
// Agreement is not guessed from what was heard last: a member counts only when it has said the same view
// *after* hearing that this one has it (`heard`), so an old datagram can never stand for a new opinion.
//
// What no protocol without a majority can do: two halves that do not hear each other each take everything.
// So does NLB; whoever reaches both halves would be answered twice.
import type { Ip } from "../../base/ip.ts";
import type { Heartbeat, View, Wish } from "./heartbeat.ts";
import { hasSameSlots, type SharedRule, slotOwners } from "./shares.ts";

export const HEARTBEAT_MS = 1000;
/** Five missed. */
export const LOST_AFTER_MS: number = 5 * HEARTBEAT_MS;
/**
 * How long what a member holds is good for without being written again; who could say nothing for so long has
 * to begin anew. Half of what the others wait before they take it over, so that even when two datagrams were
 * lost before a member's agent dies, its kernel has let go by then.
 */
export const LEASE_MS: number = LOST_AFTER_MS / 2;
/** Between two datagrams of one member, when much happens at once. */
const PACE_MS = 20;

export type Holdings = ReadonlyMap<string, readonly number[]>;

/** What the members of a cluster must have in common. */
export interface SharedSettings {
  /** The address that all of them answer for. */
  readonly cluster: Ip;
  readonly members: readonly number[];
  readonly rules: readonly SharedRule[];
  /** A digest of all that. */
  readonly digest: string;
}

/** First the kernel is told what is held, with a lease; only then may the heartbeat go out that says so. */
export interface MemberOutput {
  readonly held: Holdings;
  readonly isStopped: boolean;
  readonly heartbeat: Heartbeat;
}

export interface MemberStatus {
  readonly state: "listening" | "converging" | "converged" | "drained" | "stopped";
  readonly view: View;
  readonly held: Holdings;
  readonly peers: readonly PeerStatus[];
  /** Numbers that somebody gives himself who is not believed. */
  readonly strangers: readonly number[];
}

export interface PeerStatus {
  readonly member: number;
  readonly ageMs: number;
  readonly wish: Wish;
  readonly hasOtherRules: boolean;
  readonly isReady: boolean;
  /** What it holds, and the number of its last heartbeat. */
  readonly held: Holdings;
  readonly sequence: number;
}

interface Peer {
  readonly heartbeat: Heartbeat;
  readonly heardAt: number;
}

export class ClusterMember {
  readonly #member: number;
  #settings: SharedSettings;
  #wish: Wish;
  #wishSince: number;
  /** Of the next heartbeat. */
  #sequence: number;
  #startedAt: number;
  #startSequence: number;
  #isReady = false;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #sendAt: number;
  readonly #peers = new Map<number, Peer>();
  /** When they were heard last. */
  readonly #strangers = new Map<number, number>();
  #view: View = { present: [], active: [] };
  /** Of the first heartbeat that had this view and these rules. */
  #viewSequence: number;
  #isAgreed = false;
  #isLeaving = false;
  #held: Holdings = new Map();

  /** `sequence`: above all that this member has ever sent; the time of day in milliseconds will do. */
  constructor(member: number, settings: SharedSettings, wish: Wish, sequence: number, now: number) {
    this.#member = member;
    this.#settings = settings;
    this.#wish = wish;
    this.#wishSince = now;
    this.#sequence = sequence;
    this.#startSequence = sequence;
    this.#viewSequence = sequence;
    this.#startedAt = now;
    this.#sendAt = now;
  }

  receive(heartbeat: Heartbeat, now: number): void {
    this.#noticePause(now);
    const { member, sequence } = heartbeat;
    const isForUs = heartbeat.cluster === this.#settings.cluster && member !== this.#member;
    if (!isForUs || !this.#settings.members.includes(member)) return;
    const before = this.#peers.get(member)?.heartbeat;
    if (before !== undefined && sequence <= before.sequence) return;
    if (heartbeat.isLeaving) this.#peers.delete(member);
    else this.#peers.set(member, { heartbeat, heardAt: now });
    this.#strangers.delete(member);
    // It waits to be told that this was heard.
    if (before === undefined || !hasSameOpinion(before, heartbeat)) this.#sendSoon(now);
    this.#update(now);
  }

  /**
   * Somebody says that he is that member, but is not believed: he has another key, or the number of this one.
   * Whoever he is, he may take what that member would. So nothing moves while he is heard.
   */
  receiveStranger(member: number, now: number): void {
    this.#noticePause(now);
    if (!this.#settings.members.includes(member)) return;
    this.#strangers.set(member, now);
    this.#update(now);
  }

  handleTimeout(now: number): void {
    this.#noticePause(now);
    this.#update(now);
  }

  setWish(wish: Wish, now: number): void {
    if (wish === this.#wish) return;
    this.#noticePause(now);
    this.#wish = wish;
    this.#wishSince = now;
    this.#sendSoon(now);
    this.#update(now);
  }

  /** For good: the next output is the last one. Connections that are known go on. */
  leave(now: number): void {
    this.#isLeaving = true;
    this.#held = new Map();
    this.#sendAt = now;
  }

  /** What is held of rules that stay is kept until all have the new ones. */
  setSettings(settings: SharedSettings, now: number): void {
    this.#noticePause(now);
    const before = this.#settings;
    this.#settings = settings;
    for (const member of this.#peers.keys())
      if (!settings.members.includes(member)) this.#peers.delete(member);
    const kept = settings.rules.filter((rule) => before.rules.some((one) => hasSameSlots(one, rule)));
    const names = kept.map(({ name }) => name);
    this.#held = new Map([...this.#held].filter(([name]) => names.includes(name)));
    if (settings.digest !== before.digest) this.#viewSequence = this.#sequence;
    this.#sendSoon(now);
    this.#update(now);
  }

  /** Null until something is to be sent. */
  takeOutput(now: number): MemberOutput | null {
    this.#noticePause(now);
    if (now < this.#sendAt) return null;
    const heartbeat: Heartbeat = {
      cluster: this.#settings.cluster,
      member: this.#member,
      sequence: this.#sequence++,
      wish: this.#wish,
      isReady: this.#isReady,
      isLeaving: this.#isLeaving,
      rules: this.#settings.digest,
      view: this.#view,
      held: this.#held,
      heard: new Map([...this.#peers].map(([member, peer]) => [member, peer.heartbeat.sequence])),
    };
    this.#lastSentAt = now;
    this.#sendAt = now + HEARTBEAT_MS;
    return { held: this.#held, isStopped: this.#wish === "stop", heartbeat };
  }

  nextTimeout(): number {
    const lost = [...this.#peers.values()].map(({ heardAt }) => heardAt + LOST_AFTER_MS);
    const own = [
      ...(this.#isReady ? [] : [this.#startedAt + LOST_AFTER_MS]),
      ...(this.#wish === "drain" && this.#held.size > 0 ? [this.#wishSince + LOST_AFTER_MS] : []),
    ];
    const strangers = [...this.#strangers.values()].map((heardAt) => heardAt + LOST_AFTER_MS);
    return Math.min(this.#sendAt, ...lost, ...strangers, ...own);
  }

  status(now: number): MemberStatus {
    const peers = [...this.#peers].map(([member, { heartbeat, heardAt }]) => ({
      member,
      ageMs: now - heardAt,
      wish: heartbeat.wish,
      hasOtherRules: heartbeat.rules !== this.#settings.digest,
      isReady: heartbeat.isReady,
      held: heartbeat.held,
      sequence: heartbeat.sequence,
    }));
    const strangers = [...this.#strangers.keys()];
    return { state: this.#state(), view: this.#view, held: this.#held, peers, strangers };
  }

  #state(): MemberStatus["state"] {
    if (this.#wish === "stop") return "stopped";
    if (this.#wish === "drain" && this.#held.size === 0) return "drained";
    if (!this.#isReady) return "listening";
    return this.#isAgreed ? "converged" : "converging";
  }

  /**
   * Who could say nothing for so long may soon be lost to the others, and begins anew before it says more.
   */
  #noticePause(now: number): void {
    if (now - this.#lastSentAt < LEASE_MS || this.#lastSentAt < this.#startedAt) return;
    this.#peers.clear();
    this.#strangers.clear();
    this.#held = new Map();
    this.#isReady = false;
    this.#startedAt = now;
    // What is heard next may have waited just as long, and stands for nothing.
    this.#startSequence = this.#sequence;
    this.#viewSequence = this.#sequence;
    this.#sendSoon(now);
  }

  #sendSoon(now: number): void {
    this.#sendAt = Math.min(this.#sendAt, Math.max(now, this.#lastSentAt + PACE_MS));
  }

  #update(now: number): void {
    for (const [member, { heardAt }] of this.#peers)
      if (now - heardAt >= LOST_AFTER_MS) this.#peers.delete(member);
    for (const [member, heardAt] of this.#strangers)
      if (now - heardAt >= LOST_AFTER_MS) this.#strangers.delete(member);
    if (!this.#isReady && this.#knowsAll(now)) {
      this.#isReady = true;
      this.#sendSoon(now);
    }
    const view = this.#currentView();
    if (!isSameView(view, this.#view)) {
      this.#view = view;
      this.#viewSequence = this.#sequence;
      this.#sendSoon(now);
    }
    this.#isAgreed =
      this.#isReady && this.#strangers.size === 0 && [...this.#peers].every(([, peer]) => this.#agrees(peer));
    const held = this.#nextHoldings(now);
    if (isSame(held, this.#held)) return;
    this.#held = held;
    this.#sendSoon(now);
  }

  /** It has listened long enough, hears everybody, or hears all that one hears who has heard it begin. */
  #knowsAll(now: number): boolean {
    const isHeard = (member: number) => member === this.#member || this.#peers.has(member);
    return (
      now - this.#startedAt >= LOST_AFTER_MS ||
      this.#settings.members.every(isHeard) ||
      [...this.#peers.values()].some(
        ({ heartbeat: { isReady, heard, view } }) =>
          isReady && (heard.get(this.#member) ?? -1) >= this.#startSequence && view.present.every(isHeard),
      )
    );
  }

  #currentView(): View {
    const isActive = (member: number) =>
      (member === this.#member ? this.#wish : this.#peers.get(member)!.heartbeat.wish) === "run";
    const present = [...this.#peers.keys(), this.#member].sort((a, b) => a - b);
    return { present, active: present.filter(isActive) };
  }

  /** Whom all hear, all must hear: one that was lost but still holds something must not be forgotten. */
  #agrees({ heartbeat }: Peer): boolean {
    const hasHeardThis = (heartbeat.heard.get(this.#member) ?? -1) >= this.#viewSequence;
    if (!hasHeardThis || !isSameView(heartbeat.view, this.#view)) return false;
    const takesPart = this.#view.active.includes(heartbeat.member);
    return !takesPart || (heartbeat.isReady && heartbeat.rules === this.#settings.digest);
  }

  #nextHoldings(now: number): Holdings {
    if (this.#wish === "stop" || this.#isLeaving) return new Map();
    // Nobody keeps it from being drained, not even one who never agrees.
    if (this.#wish === "drain" && now - this.#wishSince >= LOST_AFTER_MS) return new Map();
    if (!this.#isAgreed) return this.#withoutLost();
    const active = new Set(this.#view.active);
    const holdings = this.#settings.rules.map((rule) => {
      const before = new Set(this.#held.get(rule.name));
      const taken = new Set(
        [...this.#peers.values()].flatMap(({ heartbeat }) => heartbeat.held.get(rule.name) ?? []),
      );
      const slots = [...slotOwners(rule, active).entries()].flatMap(([slot, owner]) =>
        owner === this.#member && (before.has(slot) || !taken.has(slot)) ? [slot] : [],
      );
      return [rule.name, slots] as const;
    });
    return new Map(holdings.filter(([, slots]) => slots.length > 0));
  }

  /**
   * Who does not hear this member has given it up, for a reason that need not show here, and has its share.
   */
  #withoutLost(): Holdings {
    const holdings = new Map(this.#held);
    for (const { heartbeat } of this.#peers.values()) {
      if (!heartbeat.isReady || heartbeat.view.present.includes(this.#member)) continue;
      for (const [name, theirs] of heartbeat.held) {
        const left = (holdings.get(name) ?? []).filter((slot) => !theirs.includes(slot));
        if (left.length > 0) holdings.set(name, left);
        else holdings.delete(name);
      }
    }
    return holdings;
  }
}

function hasSameOpinion(a: Heartbeat, b: Heartbeat): boolean {
  return a.rules === b.rules && isSameView(a.view, b.view) && a.isReady === b.isReady && a.wish === b.wish;
}

function isSameView(a: View, b: View): boolean {
  return a.present.join() === b.present.join() && a.active.join() === b.active.join();
}

function isSame(a: Holdings, b: Holdings): boolean {
  return a.size === b.size && [...a].every(([name, slots]) => slots.join() === b.get(name)?.join());
}
