// The differences that stay, by case, each with its reason: where we are stricter or safer, or say what
// HAProxy hides. A difference that is no more must be taken off this table: the test fails until then.
import type { Part } from "./comparison.ts";

export interface Difference {
  readonly because: string;
  /** For each part that differs, what ours has and HAProxy's has not. */
  readonly ours: Partial<Readonly<Record<Part, RegExp>>>;
}

const TRAILERS = "chunked bodies are relayed as they come, and so the names of trailers keep their capitals";
const CUT = "what was cut must not look as if it had ended: the reset is passed on";
const ABORT =
  "HAProxy looks after such clients only when the frontend has the option too, which its manual does not say";

export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  "a chunked body passes with its trailers": { because: TRAILERS, ours: { server: /X-Trailer: 1/ } },
  "a chunked response passes": { because: TRAILERS, ours: { answer: /X-After: 1/ } },
  "a chunked response is unwrapped for HTTP/1.0": {
    because:
      "HAProxy unwraps the body and leaves `transfer-encoding: chunked` in the head, which no client can read",
    ours: { answer: /onetwothree\n\(until close\)/ },
  },
  "a server that answers early and resets ends the request": {
    because: "HAProxy reads on what nobody takes any more; we end the connection behind the answer",
    ours: { answer: /\[closed\]/ },
  },
  "a client that is cut while the server thinks": {
    because:
      "HAProxy sees it when the answer comes; we see it at once, say CH as the manual has it, and free the server",
    ours: { log: /CH--/ },
  },
  "interim responses are not for HTTP/1.0": {
    because:
      "RFC 9110 section 15.2 forbids what HAProxy does, and clients of HTTP/1.0 take it for the answer",
    ours: { answer: /^HTTP\/1.1 200 OK/ },
  },
  "a reused connection that dies under a request is replaced": {
    because:
      "an idempotent request on a connection that the server had given up is repeated (RFC 9110 section 9.2.2)",
    ours: { answer: /again/, server: /new GET \/2/, log: /GET \/2/ },
  },
  "a backend without servers is 503": {
    because:
      "an errorfile is given its length and our version, so it cannot be taken for cut and the connection lives",
    ours: { answer: /content-length: 26/ },
  },
  "a client that leaves the queue frees its place": {
    because:
      "as when it is cut while the server thinks: we see it at once, and do not ask a server for nobody",
    ours: { server: /^(?![\s\S]*one-at-a-time\/2)/, log: /CQ--/ },
  },
  "abortonclose gives up a connect": {
    because: ABORT,
    ours: { answer: /^\[closed\]/, log: /-1\/-1\/n -1 bytes - - CC--/ },
  },
  "abortonclose gives up a server that thinks": {
    because: ABORT,
    ours: { answer: /400 Bad request/, log: /-1\/n 400 bytes - - CH--/ },
  },
  "invalid bytes in a target pass where they are accepted": {
    because:
      "`option accept-invalid-http-request` does not loosen our parser: such bytes never reach a server",
    ours: { answer: /400 Bad request/, server: /^$/, log: /<BADREQ>/ },
  },
  "a reset server ends the connection": { because: CUT, ours: { answer: /\[reset\]/ } },
  "a silent server times out": { because: CUT, ours: { answer: /\[reset\]/ } },
  "a missing PROXY header ends the connection": {
    because: "both cut it, and whether the client sees a reset depends on whether its bytes had been read",
    ours: { answer: /\[closed\]/ },
  },
};
