// What a member's agent and the command line tell each other: two files in the agent's directory, each of
// which one side writes.
import { join } from "node:path";
import { readRecord, writeRecord } from "../../driver/linux/records.ts";
import type { MemberStatus } from "../../network/cluster/agreement.ts";

/** `drainstop`: drain, and stop once nobody is connected any more. */
export type Order = "run" | "drain" | "drainstop" | "stop";

export interface StatusRecord {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly order: Order;
  readonly state: MemberStatus["state"];
  readonly active: readonly number[];
  /** How many slots of each rule it has. */
  readonly slots: readonly { readonly rule: string; readonly count: number }[];
  /** Of a member that was ordered to take nothing new. */
  readonly connections: number | null;
  readonly peers: MemberStatus["peers"];
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

export function readStatus(directory: string): StatusRecord | null {
  return readRecord<StatusRecord>(join(directory, "status.json"));
}

/** Throws like node:fs. */
export function writeStatus(directory: string, status: StatusRecord | null): void {
  writeRecord(join(directory, "status.json"), status);
}
