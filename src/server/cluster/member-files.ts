// What a member's agent and the command line tell each other: files in the agent's directory.
import { join } from "node:path";
import { readRecord, writeRecord } from "../../driver/linux/records.ts";
import type { MemberStatus, PeerStatus } from "../../network/cluster/agreement.ts";
import type { Order } from "../../network/cluster/order.ts";

/** How many slots of a rule a member has. */
export interface SlotCount {
  readonly rule: string;
  readonly count: number;
}

export interface PeerRecord extends Omit<PeerStatus, "held"> {
  readonly slots: readonly SlotCount[];
}

export interface StatusRecord {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly order: Order;
  readonly state: MemberStatus["state"];
  readonly active: readonly number[];
  readonly slots: readonly SlotCount[];
  /** Of a member that was ordered to take nothing new. */
  readonly connections: number | null;
  readonly peers: readonly PeerRecord[];
  readonly strangers: readonly number[];
  /** Why the kernel does not know what the member should take. */
  readonly fault: string | null;
}

export function readOrder(directory: string): Order {
  return readRecord<{ readonly order: Order }>(join(directory, "order.json"))?.order ?? "run";
}

/** Throws like node:fs. */
export function writeOrder(directory: string, order: Order): void {
  writeRecord(join(directory, "order.json"), { order });
}

/** An order for another member, which it is told over the network. */
export interface ForeignOrder {
  readonly to: number;
  readonly order: Order;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export function readForeignOrder(directory: string): ForeignOrder | null {
  return readRecord<ForeignOrder>(join(directory, "foreign-order.json"));
}

/** Throws like node:fs. */
export function writeForeignOrder(directory: string, order: ForeignOrder | null): void {
  writeRecord(join(directory, "foreign-order.json"), order);
}

export function readStatus(directory: string): StatusRecord | null {
  return readRecord<StatusRecord>(join(directory, "status.json"));
}

/** Throws like node:fs. */
export function writeStatus(directory: string, status: StatusRecord | null): void {
  writeRecord(join(directory, "status.json"), status);
}
