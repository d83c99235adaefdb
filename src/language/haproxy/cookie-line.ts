// The `cookie` line of a backend (manual 4.2).
import type { CookieSettings } from "../../model/proxy.ts";
import type { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";
import { expectDurationMs } from "./values.ts";

const FLAGS = ["indirect", "nocache", "postonly", "preserve", "httponly", "secure", "dynamic"] as const;
const MODES = ["rewrite", "insert", "prefix"] as const;
const WORDS = [...MODES, ...FLAGS, "domain", "maxidle", "maxlife", "attr"];

export function readCookie(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const name = cursor.expect("the cookie's name");
  if (name === null) return;
  const cookie: Mutable<CookieSettings> = {
    name: name.text,
    mode: "passive",
    indirect: false,
    nocache: false,
    postonly: false,
    preserve: false,
    httponly: false,
    secure: false,
    domains: [],
    maxidleSeconds: null,
    maxlifeSeconds: null,
    dynamic: false,
    attributes: [],
    span: line.span,
  };
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    const flag = FLAGS.find((one) => one === word?.text);
    const mode = MODES.find((one) => one === word?.text);
    if (flag !== undefined) cookie[flag] = true;
    else if (mode !== undefined) {
      if (cookie.mode !== "passive" && cookie.mode !== mode) {
        line.report.error(
          "conflict",
          word.span,
          `\`${mode}\` and \`${cookie.mode}\` exclude each other`,
          "Keep one of them.",
        );
      }
      cookie.mode = mode;
    } else if (!readValue(word.text, cursor, cookie)) cursor.unknown(word, "word of `cookie`", WORDS);
  }
  checkCookie(line, cookie);
  line.draft.cookie = cookie;
  line.draft.httpOnly.push({ what: "cookie", span: line.span });
}

function readValue(word: string, cursor: Cursor, cookie: Mutable<CookieSettings>): boolean {
  switch (word) {
    case "domain": {
      const domain = cursor.expect("a domain");
      if (domain !== null) cookie.domains = [...cookie.domains, domain.text];
      return true;
    }
    case "maxidle":
      cookie.maxidleSeconds = toSeconds(expectDurationMs(cursor, "a time", "s"));
      return true;
    case "maxlife":
      cookie.maxlifeSeconds = toSeconds(expectDurationMs(cursor, "a time", "s"));
      return true;
    case "attr": {
      const attribute = cursor.expect("an attribute");
      if (attribute !== null) cookie.attributes = [...cookie.attributes, attribute.text];
      return true;
    }
  }
  return false;
}

function toSeconds(valueMs: number | null): number | null {
  return valueMs === null ? null : Math.ceil(valueMs / 1000);
}

function checkCookie(line: ProxyLine, cookie: CookieSettings): void {
  if (cookie.indirect && cookie.mode === "rewrite") {
    line.report.error(
      "conflict",
      line.span,
      "`indirect` and `rewrite` exclude each other",
      "Use `insert indirect`.",
    );
  }
  if (cookie.preserve && cookie.mode !== "insert" && !cookie.indirect) {
    line.report.error("conflict", line.span, "`preserve` needs `insert` or `indirect`", "Add `insert`.");
  }
  if ((cookie.maxidleSeconds !== null || cookie.maxlifeSeconds !== null) && cookie.mode !== "insert") {
    line.report.error("conflict", line.span, "`maxidle` and `maxlife` need `insert`", "Add `insert`.");
  }
}
