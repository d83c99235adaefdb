// `stats …` lines of proxies: the page about the state of everything (manual 4.2).
import type { StatsSettings } from "../../model/proxy.ts";
import type { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import { parseCondition } from "./expression/condition-parser.ts";
import { parseHttpRequestRule } from "./expression/rule-parser.ts";
import { displayText } from "./lexer.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";
import { parseDurationMs } from "./values.ts";

export function readStats(line: ProxyLine): void {
  const cursor = cursorOf(line, 2);
  const stats = startStats(line);
  switch (line.words[1]!.text) {
    case "uri":
      stats.uri = cursor.expect("a path")?.text ?? stats.uri;
      break;
    case "refresh": {
      const word = cursor.expect("a time");
      const valueMs = word === null ? null : parseDurationMs(word, line.report, "s");
      stats.refreshSeconds = valueMs === null ? stats.refreshSeconds : Math.ceil(valueMs / 1000);
      break;
    }
    case "realm":
      stats.realm = cursor.expect("a realm")?.text ?? stats.realm;
      break;
    case "auth":
      readAuth(stats, cursor);
      break;
    case "hide-version":
      stats.hideVersion = true;
      break;
    case "show-legends":
      stats.showLegends = true;
      break;
    case "show-node":
      stats.showNode = cursor.next()?.text ?? line.reading.global.node ?? line.reading.environment.hostname;
      break;
    case "show-desc":
      stats.showDescription =
        cursor
          .rest()
          .map((word) => word.text)
          .join(" ") || line.reading.global.description;
      break;
    case "scope":
      readScope(line, stats, cursor);
      break;
    case "admin":
      readAdmin(line, stats, cursor);
      break;
    case "http-request":
      readRule(line, stats, cursor);
      break;
  }
  cursor.expectEnd("warning");
  line.draft.stats = stats;
}

function startStats(line: ProxyLine): Mutable<StatsSettings> {
  if (line.draft.stats !== null) return { ...line.draft.stats };
  return {
    uri: "/haproxy?stats",
    refreshSeconds: null,
    realm: null,
    auth: [],
    hideVersion: false,
    showLegends: false,
    showNode: null,
    showDescription: null,
    scopes: [],
    adminRules: [],
    httpRequest: [],
    span: line.span,
  };
}

function readAuth(stats: Mutable<StatsSettings>, cursor: Cursor): void {
  const word = cursor.expect("USER:PASSWORD");
  if (word === null) return;
  const colon = word.text.indexOf(":");
  if (colon < 1)
    cursor.report.error(
      "bad-auth",
      word.span,
      "a user and a password are needed here",
      "Write `stats auth USER:PASSWORD`.",
    );
  else
    stats.auth = [...stats.auth, { user: word.text.slice(0, colon), password: word.text.slice(colon + 1) }];
}

function readScope(line: ProxyLine, stats: Mutable<StatsSettings>, cursor: Cursor): void {
  const word = cursor.expect("a proxy's name, or `.`");
  if (word === null) return;
  stats.scopes = [...stats.scopes, word.text === "." ? line.draft.name : word.text];
}

function readAdmin(line: ProxyLine, stats: Mutable<StatsSettings>, cursor: Cursor): void {
  const words = cursor.rest();
  if (words[0]?.text !== "if" && words[0]?.text !== "unless") {
    line.report.error(
      "missing-argument",
      words[0]?.span ?? line.span,
      "`stats admin` needs a condition",
      "Write `stats admin if LOCALHOST`, for example.",
    );
    return;
  }
  const condition = parseCondition(words, line.reading.contextFor(line.draft, "request"));
  if (condition !== null)
    stats.adminRules = [...stats.adminRules, { action: { kind: "allow" }, condition, span: line.span }];
}

function readRule(line: ProxyLine, stats: Mutable<StatsSettings>, cursor: Cursor): void {
  const words = cursor.rest();
  const action = words[0];
  if (action !== undefined && !["allow", "deny", "auth"].includes(action.text)) {
    line.report.error(
      "unknown-word",
      action.span,
      `\`${displayText(action.text)}\` is no action of \`stats http-request\``,
      "Possible: allow, deny, auth.",
    );
    return;
  }
  if (action === undefined) {
    cursor.expect("an action");
    return;
  }
  const rule = parseHttpRequestRule(words, line.reading.contextFor(line.draft, "request"));
  if (rule !== null) stats.httpRequest = [...stats.httpRequest, rule];
}
