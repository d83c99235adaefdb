// `external-check command` and `external-check path` (manual 4.2), and what `option external-check` needs of
// the rest of the file.
import type { ProxyDraft } from "./draft.ts";
import { displayText } from "./lexer.ts";
import { cursorOf, type ProxyLine, type Reading } from "./reading.ts";

export function readExternalCheck(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const what = cursor.expectOneOf("part of an external check", ["command", "path"]);
  if (what === null) return;
  const word = cursor.expect(what === "command" ? "a program" : "a list of directories");
  if (word !== null) line.draft.check[what] = { text: word.text, span: line.span };
  cursor.expectEnd();
}

/** When all has been read: what is missing, and what is there for nothing. */
export function checkExternalCheck({ report, global }: Reading, { kind, name, check }: ProxyDraft): void {
  // It has no servers, and what defaults say is not about it.
  if (kind === "frontend") return;
  const shown = displayText(name);
  if (check.kind !== "external") {
    for (const what of ["command", "path"] as const) {
      const word = check[what];
      if (word === null) continue;
      report.warning(
        "no-effect",
        word.span,
        `\`external-check ${what}\` is ignored for \`${shown}\``,
        "It belongs to `option external-check`.",
      );
    }
    return;
  }
  const span = check.externalSpan!;
  if (!global.allowsExternalChecks)
    report.error(
      "missing-argument",
      span,
      `programs must not be run to check \`${shown}\``,
      "Add `external-check` to the global section, which allows it.",
    );
  if (check.command === null)
    report.error(
      "missing-argument",
      span,
      `\`option external-check\` of \`${shown}\` has no program`,
      "Add `external-check command PATH`.",
    );
  if (!global.allowsForks)
    report.warning(
      "partly-supported",
      span,
      "the programs are run, but HAProxy would not start them",
      "Add `insecure-fork-wanted` to the global section, if the file is HAProxy's too.",
    );
}
