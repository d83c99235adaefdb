// What a compiled action is: it does its work on the stream and returns nothing, or a verdict that ends the
// rule set.
import type { MessageHead } from "../../../protocol/http1/message-head.ts";
import type { Stream } from "../../stream.ts";
import type { Verdict } from "../programs.ts";

/** Null: go on with the next rule. */
export type RunAction = (stream: Stream) => Verdict | null;

/** Which message edits work on. */
export type MessageSide = "request" | "response";

/** Whose addresses `set-src` and `set-dst` change: by the rule set that they stand in. */
export type AddressScope = "connection" | "session" | "stream";

export interface ActionPlace {
  readonly side: MessageSide;
  readonly scope: AddressScope;
  /** Number of the rule behind this one, where a waiting rule goes on. */
  readonly next: number;
}

export function messageOf(stream: Stream, side: MessageSide): MessageHead | null {
  return side === "request" ? stream.request : stream.response;
}

export const DONE: Verdict = { kind: "done" };
