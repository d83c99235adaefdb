// Writes a word so that the lexer reads the same word back (manual 2.2).
import { displayText } from "./lexer.ts";

/** `text` has one UTF-16 unit per byte, as words do. */
export function quoteWord(text: string): string {
  if (/^(?:[\w\-.,:;/%()[\]{}*+?^=@!<>|&~]|\\\d)+$/.test(text)) return text;
  const shown = displayText(text);
  const isPrintable = !/[\x00-\x1f\x7f]/.test(shown) && !shown.includes("\ufffd");
  if (isPrintable && !shown.includes("'")) return `'${shown}'`;
  const source = isPrintable ? shown : text;
  return `"${source.replace(/["\\$]/g, "\\$&").replace(/[\x00-\x1f\x7f-\xff]/g, (unit) => (isPrintable ? unit : hexEscape(unit)))}"`;
}

function hexEscape(unit: string): string {
  return `\\x${unit.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
