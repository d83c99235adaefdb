// What members of a cluster tell each other once a second, in one datagram: who takes part as the sender sees
// it, what it holds, and how much it has heard of the others. Text, so that tcpdump -A shows it. As with NLB
// nobody proves who they are: it goes no further than the network that the cluster is in.
import { BUCKET_COUNT } from "./shares.ts";

/** Below the ports that kernels hand out. */
export const HEARTBEAT_PORT = 8861;
/** As they leave, and as they must come: no router was on the way. */
export const HEARTBEAT_HOPS = 255;
/** Of all that members say to each other. */
export const VERSION = 1;
/** Nobody has more: priorities go from 1 to 32. */
const MEMBERS_MAX = 32;
const BYTES_MAX = 65_000;
const MASK = /^[0-9a-f]{1,15}$/;

/** What its administrator wants of a member: to take part, to take nothing new, or to take nothing at all. */
export type Wish = "run" | "drain" | "stop";

/** The cluster as one member sees it, itself included. In order. */
export interface View {
  /** Whose heartbeats it hears. */
  readonly present: readonly number[];
  /** Those of them that take part. */
  readonly active: readonly number[];
}

export interface Heartbeat {
  /** The cluster's address: there may be several on one network. */
  readonly cluster: string;
  readonly member: number;
  /** Rises with each, also over restarts. */
  readonly sequence: number;
  readonly wish: Wish;
  /** It has listened for long enough to know whom it does not hear. */
  readonly isReady: boolean;
  /** Its last: it has let go of everything, and nobody needs to wait for it. */
  readonly isLeaving: boolean;
  /** Of the port rules: who has others cannot agree. */
  readonly rules: string;
  readonly view: View;
  /** The slots that it takes now, by rule. */
  readonly held: ReadonlyMap<string, readonly number[]>;
  /** The last sequence that it has heard of each member that it hears. */
  readonly heard: ReadonlyMap<number, number>;
}

export function encodeHeartbeat(heartbeat: Heartbeat): string {
  const { held, heard, ...rest } = heartbeat;
  const masks = [...held].map(([rule, slots]) => [rule, maskOf(slots)]);
  return JSON.stringify({ version: VERSION, ...rest, held: masks, heard: [...heard] });
}

/** What a datagram says, to be looked at member by member; null: it is no object. */
export function recordOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? (value as Readonly<Record<string, unknown>> | null) : null;
  } catch {
    return null;
  }
}

/** Null for anything else. */
export function decodeHeartbeat(text: string): Heartbeat | null {
  if (text.length > BYTES_MAX) return null;
  const record = recordOf(text);
  if (record === null) return null;
  const { version, cluster, member, sequence, wish, isReady, isLeaving, rules, view, held, heard } = record;
  if (version !== VERSION || typeof cluster !== "string" || typeof rules !== "string") return null;
  if (!isMember(member) || !isSequence(sequence) || !isWish(wish)) return null;
  if (typeof isReady !== "boolean" || typeof isLeaving !== "boolean") return null;
  if (!isView(view) || !isListOf(held, isHolding) || !isListOf(heard, isHearing)) return null;
  const slots = held.map(([rule, mask]) => [rule, slotsOf(mask)] as const);
  const maps = { held: new Map(slots), heard: new Map(heard) };
  return { cluster, member, sequence, wish, isReady, isLeaving, rules, view, ...maps };
}

/** A bit for each slot, the first the lowest, in hexadecimal: many rules still go into one datagram. */
function maskOf(slots: readonly number[]): string {
  return slots.reduce((mask, slot) => mask | (1n << BigInt(slot)), 0n).toString(16);
}

function slotsOf(mask: string): number[] {
  const bits = BigInt(`0x${mask}`);
  return Array.from({ length: BUCKET_COUNT }, (_, slot) => slot).filter(
    (slot) => (bits >> BigInt(slot)) & 1n,
  );
}

function isWish(value: unknown): value is Wish {
  return value === "run" || value === "drain" || value === "stop";
}

function isView(value: unknown): value is View {
  if (typeof value !== "object" || value === null) return false;
  const { present, active } = value as Readonly<Record<string, unknown>>;
  return isListOf(present, isMember) && isListOf(active, isMember);
}

function isMember(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) <= MEMBERS_MAX;
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isHolding(value: unknown): value is [string, string] {
  if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== "string") return false;
  return typeof value[1] === "string" && MASK.test(value[1]);
}

function isHearing(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && isMember(value[0]) && isSequence(value[1]);
}

function isListOf<T>(value: unknown, isOne: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isOne);
}
