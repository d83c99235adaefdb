// What `capture` rules, and the converters of that name, keep of a message for the log.
import type { Stream } from "../stream.ts";

/** Cut to the slot's length. A slot that was not declared keeps nothing. */
export function keepCapture(stream: Stream, side: "request" | "response", slot: number, text: string): void {
  const { requestCaptures, responseCaptures } = stream.frontend.settings;
  const slots = side === "request" ? requestCaptures : responseCaptures;
  const declared = slots[slot];
  if (declared === undefined) return;
  const values =
    side === "request"
      ? (stream.requestCaptures ??= slots.map(() => null))
      : (stream.responseCaptures ??= slots.map(() => null));
  values[slot] = text.slice(0, declared.length);
}
