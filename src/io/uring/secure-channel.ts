import type { UringChunk } from "./chunk-pool.ts";
import type { SendQueue } from "./send-queue.ts";
export interface SecureChannel {
  readonly plain: SendQueue;
  readonly hasUnread: boolean;
  start(out: SendQueue): void;
  receive(chunk: UringChunk, start: number, end: number, out: SendQueue): void;
  resume(out: SendQueue): void;
  encryptInto(out: SendQueue): void;
  queueCloseNotify(out: SendQueue): boolean;
  free(): void;
}
