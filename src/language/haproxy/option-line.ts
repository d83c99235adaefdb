// `option …` lines of proxies (manual 4.2), with `no` and `default` before them.

import { parseIpNetwork } from "../../base/address.ts";
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { ForwardedHeader, ProxyOptions } from "../../model/proxy.ts";
import { readCheckOption, readOptionalInteger } from "./check-line.ts";
import type { Cursor } from "./cursor.ts";
import { readTransparent } from "./dispatch-line.ts";
import type { CheckDraft } from "./draft.ts";
import { OPTION_KEYWORDS } from "./keywords-option.ts";
import { displayText } from "./lexer.ts";
import { capitalize, reportNoEffect } from "./line-words.ts";
import { allowsPlace, describePlaces } from "./places.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";
import type { Word } from "./word.ts";

type FlagName = {
  [K in keyof ProxyOptions]: ProxyOptions[K] extends boolean ? K : never;
}[keyof ProxyOptions];

/** Options that are one bit of the model. */
const FLAGS: Readonly<Record<string, FlagName>> = {
  dontlognull: "dontlognull",
  "dontlog-normal": "dontlogNormal",
  logasap: "logasap",
  "log-separate-errors": "logSeparateErrors",
  abortonclose: "abortonclose",
  "http-buffer-request": "httpBufferRequest",
  "disable-h2-upgrade": "disableH2Upgrade",
  "http-ignore-probes": "httpIgnoreProbes",
  "http-use-proxy-header": "httpUseProxyHeader",
  "http-pretend-keepalive": "httpPretendKeepalive",
  clitcpka: "clitcpka",
  srvtcpka: "srvtcpka",
  allbackups: "allbackups",
  persist: "persist",
  "socket-stats": "socketStats",
  "log-health-checks": "logHealthChecks",
  checkcache: "checkcache",
  "h1-case-adjust-bogus-client": "h1CaseAdjustClient",
  "h1-case-adjust-bogus-server": "h1CaseAdjustServer",
};

const HTTP_ONLY = new Set([
  "httpclose",
  "forceclose",
  "http-server-close",
  "http-keep-alive",
  "forwardfor",
  "originalto",
  "http-buffer-request",
  "disable-h2-upgrade",
  "http-ignore-probes",
  "http-use-proxy-header",
  "http-pretend-keepalive",
  "checkcache",
  "http-restrict-req-hdr-names",
]);

const CHECKS: Readonly<Record<string, CheckDraft["kind"]>> = {
  httpchk: "http",
  "tcp-check": "tcp",
  "ssl-hello-chk": "ssl-hello",
  smtpchk: "smtp",
  "mysql-check": "mysql",
  "pgsql-check": "pgsql",
  "redis-check": "redis",
  "ldap-check": "ldap",
  "external-check": "external",
};

export function readOption(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const name = cursor.expect("the option's name");
  if (name === null || !isUsable(line, name)) return;
  const isOn = line.modifier === null;
  // Only a proxy itself is told that an option has no effect in its mode: defaults are for all of them.
  if (isOn && HTTP_ONLY.has(name.text))
    line.draft.httpOnly.push({ what: `option ${name.text}`, span: line.span });
  const flag = FLAGS[name.text];
  const check = CHECKS[name.text];
  if (flag !== undefined) {
    line.draft.options[flag] = isOn;
    cursor.expectEnd();
  } else if (check !== undefined) {
    if (refuseNegation(line)) readCheckOption(line, check, cursor);
  } else readSpecialOption(line, name, cursor, isOn);
}

function isUsable(line: ProxyLine, name: Word): boolean {
  const keyword = OPTION_KEYWORDS.get(name.text);
  if (keyword === undefined) {
    const help = suggestWord(name.text, OPTION_KEYWORDS.keys());
    line.report.error("unknown-keyword", name.span, `unknown option \`${displayText(name.text)}\``, help);
    return false;
  }
  if (keyword.support === "refused") {
    if (line.modifier === null)
      line.report.error(
        "refused-keyword",
        name.span,
        `\`option ${name.text}\` is not supported`,
        capitalize(keyword.note),
      );
    return false;
  }
  if (!allowsPlace(keyword.places, line.draft.kind)) {
    line.report.warning(
      "wrong-section",
      name.span,
      `\`option ${name.text}\` has no effect in a \`${line.draft.kind}\` section`,
      `It belongs to ${describePlaces(keyword.places)}.`,
    );
    return false;
  }
  if (keyword.support !== "no-effect") return true;
  if (line.modifier === null) reportNoEffect(line.report, name.span, keyword);
  return false;
}

