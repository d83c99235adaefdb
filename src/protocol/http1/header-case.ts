// Names of headers in the case that peers want which do not know that case means nothing (`h1-case-adjust`).
// A pass over a head that is encoded already, since a name of another case is as long: whoever has no such
// peers pays nothing for it, and rules, logs and the rest of us know lower case only.
import { Buffer } from "node:buffer";
import { readLatin1 } from "./bytes.ts";

const CR = 13;
const LF = 10;
const COLON = 58;

export class HeaderCase {
  /** By lower case. */
  readonly #names: Map<string, Uint8Array>;

  /** `names` as they are to be written. */
  constructor(names: readonly string[]) {
    this.#names = new Map(names.map((name) => [name.toLowerCase(), Buffer.from(name, "latin1")]));
  }

  /** bytes[start, end) begins with a start line; what stands behind the empty line is left alone. */
  adjust(bytes: Uint8Array, start: number, end: number): void {
    let at = behindLine(bytes, start, end);
    while (at < end && bytes[at] !== CR && bytes[at] !== LF) {
      const lineEnd = behindLine(bytes, at, end);
      const colon = bytes.indexOf(COLON, at);
      if (colon > at && colon < lineEnd) {
        const name = this.#names.get(readLatin1(bytes, at, colon));
        if (name !== undefined) bytes.set(name, at);
      }
      at = lineEnd;
    }
  }

  /** The same for a message as Latin-1 text. */
  adjustText(text: string): string {
    const bytes = Buffer.from(text, "latin1");
    this.adjust(bytes, 0, bytes.length);
    return bytes.toString("latin1");
  }
}

function behindLine(bytes: Uint8Array, start: number, end: number): number {
  const lineFeed = bytes.indexOf(LF, start);
  return lineFeed < 0 || lineFeed >= end ? end : lineFeed + 1;
}
