// Offsets of a text as lines and columns, and back again.
import type { Span } from "../../diagnostic/span.ts";

export class LineMap {
  readonly file: string;
  readonly text: string;
  readonly #starts: number[] = [0];

  constructor(text: string, file: string) {
    this.file = file;
    this.text = text;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  /**
   * From `start` to `end`, or to the end of the first line when `end` is on a later one. Offsets in UTF-16
   * units.
   */
  spanOf(start: number, end: number): Span {
    const index = this.#lineIndexOf(start);
    const lineStart = this.#starts[index]!;
    const nextStart = this.#starts[index + 1];
    let lineEnd = nextStart === undefined ? this.text.length : nextStart - 1;
    if (lineEnd > lineStart && this.text[lineEnd - 1] === "\r") lineEnd--;
    const last = Math.max(start, Math.min(end, lineEnd));
    return {
      file: this.file,
      line: index + 1,
      column: start - lineStart + 1,
      endColumn: last - lineStart + 1,
    };
  }

  #lineIndexOf(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
