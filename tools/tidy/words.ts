// Words that do not belong into the tree: names that say nothing, types that check nothing, work left for
// later, tests switched off without a reason, files that only pass on what others have.
import { errorAt, type Finding, isTest, isTypeScript, lineAt, type Tree } from "./finding.ts";
import { importsOf, type Source, takeApart } from "./source.ts";

const EMPTY_NAMES = /^(utils?|helpers?|common|managers?)$/;
const EMPTY_TYPE_NAME =
  /\bexport (?:abstract )?(?:class|interface|type|function) (\w*(?:Manager|Helpers?|Utils?))\b/g;
const UNCHECKED = /(?:[:<,|&(]\s*|\bas\s+)any\b(?!\s*[(.:])/g;
const LEFT_FOR_LATER = new RegExp(`\\b(?:${["TODO", "FIXME", "XXX", "HACK"].join("|")})\\b`, "g");
const ONLY = /\b(?:test|it|describe|suite)\.only\b|\bonly:\s*true\b/g;
const SWITCHED_OFF = /\b(?:test|it|describe|suite)\.(?:skip|todo)\b|\b(?:skip|todo):\s*true\b/g;

export function checkWords(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const [file, text] of tree) {
    const empty = file
      .split("/")
      .flatMap((part) => part.split(/[.-]/))
      .find((word) => EMPTY_NAMES.test(word));
    if (empty !== undefined) findings.push(errorAt(file, 1, `"${empty}" says nothing of what is in it`));
    if (isTypeScript(file)) findings.push(...checkText(file, text, takeApart(text)));
  }
  return findings;
}

function checkText(file: string, text: string, source: Source): Finding[] {
  const findings: Finding[] = [];
  const look = (where: string, pattern: RegExp, message: (match: RegExpExecArray) => string | null) => {
    for (const match of where.matchAll(pattern)) {
      const sentence = message(match);
      if (sentence !== null) findings.push(errorAt(file, lineAt(text, match.index), sentence));
    }
  };
  look(source.code, EMPTY_TYPE_NAME, (match) => `${match[1]} says nothing of what it does`);
  look(source.code, UNCHECKED, () => "the type any checks nothing: unknown, or the type that it has");
  look(
    source.comments,
    LEFT_FOR_LATER,
    (match) => `${match[0]}: do it now, or write down the limit that it leaves`,
  );
  if (isTest(file)) {
    look(source.code, ONLY, () => "other tests are switched off by this");
    look(source.code, SWITCHED_OFF, (match) =>
      hasComment(source, match.index) ? null : "switched off without a reason: give it, or a comment",
    );
  }
  if (isBarrel(source)) findings.push(errorAt(file, 1, "only passes on what other files have: import those"));
  return findings;
}

/** Whether a comment stands on the line of a position or on the line before. */
function hasComment(source: Source, position: number): boolean {
  const line = lineAt(source.code, position);
  return source.comments
    .split("\n")
    .slice(Math.max(0, line - 2), line)
    .some((comment) => comment.trim() !== "");
}

function isBarrel(source: Source): boolean {
  if (importsOf(source).length === 0) return false;
  if (/\bexport\s*\*\s*(?:as\s+\w+\s+)?from\b/.test(source.code)) return true;
  const passedOn = /\bexport\s+(?:type\s+)?\{[^}]*\}\s*from\s*["'][^"']*["'];?/g;
  const rest = source.code.replace(passedOn, "").replace(/\bimport\b[^;]*;/g, "");
  return passedOn.test(source.code) && rest.trim() === "";
}
