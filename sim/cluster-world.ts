// A cluster on virtual time: its members, a network that loses, delays and cuts, and kernels whose leases run
// out. It watches after every event that no slot is taken by two, and says what to reproduce when one is.

import { seededRandom } from "../src/io/memory/seeded-random.ts";
import {
  ClusterMember,
  HEARTBEAT_MS,
  type Holdings,
  LEASE_MS,
  type SharedSettings,
} from "../src/network/cluster/agreement.ts";
import { decodeHeartbeat, encodeHeartbeat, type Wish } from "../src/network/cluster/heartbeat.ts";
import { type SharedRule, slotCount } from "../src/network/cluster/shares.ts";

/** As many in a row as a lease allows for. */
const LOST_IN_A_ROW_MAX = 2;

interface Node {
  readonly member: number;
  core: ClusterMember;
  settings: SharedSettings;
  wish: Wish;
  isAlive: boolean;
  /** Until then it neither hears nor does anything. */
  pausedUntil: number;
  /** What its kernel takes, and until when. */
  held: Holdings;
  leaseEnd: number;
}

interface Delivery {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export interface Faults {
  /** Chance that a datagram is lost on the way to one member. */
  readonly loss: number;
  readonly delayMaxMs: number;
}

export class ClusterWorld {
  now: number = 1_000_000;
  faults: Faults = { loss: 0, delayMaxMs: 2 };
  /** Whether the network takes anything from one member to another. */
  hears: (to: number, from: number) => boolean;
  /** What two had at a time; it need not hold while some do not hear each other. */
  readonly overlaps: string[] = [];
  readonly random: () => number;
  readonly nodes: Map<number, Node> = new Map();
  #deliveries: Delivery[] = [];
  readonly #lostInARow = new Map<string, number>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.hears = () => true;
  }

  start(member: number, settings: SharedSettings, wish: Wish = "run"): void {
    const core = new ClusterMember(member, settings, wish, this.now, this.now);
    const held = new Map<string, number[]>();
    const kernel = { held, leaseEnd: Number.POSITIVE_INFINITY };
    this.nodes.set(member, { member, core, settings, wish, isAlive: true, pausedUntil: 0, ...kernel });
  }

  /** The agent ends; what the kernel had goes on until its lease runs out. */
  kill(member: number): void {
    this.nodes.get(member)!.isAlive = false;
  }

  /** An orderly end. */
  leave(member: number): void {
    const node = this.nodes.get(member)!;
    node.core.leave(this.now);
    this.#collect(node);
    node.isAlive = false;
  }

  pause(member: number, ms: number): void {
    this.nodes.get(member)!.pausedUntil = this.now + ms;
  }

  setWish(member: number, wish: Wish): void {
    const node = this.nodes.get(member)!;
    node.wish = wish;
    node.core.setWish(wish, this.now);
    this.#collect(node);
  }

  setSettings(member: number, settings: SharedSettings): void {
    const node = this.nodes.get(member)!;
    node.settings = settings;
    node.core.setSettings(settings, this.now);
    this.#collect(node);
  }

  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = Math.min(...this.#deliveries.map(({ at }) => at), ...this.#timers());
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.#deliver();
      for (const node of this.nodes.values()) {
        if (!this.#isAwake(node)) continue;
        if (node.core.nextTimeout() <= this.now) node.core.handleTimeout(this.now);
        this.#collect(node);
      }
    }
    this.now = end;
  }

  /** Members that take a slot at this moment. */
  holdersOf(rule: SharedRule, slot: number): number[] {
    return [...this.nodes.values()].flatMap(({ member, held, leaseEnd }) =>
      leaseEnd > this.now && held.get(rule.name)?.includes(slot) === true ? [member] : [],
    );
  }

  #timers(): number[] {
    return [...this.nodes.values()].flatMap((node) =>
      node.isAlive ? [Math.max(node.core.nextTimeout(), node.pausedUntil)] : [],
    );
  }

  #isAwake(node: Node): boolean {
    return node.isAlive && node.pausedUntil <= this.now;
  }

  #deliver(): void {
    const due = this.#deliveries.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at);
    this.#deliveries = this.#deliveries.filter(({ at }) => at > this.now);
    for (const delivery of due) {
      const node = this.nodes.get(delivery.to);
      if (node === undefined || !node.isAlive) continue;
      if (this.#isAwake(node)) {
        node.core.receive(decodeHeartbeat(delivery.text)!, this.now);
        this.#collect(node);
      } else this.#deliveries.push({ ...delivery, at: node.pausedUntil });
    }
  }

  /** The kernel first, then the datagram, as the agent does it. */
  #collect(node: Node): void {
    const output = node.core.takeOutput(this.now);
    if (output === null) return;
    node.held = output.held;
    node.leaseEnd = this.now + LEASE_MS;
    this.#watch(node.settings.rules);
    const text = encodeHeartbeat(output.heartbeat);
    for (const { member: to } of this.nodes.values()) {
      if (to === node.member || !this.hears(to, node.member)) continue;
      const way = `${node.member} ${to}`;
      const inARow = this.#lostInARow.get(way) ?? 0;
      const isLost = inARow < LOST_IN_A_ROW_MAX && this.random() < this.faults.loss;
      this.#lostInARow.set(way, isLost ? inARow + 1 : 0);
      if (isLost) continue;
      const at = this.now + Math.ceil(this.random() * this.faults.delayMaxMs);
      this.#deliveries.push({ at, from: node.member, to, text });
    }
  }

  #watch(rules: readonly SharedRule[]): void {
    for (const rule of rules) {
      for (let slot = 0; slot < slotCount(rule); slot++) {
        const holders = this.holdersOf(rule, slot);
        if (holders.length > 1) this.overlaps.push(`${this.now}: ${rule.name} ${slot} ${holders.join()}`);
      }
    }
  }
}

/** Long enough for those who hear each other to agree, under any loss that the network has here. */
export const SETTLE_MS: number = 20 * HEARTBEAT_MS;
