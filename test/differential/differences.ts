// The differences that stay, by case, each with its reason: where we are stricter or safer, or say what HAProxy hides. A
// difference that is no more must be taken off this table: the test fails until then.
import type { Part } from "./comparison.ts";

export interface Difference {
  readonly because: string;
  /** For each part that differs, a text that ours has and HAProxy's has not. */
  readonly ours: Partial<Readonly<Record<Part, string>>>;
}

const TRAILERS = "chunked bodies are relayed as they come, and so the names of trailers keep their capitals";

export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  "a chunked body passes with its trailers": { because: TRAILERS, ours: { server: "X-Trailer: 1" } },
  "a chunked response passes": { because: TRAILERS, ours: { answer: "X-After: 1" } },
  "a chunked response is unwrapped for HTTP/1.0": {
    because:
      "HAProxy unwraps the body and leaves `transfer-encoding: chunked` in the head, which no client can read",
    ours: { answer: "onetwothree\n(until close)" },
  },
  "a server that answers early and resets ends the request": {
    because: "HAProxy reads on what nobody takes any more; we end the connection behind the answer",
    ours: { answer: "[closed]" },
  },
};
