// What was read, as text for goldens: values with their places, without what was not said.
import type { Datacenter } from "../../model/datacenter.ts";

export function printModel(datacenter: Datacenter): string {
  return `${printObject(datacenter, "")}`;
}

function printObject(value: object, indent: string): string {
  let text = "";
  for (const [name, item] of Object.entries(value)) {
    if (item === null || (Array.isArray(item) && item.length === 0) || name === "span") continue;
    text += `${indent}${name}:${printValue(item, indent)}`;
  }
  return text;
}

function printValue(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    return `\n${value.map((item) => `${indent}  -${printValue(item, `${indent}    `)}`).join("")}`;
  }
  if (typeof value !== "object" || value === null) return ` ${JSON.stringify(value)}\n`;
  const { span, ...rest } = value as Record<string, unknown>;
  const place = span === undefined ? "" : ` @${printSpan(span as Record<string, unknown>)}`;
  const [only, ...others] = Object.keys(rest);
  if (only === "value" && others.length === 0)
    return ` ${JSON.stringify(withoutNulls(rest["value"]))}${place}\n`;
  return `${place}\n${printObject(rest, `${indent}  `)}`;
}

function printSpan({ file, line, column, endColumn }: Record<string, unknown>): string {
  return `${file === "datacenter.yaml" ? "" : `${file}:`}${line}:${column}-${endColumn}`;
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
}
