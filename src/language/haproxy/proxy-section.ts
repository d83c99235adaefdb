// The lines of `defaults`, `frontend`, `listen` and `backend` sections: looks the keyword up, says why when
// it cannot be used there, and hands the line to its reader.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import { readBalance, readHashBalanceFactor, readHashType } from "./balance-line.ts";
import { readBind } from "./bind-line.ts";
import { readCapture, readDeclareCapture } from "./capture-line.ts";
import { readHttpCheck, readTcpCheck } from "./check-line.ts";
import { readCompression } from "./compression-line.ts";
import { readCookie } from "./cookie-line.ts";
import { readDispatch, readTransparent } from "./dispatch-line.ts";
import { readErrorFile, readErrorFiles, readErrorLocation, readHttpError } from "./error-line.ts";
import { readExternalCheck } from "./external-check-line.ts";
import { readFilter } from "./filter-line.ts";
import type { Keyword } from "./keyword-table.ts";
import { LEGACY_KEYWORDS, PROXY_KEYWORDS } from "./keywords-proxy.ts";
import { readLegacyLine } from "./legacy-line.ts";
import { displayText } from "./lexer.ts";
import { capitalize, reportNoEffect } from "./line-words.ts";
import { readEmailAlert } from "./mailers-section.ts";
import { readOption } from "./option-line.ts";
import { allowsPlace, describePlaces } from "./places.ts";
import {
  readAcl,
  readDefaultBackend,
  readErrorLogFormat,
  readHttpReuse,
  readId,
  readLog,
  readLogFormat,
  readLogFormatData,
  readMode,
  readMonitor,
  readPersist,
  readPersistRule,
  readProbes,
  readProxyInteger,
  readProxySource,
  readProxyText,
  readRateLimit,
  readRetryOn,
  readTimeout,
  readUniqueIdFormat,
  readUseBackend,
  readUseServer,
} from "./proxy-lines.ts";
import type { ProxyLine } from "./reading.ts";
import { readRule } from "./rule-line.ts";
import { readDefaultServer, readServer, readServerTemplate } from "./server-line.ts";
import { readStats } from "./stats-line.ts";
import { readStick } from "./stick-line.ts";
import { readStickTable } from "./stick-table-line.ts";

type LineReader = (line: ProxyLine) => void;

const READERS: Readonly<Record<string, LineReader>> = {
  acl: readAcl,
  backlog: readProxyInteger((draft, value) => (draft.backlog = value)),
  balance: readBalance,
  bind: readBind,
  capture: readCapture,
  compression: readCompression,
  cookie: readCookie,
  declare: readDeclareCapture,
  "clitcpka-cnt": readProbes("clientProbes", "probeCount"),
  "clitcpka-idle": readProbes("clientProbes", "idleSeconds"),
  "clitcpka-intvl": readProbes("clientProbes", "intervalSeconds"),
  "default-server": readDefaultServer,
  default_backend: readDefaultBackend,
  description: (line) => {
    line.draft.description = line.words
      .slice(1)
      .map((word) => word.text)
      .join(" ");
  },
  disabled: (line) => {
    line.draft.isDisabled = true;
  },
  enabled: (line) => {
    line.draft.isDisabled = false;
  },
  dispatch: readDispatch,
  transparent: readTransparent,
  "dynamic-cookie-key": readProxyText("a secret", (draft, value) => (draft.dynamicCookieKey = value)),
  "email-alert": readEmailAlert,
  "error-log-format": readErrorLogFormat,
  errorfile: readErrorFile,
  errorfiles: readErrorFiles,
  errorloc: readErrorLocation,
  errorloc302: readErrorLocation,
  errorloc303: readErrorLocation,
  "external-check": readExternalCheck,
  filter: readFilter,
  "force-persist": readPersistRule,
  fullconn: readProxyInteger((draft, value) => (draft.fullconn = value === 0 ? null : value)),
  "hash-balance-factor": readHashBalanceFactor,
  "hash-type": readHashType,
  "http-after-response": readRule,
  "http-check": readHttpCheck,
  "http-error": readHttpError,
  "http-request": readRule,
  "http-response": readRule,
  "http-reuse": readHttpReuse,
  "http-send-name-header": readProxyText("a header's name", (draft, value) => (draft.sendNameHeader = value)),
  id: readId,
  "ignore-persist": readPersistRule,
  log: readLog,
  "log-format": readLogFormat,
  "log-format-sd": readLogFormatData,
  "log-tag": readProxyText("a tag", (draft, value) => (draft.logTag = value)),
  maxconn: readProxyInteger((draft, value) => (draft.maxconn = value === 0 ? null : value)),
  mode: readMode,
  monitor: readMonitor,
  "monitor-uri": readProxyText("a path", (draft, value) => (draft.options.monitorUri = value)),
  option: readOption,
  persist: readPersist,
  "rate-limit": readRateLimit,
  redirect: readRule,
  retries: readProxyInteger((draft, value) => (draft.retries = value)),
  "retry-on": readRetryOn,
  server: readServer,
  "server-template": readServerTemplate,
  source: readProxySource,
  "srvtcpka-cnt": readProbes("serverProbes", "probeCount"),
  "srvtcpka-idle": readProbes("serverProbes", "idleSeconds"),
  "srvtcpka-intvl": readProbes("serverProbes", "intervalSeconds"),
  stats: readStats,
  stick: readStick,
  "stick-table": readStickTable,
  "tcp-check": readTcpCheck,
  "tcp-request": readRule,
  "tcp-response": readRule,
  timeout: readTimeout,
  "unique-id-format": readUniqueIdFormat,
  "unique-id-header": readProxyText("a header's name", (draft, value) => (draft.uniqueIdHeader = value)),
  use_backend: readUseBackend,
  "use-server": readUseServer,
};

