// The reference of datacenter.yaml, from the tables that read it: one heading for each kind of entry, with
// where it stands, and a row for each key.
import { ENTRIES } from "../src/language/datacenter/datacenter-keys.ts";
import type { EntryInfo } from "../src/language/datacenter/keys.ts";
import type { JsonSchema } from "../src/language/datacenter/value-type.ts";

/** Markdown, from level 2 on. */
export function datacenterReference(): string {
  return [...ENTRIES].map(([info, places]) => section(info, places)).join("\n");
}

function section(info: EntryInfo, places: readonly string[]): string {
  const { id, doc, table } = info;
  const rows = Object.entries(table).map(([name, { type, doc: text, isRequired, notes }]) => {
    const links = [...new Set((type.nested ?? []).map(({ entry }) => `[${entry.id}](#${entry.id})`))];
    const choices = choicesOf(type.schema);
    const words = choices.length === 0 ? type.words : choices.map((choice) => `\`${choice}\``).join(", ");
    const since = notes.since === undefined ? "" : ` Needs a switch of version ${notes.since}.`;
    const fallback = isRequired ? "**required**" : (notes.default ?? "");
    const example = notes.example === undefined ? "" : `\`${name}: ${notes.example}\``;
    return [`\`${name}\``, [words, ...links].join("; "), `${text}${since}`, example, fallback];
  });
  const head = `## ${id}\n\n${doc}\n`;
  const where = places.map((place) => `\`${readable(place)}\``).filter((place) => place !== "``");
  const whereText = where.length === 0 ? "" : `\nAt ${[...new Set(where)].join(", ")}.\n`;
  return `${head}${whereText}\n${rowsAsTable(["key", "value", "meaning", "example", "default"], rows)}`;
}

/** ".machines.NAME.routes[]" as "machines: NAME: routes". */
function readable(steps: string): string {
  return steps
    .replaceAll("[]", "")
    .split(".")
    .filter((step) => step !== "")
    .join(": ");
}

/** The words of which a value, or each of its items, is one; as texts, numbers left out. */
function choicesOf(schema: JsonSchema): string[] {
  const { enum: choices, anyOf: [first] = [] } = schema as {
    enum?: readonly unknown[];
    anyOf?: readonly JsonSchema[];
  };
  if (choices !== undefined) return choices.filter((choice) => typeof choice === "string");
  return first === undefined ? [] : choicesOf(first);
}

function rowsAsTable(title: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(title) + line(title.map(() => "---")) + rows.map(line).join("");
}
