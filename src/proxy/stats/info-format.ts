// The three forms of `show info`: "Name: value" lines, typed lines, and HAProxy's JSON.
import { tagWords } from "./columns.ts";
import type { InfoField } from "./info.ts";

/** With `hasDescriptions` each line ends in its description in quotes. */
export function formatInfo(fields: readonly InfoField[], hasDescriptions = false): string {
  return fields.map((field) => `${field.name}: ${field.value}${describe(field, hasDescriptions)}\n`).join("");
}

export function formatInfoTyped(fields: readonly InfoField[], hasDescriptions = false): string {
  return fields
    .map(
      (field) =>
        `${field.position}.${field.name}.1:${field.tags}:${field.type}:${field.value}` +
        `${describe(field, hasDescriptions)}\n`,
    )
    .join("");
}

export function formatInfoJson(fields: readonly InfoField[]): string {
  return JSON.stringify(
    fields.map(({ position, name, tags, type, value }) => ({
      field: { pos: position, name },
      processNum: 1,
      tags: tagWords(tags),
      value: { type, value },
    })),
  );
}

function describe(field: InfoField, hasDescriptions: boolean): string {
  return hasDescriptions ? `:"${field.description}"` : "";
}