function refuseNegation(line: ProxyLine): boolean {
  if (line.modifier === null) return true;
  line.report.error(
    "bad-negation",
    line.span,
    `\`${line.modifier}\` cannot stand before \`option ${displayText(line.words[1]!.text)}\``,
    "Write the option that you want instead.",
  );
  return false;
}

function readSpecialOption(line: ProxyLine, name: Word, cursor: Cursor, isOn: boolean): void {
  const { options } = line.draft;
  switch (name.text) {
    case "httpclose":
    case "forceclose":
      if (name.text === "forceclose") warnRenamed(line, name, "option httpclose");
      setConnectionMode(line, "close", isOn);
      break;
    case "transparent":
      readTransparent(line);
      break;
    case "http-server-close":
      setConnectionMode(line, "server-close", isOn);
      break;
    case "http-keep-alive":
      if (isOn) options.connectionMode = "keep-alive";
      break;
    case "http-tunnel":
      line.report.warning(
        "obsolete-keyword",
        name.span,
        "`option http-tunnel` no longer exists and is ignored",
        "Remove it; keep-alive is the default.",
      );
      break;
    case "tcpka":
      options.clitcpka = isOn;
      options.srvtcpka = isOn;
      break;
    case "redispatch":
      options.redispatch = isOn ? (readOptionalInteger(cursor, -0x7fffffff) ?? -1) : 0;
      break;
    case "forwardfor":
      options.forwardFor = isOn ? readForwardedHeader(line, cursor, "X-Forwarded-For", true) : null;
      break;
    case "originalto":
      options.originalTo = isOn ? readForwardedHeader(line, cursor, "X-Original-To", false) : null;
      break;
    case "http-restrict-req-hdr-names":
      if (refuseNegation(line))
        options.restrictRequestHeaderNames = cursor.expectOneOf("policy", ["preserve", "delete", "reject"]);
      break;
    case "httplog":
    case "tcplog":
    case "httpslog":
      readLogOption(line, name.text, cursor);
      break;
  }
  cursor.expectEnd();
}

/** A new name for an old word that still works. */
export function warnRenamed(line: ProxyLine, word: Word, modern: string): void {
  line.report.warning(
    "obsolete-keyword",
    word.span,
    `\`${displayText(word.text)}\` is now written \`${modern}\``,
    modern,
  );
}

/** Each of the modes replaces the others; switching one off goes back to keep-alive only if it was on. */
function setConnectionMode(line: ProxyLine, mode: ProxyOptions["connectionMode"], isOn: boolean): void {
  const { options } = line.draft;
  if (isOn) options.connectionMode = mode;
  else if (options.connectionMode === mode) options.connectionMode = "keep-alive";
}

function readForwardedHeader(
  line: ProxyLine,
  cursor: Cursor,
  header: string,
  allowsIfNone: boolean,
): ForwardedHeader {
  const except: string[] = [];
  let ifNone = false;
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    if (word.text === "header") header = cursor.expect("a header's name")?.text ?? header;
    else if (word.text === "if-none" && allowsIfNone) ifNone = true;
    else if (word.text === "except") {
      const network = cursor.expect("a network");
      if (network === null) continue;
      if (parseIpNetwork(network.text) === null) {
        line.report.error(
          "bad-address",
          network.span,
          `\`${displayText(network.text)}\` is no network`,
          "Write `10.0.0.0/8`, for example.",
        );
      } else except.push(network.text);
    } else
      cursor.unknown(
        word,
        "word of this option",
        allowsIfNone ? ["except", "header", "if-none"] : ["except", "header"],
      );
  }
  return { header, except, ifNone };
}

function readLogOption(line: ProxyLine, kind: "httplog" | "tcplog" | "httpslog", cursor: Cursor): void {
  if (!refuseNegation(line)) return;
  const isClf = kind === "httplog" && cursor.take("clf") !== null;
  const previous = line.draft.logFormat;
  if (
    previous?.kind === "custom" &&
    previous.span.line !== 0 &&
    line.draft.kind !== "defaults" &&
    previous.span.file === line.span.file
  ) {
    line.report.warning(
      "overridden",
      line.span,
      "this replaces the `log-format` given before",
      "Remove one of the two.",
      [{ span: previous.span, message: "the format is here" }],
    );
  }
  line.draft.logFormat = { kind: isClf ? "clf" : kind, span: line.span };
}
