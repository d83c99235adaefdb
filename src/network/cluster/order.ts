// What a member is told to do, and how another member tells it so: one datagram, which is believed only with
// the cluster's key. It answers a heartbeat of the member that it is for, so an old one that somebody
// recorded says nothing any more, and no clocks need to agree.
import { recordOf, VERSION, type Wish } from "./heartbeat.ts";

/** `drainstop`: drain, and stop once nobody is connected any more. */
export type Order = "run" | "drain" | "drainstop" | "stop";

const ORDERS: readonly string[] = ["run", "drain", "drainstop", "stop"];
/** How many heartbeats later an order may come: they can follow each other closely when much happens. */
const HEARTBEATS_BETWEEN_MAX = 30;

export interface OrderMessage {
  /** The cluster's address. */
  readonly cluster: string;
  readonly from: number;
  readonly to: number;
  readonly order: Order;
  /** Sequence of the last heartbeat that was heard of the member that it is for. */
  readonly answers: number;
}

export function encodeOrder(message: OrderMessage): string {
  return JSON.stringify({ version: VERSION, kind: "order", ...message });
}

/** Null for anything else. */
export function decodeOrder(text: string): OrderMessage | null {
  const record = recordOf(text);
  if (record === null) return null;
  const { version, kind, cluster, from, to, order, answers } = record;
  if (version !== VERSION || kind !== "order" || typeof cluster !== "string" || !isOrder(order)) return null;
  if (!isNumber(from) || !isNumber(to) || !isNumber(answers)) return null;
  return { cluster, from, to, order, answers };
}

export function wishOf(order: Order): Wish {
  return order === "drainstop" ? "drain" : order;
}

/** Decides which orders are new: each heartbeat can be answered by one. */
export class OrderGate {
  #last: { readonly answers: number; readonly order: Order } = { answers: 0, order: "run" };

  /** `sequence`: of the last heartbeat that this member has sent. */
  takes({ answers, order }: OrderMessage, sequence: number): boolean {
    if (answers > sequence || answers < sequence - HEARTBEATS_BETWEEN_MAX) return false;
    if (answers < this.#last.answers) return false;
    // It is sent until its effect is seen, so the same one may come twice.
    if (answers === this.#last.answers && order !== this.#last.order) return false;
    this.#last = { answers, order };
    return true;
  }
}

function isOrder(value: unknown): value is Order {
  return typeof value === "string" && ORDERS.includes(value);
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
