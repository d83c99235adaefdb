// What rules and lines say of a stick table: that it is there, and that its keys can be made of what they
// read.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { SampleExpression, SampleType } from "../../model/sample.ts";
import type { StickKeyType } from "../../model/stick-table.ts";
import type { ExpressionContext } from "./context.ts";
import { quote, reportError } from "./expression/report.ts";
import { canCast, sampleType } from "./expression/sample-parser.ts";

const SAMPLE_TYPES: Readonly<Record<StickKeyType, SampleType>> = {
  ip: "addr",
  ipv6: "addr",
  integer: "sint",
  string: "str",
  binary: "bin",
};

/** Checked when all sections have been read. */
export function checkTable(
  context: ExpressionContext,
  name: string,
  key: SampleExpression | null,
  span: Span,
): void {
  context.deferCheck(() => {
    const table = context.stickTables.find((one) => one.name === name);
    if (table === undefined) {
      const names = context.stickTables.map((one) => one.name);
      const help = suggestWord(name, names) ?? "A section has one by its `stick-table` line.";
      reportError(context, "unknown-table", span, `there is no stick table ${quote(name)}`, help);
    } else if (table.keyBytes > 0 && key !== null && !canCast(sampleType(key), SAMPLE_TYPES[table.keyType])) {
      const message = `the keys of ${quote(name)} are of the type ${quote(table.keyType)}, which this cannot be`;
      reportError(context, "bad-expression", key.span, message, null);
    }
  });
}
