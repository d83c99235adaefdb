// The `stick` lines of a backend: `on`, `match`, `store-request`, `store-response` (manual 4.2).
import type { StickRule } from "../../model/stick-table.ts";
import { checkTable } from "./check-table.ts";
import { isConditionKeyword, parseCondition } from "./expression/condition-parser.ts";
import { parseSampleWords } from "./expression/sample-parser.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";

const KINDS = {
  on: { matches: true, stores: "request" },
  match: { matches: true, stores: null },
  store: { matches: false, stores: "request" },
  "store-request": { matches: false, stores: "request" },
  "store-response": { matches: false, stores: "response" },
} as const satisfies Record<string, Pick<StickRule, "matches" | "stores">>;
type Kind = keyof typeof KINDS;

export function readStick(line: ProxyLine): void {
  const { draft, reading } = line;
  const cursor = cursorOf(line);
  const kind = cursor.expectOneOf("kind of `stick`", Object.keys(KINDS) as Kind[]);
  if (kind === null || cursor.expect("an expression") === null) return;
  const direction = KINDS[kind].stores === "response" ? "response" : "request";
  const context = reading.contextFor(draft, direction);
  const read = parseSampleWords(line.words, 2, context, direction);
  if (read === null) return;
  let { next } = read;
  let table = draft.name;
  let tableSpan = line.span;
  if (line.words[next]?.text === "table") {
    const name = line.words[next + 1];
    if (name === undefined) {
      line.report.error("missing-argument", line.words[next]!.span, "the table's name is missing");
      return;
    }
    table = name.text;
    tableSpan = name.span;
    next += 2;
  }
  const rest = line.words.slice(next);
  if (rest[0] !== undefined && !isConditionKeyword(rest[0])) {
    const help = "Possible: `table NAME`, `if …`, `unless …`.";
    line.report.error("unexpected-word", rest[0].span, `\`${rest[0].text}\` is not expected here`, help);
    return;
  }
  const condition = rest.length === 0 ? null : parseCondition(rest, context, direction);
  if (rest.length > 0 && condition === null) return;
  checkTable(context, table, read.sample, tableSpan);
  reading.stuckTables.add(table);
  draft.stickRules.push({ ...KINDS[kind], key: read.sample, table, condition, span: line.span });
}
