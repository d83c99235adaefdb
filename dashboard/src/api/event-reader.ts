// Server-sent events from bytes (HTML Living Standard, 9.2.6): names, ids and data, however the bytes are
// cut.

export interface ServerEvent {
  readonly name: string;
  readonly id: string | null;
  readonly data: string;
}

export class EventReader {
  readonly #decoder = new TextDecoder();
  #text = "";

  /** Those that are complete now. */
  receive(bytes: Uint8Array): ServerEvent[] {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    const events: ServerEvent[] = [];
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) return events;
      const event = parse(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
      if (event !== null) events.push(event);
    }
  }
}

/** Null: a comment, or a wish about pauses. */
function parse(block: string): ServerEvent | null {
  let name = "message";
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? null : { name, id, data: data.join("\n") };
}
