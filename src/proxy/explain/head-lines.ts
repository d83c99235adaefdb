// The lines of a message's head on their way through the rules: which are as they came, which somebody
// added, changed or took out, and who. Works on what would be encoded, so that nothing escapes it, whatever
// made the edit.
import type { Span } from "../../diagnostic/span.ts";
import type { TracedLine } from "../../model/request-trace.ts";
import type { MessageHead } from "../../protocol/http1/message-head.ts";

/** Who made an edit. */
export interface Editor {
  readonly by: string;
  readonly span: Span | null;
}

export function linesOf(head: MessageHead): string[] {
  const bytes = new Uint8Array(head.encodedLengthMax());
  const length = head.encodeInto(bytes, 0);
  return splitHead(String.fromCharCode(...bytes.subarray(0, length)));
}

/** Without the empty line at the end. */
export function splitHead(text: string): string[] {
  const end = text.indexOf("\r\n\r\n");
  return (end < 0 ? text : text.slice(0, end)).split("\r\n").filter((line) => line !== "");
}

export class HeadLines {
  #lines: TracedLine[];

  constructor(received: readonly string[]) {
    this.#lines = received.map((text) => ({ text, change: "kept", by: null, span: null }));
  }

  get lines(): readonly TracedLine[] {
    return this.#lines;
  }

  /** The head is now `now`; `editorOf` says who made the difference. Returns a sentence for each. */
  update(now: readonly string[], editorOf: (text: string) => Editor | null): string[] {
    const effects: string[] = [];
    const result: TracedLine[] = [];
    const present = this.#lines;
    const kept = commonLines(
      present.map((line) => (line.change === "removed" ? null : comparable(line.text))),
      now.map(comparable),
    );
    let at = 0;
    let old = 0;
    for (const [oldIndex, newIndex] of [...kept, [present.length, now.length] as const]) {
      const gone = present.slice(old, oldIndex);
      const come = now.slice(at, newIndex);
      result.push(...merge(gone, come, editorOf, effects));
      const same = present[oldIndex];
      if (same !== undefined) result.push({ ...same, text: now[newIndex]! });
      old = oldIndex + 1;
      at = newIndex + 1;
    }
    this.#lines = result;
    return effects;
  }
}

/**
 * Lines that went and lines that came in one place: a start line, or a header of the same name, was changed.
 */
function merge(
  gone: readonly TracedLine[],
  come: readonly string[],
  editorOf: (text: string) => Editor | null,
  effects: string[],
): TracedLine[] {
  const result: TracedLine[] = [];
  const left = [...come];
  for (const line of gone) {
    if (line.change === "removed") {
      result.push(line);
      continue;
    }
    const match = left.findIndex((text) => subject(text) === subject(line.text));
    const text = left[match];
    const editor = editorOf(text ?? line.text);
    const who = { by: editor?.by ?? null, span: editor?.span ?? null };
    if (text === undefined) {
      effects.push(`removes ${line.text}`);
      // What was added before and is gone again never was there.
      if (line.change !== "added") result.push({ text: line.text, change: "removed", ...who });
      continue;
    }
    left.splice(match, 1);
    effects.push(`changes ${line.text} to ${text}`);
    result.push({ text, change: line.change === "added" ? "added" : "changed", ...who });
  }
  for (const text of left) {
    const editor = editorOf(text);
    effects.push(`adds ${text}`);
    result.push({ text, change: "added", by: editor?.by ?? null, span: editor?.span ?? null });
  }
  return result;
}

/** Names of headers are written in lower case. */
function comparable(line: string): string {
  const colon = line.indexOf(":");
  if (colon < 0 || line.slice(0, colon).includes(" ")) return line;
  return `${line.slice(0, colon).toLowerCase()}:${line.slice(colon + 1).trim()}`;
}

function subject(line: string): string {
  const colon = line.indexOf(":");
  return colon < 0 || line.slice(0, colon).includes(" ") ? "" : line.slice(0, colon).toLowerCase();
}

/** Pairs of indexes of a longest common subsequence; null is never common. */
function commonLines(
  before: readonly (string | null)[],
  after: readonly string[],
): readonly (readonly [number, number])[] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i]![j] =
        before[i] === after[j]
          ? lengths[i + 1]![j + 1]! + 1
          : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < before.length && j < after.length; ) {
    if (before[i] === after[j]) pairs.push([i++, j++]);
    else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) i++;
    else j++;
  }
  return pairs;
}
