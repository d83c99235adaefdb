// `do-resolve(VARIABLE,RESOLVERS[,ipv4|ipv6]) EXPRESSION` (manual 4.2).
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { Action } from "../../../model/rule.ts";
import { spanInside, type Word } from "../word.ts";
import { describeVariable, isVariableName } from "./argument-values.ts";
import { quote, reportError } from "./report.ts";
import type { RuleLine } from "./rule-line.ts";

const EXAMPLE = "Write `do-resolve(txn.NAME,RESOLVERS,ipv4) hdr(host),host_only`.";

export function readDoResolve(line: RuleLine): Action | null {
  const { name } = line;
  const inside = /^do-resolve\((.*)\)$/.exec(name.text)?.[1];
  const [variable = "", resolvers = "", family, ...more] = inside?.split(",") ?? [];
  if (inside === undefined || variable === "" || resolvers === "" || more.length > 0)
    return line.error(
      "missing-argument",
      name.span,
      "`do-resolve` needs the name of a variable and that of a `resolvers` section",
      EXAMPLE,
    );
  const start = "do-resolve(".length;
  if (!isVariableName(variable)) {
    const help = "Names begin with `proc.`, `sess.`, `txn.`, `req.` or `res.`.";
    return line.error(
      "bad-variable",
      spanInside(name, start, start + variable.length),
      describeVariable(variable),
      help,
    );
  }
  const resolversAt = start + variable.length + 1;
  checkResolvers(line, {
    ...name,
    text: resolvers,
    span: spanInside(name, resolversAt, resolversAt + resolvers.length),
  });
  if (family !== undefined && family !== "ipv4" && family !== "ipv6") {
    const familyAt = resolversAt + resolvers.length + 1;
    const span = spanInside(name, familyAt, familyAt + Math.max(1, family.length));
    return line.error("unknown-word", span, `${quote(family)} is no address family`, "Possible: ipv4, ipv6.");
  }
  const value = line.expectSample();
  if (value === null) return null;
  return { kind: "do-resolve", variable, resolvers, family: family === "ipv4" ? 4 : 6, value };
}

/** Its section may come later. */
function checkResolvers({ context }: RuleLine, { text, span }: Word): void {
  context.deferCheck(() => {
    const { resolvers } = context.names;
    if (resolvers.has(text)) return;
    const help = suggestWord(text, resolvers) ?? `Add a section \`resolvers ${text}\`.`;
    reportError(context, "unknown-name", span, `there is no section ${quote(`resolvers ${text}`)}`, help);
  });
}
