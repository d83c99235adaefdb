// The expressions of `.if` and `.elif` (manual 2.4): integers, predicates, `!`, `&&`, `||` and parentheses.
// The version that they see is the one of HAProxy whose language this is.

/** What predicates ask about. */
export interface BuildFacts {
  variable(name: string): string | null;
  /** Features as `haproxy -vv` lists them, such as "OPENSSL". */
  readonly features: ReadonlySet<string>;
  /** "2.6.0". */
  readonly version: string;
  /** "3.5.0". */
  readonly opensslVersion: string;
}

/** Either the outcome, or what is wrong at which offset of the text. */
export type BuildConditionResult =
  | { readonly ok: true; readonly value: boolean }
  | { readonly ok: false; readonly offset: number; readonly message: string };

const DEPTH_MAX = 100;

export function evaluateBuildCondition(text: string, facts: BuildFacts): BuildConditionResult {
  if (text.trim() === "") return { ok: true, value: false };
  const parser = new ConditionParser(text, facts);
  const value = parser.readOr(0);
  parser.skipSpace();
  if (parser.fault === null && parser.at < text.length) {
    parser.fail(`unexpected \`${text[parser.at]}\` behind the condition`);
  }
  return parser.fault === null ? { ok: true, value } : { ok: false, ...parser.fault };
}

export const PREDICATES: readonly string[] = [
  "defined",
  "feature",
  "streq",
  "strneq",
  "version_atleast",
  "version_before",
  "openssl_version_atleast",
  "openssl_version_before",
  "ssllib_name_startswith",
];

class ConditionParser {
  readonly #text: string;
  readonly #facts: BuildFacts;
  at = 0;
  fault: { readonly offset: number; readonly message: string } | null = null;

  constructor(text: string, facts: BuildFacts) {
    this.#text = text;
    this.#facts = facts;
  }

  readOr(depth: number): boolean {
    let value = this.#readAnd(depth);
    while (this.#take("||")) {
      const right = this.#readAnd(depth);
      value = value || right;
    }
    return value;
  }

  skipSpace(): void {
    while (this.#text[this.at] === " " || this.#text[this.at] === "\t") this.at++;
  }

  fail(message: string): false {
    this.fault ??= { offset: this.at, message };
    return false;
  }

  #readAnd(depth: number): boolean {
    let value = this.#readTerm(depth);
    while (this.#take("&&")) {
      const right = this.#readTerm(depth);
      value = value && right;
    }
    return value;
  }

  #readTerm(depth: number): boolean {
    if (this.fault !== null) return false;
    if (depth > DEPTH_MAX) return this.fail("the condition is nested too deeply");
    let negated = false;
    while (this.#take("!")) negated = !negated;
    const value = this.#readPositiveTerm(depth);
    return negated ? !value : value;
  }

  #readPositiveTerm(depth: number): boolean {
    this.skipSpace();
    const rest = this.#text.slice(this.at);
    const number = /^[+-]?\d+/.exec(rest)?.[0];
    if (number !== undefined) {
      this.at += number.length;
      return Number(number) !== 0;
    }
    if (this.#take("(")) {
      const value = this.readOr(depth + 1);
      return this.#take(")") ? value : this.fail("a `)` is missing here");
    }
    const name = /^\w+/.exec(rest)?.[0] ?? "";
    if (!PREDICATES.includes(name)) {
      return this.fail(
        name === ""
          ? "a condition is expected here"
          : `\`${name}\` is no predicate; there are ${PREDICATES.join(", ")}`,
      );
    }
    const start = this.at;
    this.at += name.length;
    const args = this.#readArguments();
    const wanted = name === "streq" || name === "strneq" ? 2 : 1;
    if (args.length === wanted) return this.#apply(name, args);
    this.at = start;
    return this.fail(`\`${name}\` takes ${wanted === 1 ? "one argument" : "two arguments"}`);
  }

  #readArguments(): string[] {
    if (this.#text[this.at] !== "(") return [];
    const close = this.#text.indexOf(")", this.at);
    if (close < 0) {
      this.fail("a `)` is missing here");
      return [];
    }
    const inside = this.#text.slice(this.at + 1, close);
    this.at = close + 1;
    return inside.split(",").map((part) => part.replace(/^"(.*)"$/, "$1").replace(/^'(.*)'$/, "$1"));
  }

  #apply(name: string, args: readonly string[]): boolean {
    const [first = "", second = ""] = args;
    const facts = this.#facts;
    switch (name) {
      case "defined":
        return facts.variable(first) !== null;
      case "feature":
        return facts.features.has(first);
      case "streq":
        return first === second;
      case "strneq":
        return first !== second;
      case "version_atleast":
        return compareVersions(facts.version, first) >= 0;
      case "version_before":
        return compareVersions(facts.version, first) < 0;
      case "openssl_version_atleast":
        return compareVersions(facts.opensslVersion, first) >= 0;
      case "openssl_version_before":
        return compareVersions(facts.opensslVersion, first) < 0;
      default:
        return "OpenSSL".startsWith(first);
    }
  }

  #take(token: string): boolean {
    this.skipSpace();
    if (this.fault !== null || !this.#text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }
}

/** Negative, zero or positive. "2.4-dev19" is before "2.4"; missing parts count as zero. */
export function compareVersions(a: string, b: string): number {
  const left = versionParts(a);
  const right = versionParts(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function versionParts(version: string): number[] {
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-(dev|rc)(\d+))?([a-z])?/.exec(version);
  if (match === null) return [0, 0, 0, 0];
  const [, major = "0", minor = "0", patch = "0", stage, stageNumber = "0", letter] = match;
  // A development version sorts before its release, a lettered OpenSSL patch behind it.
  const tail =
    stage === "dev"
      ? Number(stageNumber) - 20_000
      : stage === "rc"
        ? Number(stageNumber) - 10_000
        : (letter?.charCodeAt(0) ?? 0);
  return [Number(major), Number(minor), Number(patch), tail];
}
