// Reads the actions on stick tables: `track-sc0`, `sc-inc-gpc0(0)`, `sc-set-gpt(0,1)`. HAProxy 2.6 manual,
// section 4.2.
import type { Action } from "../../../model/rule.ts";
import { TRACK_COUNT } from "../../../model/stick-table.ts";
import { checkTable } from "../check-table.ts";
import { spanInside } from "../word.ts";
import { parseInteger } from "./numbers.ts";
import { quote } from "./report.ts";
import type { ActionReader, RuleLine } from "./rule-line.ts";

const LIST_INDEX_MAX = 99;

const readTrack: ActionReader = (line) => {
  const slot = Number(line.name.text.at(-1));
  const key = line.expectSample();
  if (key === null) return null;
  const word = line.take("table") === null ? null : line.expect("the table's name");
  const table = word?.text ?? line.context.proxyName;
  if (line.context.proxyKind === "defaults" && word === null)
    return line.error(
      "missing-argument",
      line.name.span,
      "a defaults section has no stick table",
      "Add `table NAME`.",
    );
  checkTable(line.context, table, key, word?.span ?? line.name.span);
  return { kind: "track-sc", slot, key, table };
};

/** `sc-inc-gpc(INDEX,SLOT)`, `sc-inc-gpc0(SLOT)`; HAProxy takes slot 0 where nothing is said. */
function readIncrement(line: RuleLine, name: "gpc" | "gpc0" | "gpc1"): Action | null {
  const place = placeOf(line, name === "gpc");
  return place === null ? null : { kind: "sc-inc-gpc", name, ...place };
}

function readSetTag(line: RuleLine, name: "gpt" | "gpt0"): Action | null {
  const place = placeOf(line, name === "gpt");
  if (place === null) return null;
  const word = line.peek();
  const number = word === null ? null : parseInteger(word.text);
  if (number !== null) line.next();
  const value = number ?? line.expectSample();
  return value === null ? null : { kind: "sc-set-gpt", name, ...place, value };
}

function placeOf(line: RuleLine, isList: boolean): { readonly slot: number; readonly index: number } | null {
  const { name } = line;
  const open = name.text.indexOf("(");
  const given =
    open < 0
      ? []
      : name.text
          .slice(open + 1)
          .replace(/\)$/, "")
          .split(",");
  const action = open < 0 ? name.text : name.text.slice(0, open);
  const example = `Write \`${action}(${isList ? "INDEX,SLOT" : "SLOT"})\`.`;
  if (isList && given.length < 2)
    return line.error(
      "missing-argument",
      name.span,
      `the place in the list is missing behind ${quote(action)}`,
      example,
    );
  const numbers = given.map((text) => (text === "" ? 0 : parseInteger(text)));
  const [index, slot] = isList ? [numbers[0], numbers[1]] : [0, numbers[0] ?? 0];
  const span = spanInside(name, Math.max(0, open), name.text.length);
  if (given.length > (isList ? 2 : 1) || numbers.includes(null))
    return line.error("bad-argument", span, `${quote(name.text)} is not well-formed`, example);
  if (index! < 0 || index! > LIST_INDEX_MAX)
    return line.error("bad-argument", span, `a place in a list is from 0 to ${LIST_INDEX_MAX}`, example);
  if (slot! < 0 || slot! >= TRACK_COUNT)
    return line.error(
      "bad-argument",
      span,
      `tracked keys are numbered from 0 to ${TRACK_COUNT - 1}`,
      example,
    );
  return { slot: slot!, index: index! };
}

export const TRACK_ACTIONS: Readonly<Record<string, ActionReader>> = {
  "track-sc0": readTrack,
  "track-sc1": readTrack,
  "track-sc2": readTrack,
};

export const COUNTER_ACTIONS: Readonly<Record<string, ActionReader>> = {
  "sc-inc-gpc": (line) => readIncrement(line, "gpc"),
  "sc-inc-gpc0": (line) => readIncrement(line, "gpc0"),
  "sc-inc-gpc1": (line) => readIncrement(line, "gpc1"),
  "sc-set-gpt": (line) => readSetTag(line, "gpt"),
  "sc-set-gpt0": (line) => readSetTag(line, "gpt0"),
};
