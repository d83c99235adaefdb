// Values as YAML text: plain where nobody can misread them, quoted else; on one line where they fit.
import type { DocumentValue } from "../../model/document-edit.ts";

export type QuoteStyle = "plain" | "single" | "double";

/** Longer ones are written over several lines where the text around them is, too. */
const WIDTH_MAX = 100;

/** On one line: `{vlan: 20}`, `[a, b]`, `"5.5"`. */
export function formatFlow(value: DocumentValue, style: QuoteStyle = "plain"): string {
  if (typeof value === "string") return formatString(value, style, true);
  if (value === null || typeof value !== "object") return String(value);
  if (isList(value)) return `[${value.map((item) => formatFlow(item)).join(", ")}]`;
  const pairs = Object.entries(value).map(
    ([name, item]) => `${formatString(name, "plain", true)}: ${formatFlow(item)}`,
  );
  return `{${pairs.join(", ")}}`;
}

/**
 * What stands behind `key:` or `-` in block style, without the blank before it. `indent` is the column of
 * that key or dash, from 0.
 */
export function formatBlock(value: DocumentValue, indent: number, newline: string): string {
  if (typeof value === "string") return formatString(value, "plain", false);
  const flow = formatFlow(value);
  if (value === null || typeof value !== "object" || indent + flow.length <= WIDTH_MAX) return flow;
  const inner = indent + 2;
  const start = newline + " ".repeat(inner);
  if (isList(value)) return value.map((item) => `${start}- ${formatBlock(item, inner, newline)}`).join("");
  return Object.entries(value)
    .map(([name, item]) => start + formatPair(name, item, inner, newline))
    .join("");
}

/** `name: value`, or `name:` with the rest on the lines below. */
export function formatPair(name: string, value: DocumentValue, indent: number, newline: string): string {
  const text = formatBlock(value, indent, newline);
  return `${formatString(name, "plain", false)}:${text.startsWith(newline) ? "" : " "}${text}`;
}

export function formatString(text: string, style: QuoteStyle, isInFlow: boolean): string {
  const isPrintable = !/[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]|[\ud800-\udfff]/.test(text);
  if (style === "single" && isPrintable) return `'${text.replaceAll("'", "''")}'`;
  if (style === "plain" && isPrintable && isPlain(text, isInFlow)) return text;
  return JSON.stringify(text);
}

/**
 * Narrower than YAML allows: also what YAML 1.1 or a hasty reader could take for something else is quoted.
 */
function isPlain(text: string, isInFlow: boolean): boolean {
  if (!/^[\p{L}\p{N}_./](?:[\p{L}\p{N}_./@+ :-]*[\p{L}\p{N}_./@+-])?$/u.test(text)) return false;
  if (/: | #|^(true|false|null|yes|no|on|off|y|n)$/i.test(text)) return false;
  if (/^[-+.\d][\d_]*(\.\d*)?(e[-+]?\d+)?$/i.test(text) || /^0[xob]/i.test(text)) return false;
  // MAC addresses and addresses with ports are quoted everywhere else, too.
  if (/^[\da-f.]+(:[\da-f]+)+$/i.test(text)) return false;
  return !isInFlow || !text.includes(":") || /\w+ .*\w:\d+/.test(text);
}

export function isList(value: DocumentValue): value is readonly DocumentValue[] {
  return Array.isArray(value);
}