/** Names of the words above, for the check that the table and the readers agree. */
export const PROXY_READER_NAMES: readonly string[] = Object.keys(READERS);

export function readProxyLine(line: ProxyLine): void {
  const name = line.keyword.text;
  if (LEGACY_KEYWORDS.has(name)) {
    readLegacyLine(line, readProxyLine);
    return;
  }
  if (name === "option") {
    notePlace(line, `option ${line.words[1]?.text ?? ""}`);
    readOption(line);
    return;
  }
  const keyword = findKeyword(line);
  if (keyword === null || !isUsable(line, keyword)) return;
  if (PLACED.has(name)) notePlace(line, name);
  READERS[name]?.(line);
}

/** Lines that say one thing about their proxy, which an explanation may have to name. */
const PLACED: ReadonlySet<string> = new Set([
  "balance",
  "dispatch",
  "hash-balance-factor",
  "hash-type",
  "http-send-name-header",
  "log-format",
  "mode",
  "monitor-uri",
  "retries",
  "unique-id-format",
  "unique-id-header",
]);

/** The last one counts, unless it takes back (`no option …`), which leaves the place of what was said. */
function notePlace({ draft, span, modifier }: ProxyLine, name: string): void {
  if (modifier === null) draft.places[name] = span;
}

/**
 * The entry of the first two words, else of the first; reports and returns null when HAProxy knows neither.
 */
function findKeyword(line: ProxyLine): Keyword | null {
  const name = line.keyword.text;
  const second = line.words[1];
  const step = second === undefined ? "" : second.text.replace(/\(.*$/, "").replace(/-fmt$/, "");
  const pair = PROXY_KEYWORDS.get(`${name} ${step}`);
  if (pair !== undefined) return pair;
  const alone = PROXY_KEYWORDS.get(name);
  if (alone !== undefined) return alone;
  const followers = [...PROXY_KEYWORDS.keys()]
    .filter((known) => known.startsWith(`${name} `))
    .map((known) => known.slice(name.length + 1));
  if (followers.length === 0) {
    const known = [
      ...new Set([...PROXY_KEYWORDS.keys(), ...LEGACY_KEYWORDS.keys()].map((one) => one.split(" ")[0]!)),
      "option",
    ];
    line.report.error(
      "unknown-keyword",
      line.keyword.span,
      `unknown keyword \`${displayText(name)}\` in a \`${line.draft.kind}\` section`,
      suggestWord(name, known),
    );
  } else if (second === undefined) {
    line.report.error(
      "missing-argument",
      line.span,
      `something is missing behind \`${name}\``,
      `Possible: ${followers.join(", ")}.`,
    );
  } else {
    const help = suggestWord(second.text, followers) ?? `Possible: ${followers.join(", ")}.`;
    line.report.error(
      "unknown-keyword",
      second.span,
      `\`${name}\` cannot be followed by \`${displayText(second.text)}\``,
      help,
    );
  }
  return null;
}

function isUsable(line: ProxyLine, keyword: Keyword): boolean {
  if (keyword.support === "refused") {
    line.report.error(
      "refused-keyword",
      line.keyword.span,
      `\`${keyword.name}\` is not supported`,
      capitalize(keyword.note),
    );
    return false;
  }
  if (!allowsPlace(keyword.places, line.draft.kind)) {
    const message = `\`${keyword.name}\` cannot stand in a \`${line.draft.kind}\` section`;
    const isHarmless = HARMLESS_ELSEWHERE.test(keyword.name);
    const help = `It belongs to ${describePlaces(keyword.places)}.`;
    if (isHarmless)
      line.report.warning(
        "wrong-section",
        line.keyword.span,
        message.replace("cannot stand", "has no effect"),
        help,
      );
    else line.report.error("wrong-section", line.keyword.span, message, help);
    return false;
  }
  if (keyword.support !== "no-effect") return true;
  reportNoEffect(line.report, line.keyword.span, keyword);
  return false;
}

/** What HAProxy only warns about when it stands in the wrong kind of section. */
const HARMLESS_ELSEWHERE =
  /^(timeout |balance|cookie|default_backend|fullconn|hash-type|maxconn|retries|source|dispatch|capture |monitor|backlog|use_backend|use-server|server$|stick$|rate-limit|option )/;
