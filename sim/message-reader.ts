// Reads HTTP/1 messages as the simulated clients and servers see them. Written apart from src/protocol on
// purpose and much simpler: what the proxy's parser gets wrong, this one must not get wrong in the same
// way. Slow and strict.

export interface ReadMessage {
  readonly startLine: string;
  /** Lower-case names; several lines of a name are joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  /** As far as it came. */
  body: Uint8Array;
  isComplete: boolean;
}

type Framing =
  | { readonly kind: "length"; rest: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until-close" };

export type ReaderEvent =
  | { readonly kind: "head"; readonly message: ReadMessage }
  | { readonly kind: "complete"; readonly message: ReadMessage };

/** What kind of body the head announces; the caller knows what was asked. */
export type BodyRule = "as-announced" | "none" | "tunnel";

/** Throws a MalformedMessage at anything that is no HTTP. */
export class MessageReader {
  /** Bytes that were not used up; after a tunnel began, all that comes. */
  rest: Buffer = Buffer.alloc(0);
  message: ReadMessage | null = null;
  isTunnel = false;
  readonly #ruleOf: (startLine: string, headers: ReadonlyMap<string, string>) => BodyRule;
  readonly #isResponse: boolean;
  #framing: Framing | null = null;
  #parts: Buffer[] = [];

  constructor(
    isResponse: boolean,
    ruleOf: (startLine: string, headers: ReadonlyMap<string, string>) => BodyRule,
  ) {
    this.#isResponse = isResponse;
    this.#ruleOf = ruleOf;
  }

  receive(bytes: Uint8Array): ReaderEvent[] {
    this.rest = this.rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.rest, bytes]);
    const events: ReaderEvent[] = [];
    while (!this.isTunnel && this.#step(events));
    return events;
  }

  /** The peer sends no more: true when that is where a message may end. */
  finish(): ReadMessage | null {
    const message = this.message;
    if (message !== null && this.#framing?.kind === "until-close") {
      this.#complete();
      return message;
    }
    if (message !== null) message.body = Buffer.concat(this.#parts);
    return null;
  }

  #step(events: ReaderEvent[]): boolean {
    if (this.message === null) return this.#readHead(events);
    const message = this.message;
    if (!this.#readBody()) return false;
    events.push({ kind: "complete", message });
    return true;
  }

  #readHead(events: ReaderEvent[]): boolean {
    const end = this.rest.indexOf("\r\n\r\n");
    if (end < 0) {
      if (this.rest.length > 64 * 1024) throw new MalformedMessage("a head without end");
      return false;
    }
    const [startLine, ...lines] = this.rest.toString("latin1", 0, end).split("\r\n");
    this.rest = this.rest.subarray(end + 4);
    const headers: Map<string, string> = new Map();
    for (const line of lines) {
      const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line);
      if (match === null) throw new MalformedMessage(`header line ${JSON.stringify(line)}`);
      const name = match[1]!.toLowerCase();
      headers.set(name, headers.has(name) ? `${headers.get(name)}, ${match[2]}` : match[2]!);
    }
    const message = { startLine: startLine!, headers, body: Buffer.alloc(0), isComplete: false };
    this.message = message;
    this.#parts = [];
    this.#framing = this.#framingOf(startLine!, headers);
    events.push({ kind: "head", message });
    return true;
  }

  #framingOf(startLine: string, headers: ReadonlyMap<string, string>): Framing {
    const rule = this.#ruleOf(startLine, headers);
    if (rule === "tunnel") this.isTunnel = true;
    if (rule !== "as-announced") return { kind: "length", rest: 0 };
    const encoding = headers.get("transfer-encoding");
    const length = headers.get("content-length");
    if (encoding !== undefined) {
      if (encoding !== "chunked" || length !== undefined) throw new MalformedMessage("two framings");
      return { kind: "chunked" };
    }
    if (length !== undefined) {
      if (!/^\d+$/.test(length)) throw new MalformedMessage(`content-length ${length}`);
      return { kind: "length", rest: Number(length) };
    }
    return this.#isResponse ? { kind: "until-close" } : { kind: "length", rest: 0 };
  }

  #readBody(): boolean {
    const framing = this.#framing!;
    if (framing.kind === "chunked") return this.#readChunks();
    const taken = framing.kind === "length" ? Math.min(framing.rest, this.rest.length) : this.rest.length;
    if (taken > 0) this.#parts.push(this.rest.subarray(0, taken));
    this.rest = this.rest.subarray(taken);
    if (framing.kind === "until-close") return false;
    framing.rest -= taken;
    if (framing.rest > 0) return false;
    this.#complete();
    return true;
  }

  #readChunks(): boolean {
    for (;;) {
      const lineEnd = this.rest.indexOf("\r\n");
      if (lineEnd < 0) return false;
      const line = this.rest.toString("latin1", 0, lineEnd);
      if (!/^[0-9a-f]{1,8}(;.*)?$/i.test(line))
        throw new MalformedMessage(`chunk line ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      if (size === 0) return this.#readTrailer(lineEnd + 2);
      const end = lineEnd + 2 + size;
      if (this.rest.length < end + 2) return false;
      if (this.rest.toString("latin1", end, end + 2) !== "\r\n")
        throw new MalformedMessage("chunk without end");
      this.#parts.push(this.rest.subarray(lineEnd + 2, end));
      this.rest = this.rest.subarray(end + 2);
    }
  }

  #readTrailer(start: number): boolean {
    const isEmpty = this.rest.toString("latin1", start, start + 2) === "\r\n";
    const end = isEmpty ? start : this.rest.indexOf("\r\n\r\n", start) + 2;
    if (end < start || this.rest.length < end + 2) return false;
    this.rest = this.rest.subarray(end + 2);
    this.#complete();
    return true;
  }

  #complete(): void {
    const message = this.message!;
    message.body = Buffer.concat(this.#parts);
    message.isComplete = true;
    this.#parts = [];
    this.message = null;
    this.#framing = null;
  }
}

export class MalformedMessage extends Error {}
