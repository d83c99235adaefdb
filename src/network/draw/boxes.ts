// Sizes of boxes by their text, and rows of boxes.
import type { DrawnLine } from "./drawing.ts";

export const LINE_HEIGHT = 16;
export const PADDING = 9;
/** Room for the mark of a VLAN's colour before a line. */
export const MARK_WIDTH = 14;

const NARROW = new Set("iljtfr.,:;'|!()[]/ -");
const WIDE = new Set("mwMW@%");

/**
 * Pixels that a text takes at most in a 12 px sans-serif face: letters are taken for a little wider than they
 * are.
 */
export function textWidth(text: string): number {
  let width = 0;
  for (const letter of text)
    width += NARROW.has(letter) ? 4.6 : WIDE.has(letter) ? 11 : /[A-Z]/.test(letter) ? 8.6 : 7.2;
  return width;
}

export function sizeOf(lines: readonly DrawnLine[]): { readonly width: number; readonly height: number } {
  const widths = lines.map(({ text, vlan }) => textWidth(text) + (vlan === null ? 0 : MARK_WIDTH));
  return {
    width: Math.ceil(Math.max(64, ...widths) + 2 * PADDING),
    height: lines.length * LINE_HEIGHT + 2 * PADDING - 4,
  };
}

export function plain(...texts: readonly string[]): DrawnLine[] {
  return texts.map((text) => ({ text, vlan: null }));
}

/** "203.0.113.10 +2": the first of many, and how many more. */
export function firstAndCount(texts: readonly string[]): string {
  const [first = "", ...rest] = texts;
  return rest.length === 0 ? first : `${first} +${rest.length}`;
}
