// The lines of `global` (manual 3.1, 3.2).
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import { NO_SPAN, type Span } from "../../diagnostic/span.ts";
import type { AdmissionSettings, GlobalSettings } from "../../model/global-settings.ts";
import type { SocketBuffers } from "../../transport/contract.ts";
import { readStatsSocket } from "./bind-line.ts";
import { Cursor } from "./cursor.ts";
import { DEFAULT_PATH_KINDS, parseDefaultPath } from "./default-path.ts";
import { parseTimeMs } from "./expression/numbers.ts";
import { readCaseAdjust, readCaseAdjustFile } from "./header-case-line.ts";
import { GLOBAL_KEYWORDS, LEGACY_GLOBAL_KEYWORD } from "./keywords-global.ts";
import { displayText } from "./lexer.ts";
import { capitalize, reportNoEffect } from "./line-words.ts";
import type { Line } from "./lines.ts";
import { readLogTarget } from "./log-line.ts";
import { parseProcessValue } from "./process-variable.ts";
import { type GlobalDraft, latin1, type Reading } from "./reading.ts";
import { resolvePath } from "./tls-words.ts";
import { NO_UNIX_BIND, readUnixBind } from "./unix-socket.ts";
import { expectDurationMs, expectInteger, parseSizeBytes } from "./values.ts";

const BUFFERS_DEFAULT: SocketBuffers = { receiveBytes: null, sendBytes: null };

export function newGlobal(): GlobalDraft {
  return {
    maxconn: null,
    workers: null,
    daemon: false,
    masterWorker: false,
    exitsOnFailure: true,
    user: null,
    group: null,
    uid: null,
    gid: null,
    chroot: null,
    pidfile: null,
    node: null,
    description: null,
    logs: [],
    logTag: "haproxy",
    logSendHostname: null,
    statsSockets: [],
    statsTimeoutMs: 10_000,
    hardStopAfterMs: null,
    bufferBytes: 16_384,
    maxRewriteBytes: 1024,
    headerCountMax: 101,
    compression: { levelMax: 1, bytesPerSecondMax: 0 },
    admission: {
      connectionsPerSecondMax: 0,
      sessionsPerSecondMax: 0,
      tlsSessionsPerSecondMax: 0,
      tlsConnectionsMax: 0,
    },
    http2: {
      headerTableBytes: 4096,
      initialWindowBytes: 65_535,
      concurrentStreamsMax: 100,
      frameBytesMax: 16_384,
    },
    spreadChecksPercent: 0,
    checkSpreadMsMax: null,
    descriptorCountMax: null,
    isDumpable: false,
    buffers: { client: BUFFERS_DEFAULT, server: BUFFERS_DEFAULT },
    headerNames: [],
    variables: [],
    tls: {
      dhParameterPem: null,
      dhBitsMax: null,
      sessionCountMax: 20_000,
      sessionLifetimeSeconds: 300,
      madeCertificatesMax: 1000,
      issuersPath: null,
    },
    span: NO_SPAN,
    crtBase: null,
    caBase: null,
    bindDefaults: { options: [], ciphers: null, ciphersuites: null, curves: null },
    unixBind: NO_UNIX_BIND,
    serverDefaults: { options: [], ciphers: null, ciphersuites: null },
    serverVerifyNone: false,
    allowsExternalChecks: false,
    allowsForks: false,
  };
}

/** The part of the draft that is the model. */
export function finishGlobal(draft: GlobalDraft): GlobalSettings {
  const {
    crtBase,
    caBase,
    bindDefaults: _bind,
    unixBind: _unix,
    serverDefaults: { ciphers, ciphersuites },
    serverVerifyNone: isUnverified,
    allowsExternalChecks: _checks,
    allowsForks: _forks,
    ...settings
  } = draft;
  return { ...settings, serverDefaults: { caBase, crtBase, ciphers, ciphersuites, isUnverified } };
}

interface GlobalLine {
  readonly reading: Reading;
  readonly global: GlobalDraft;
  readonly cursor: Cursor;
  readonly line: Line;
  readonly span: Span;
}

type GlobalReader = (line: GlobalLine) => void;

const flag =
  (set: (global: GlobalDraft) => void): GlobalReader =>
  ({ global }) =>
    set(global);

const text =
  (what: string, set: (global: GlobalDraft, value: string) => void): GlobalReader =>
  ({ global, cursor }) => {
    const word = cursor.expect(what);
    if (word !== null) set(global, word.text);
  };

const integer =
  (set: (global: GlobalDraft, value: number) => void, minimum = 0, maximum = 0x7fffffff): GlobalReader =>
  ({ global, cursor }) => {
    const value = expectInteger(cursor, "a number", minimum, maximum);
    if (value !== null) set(global, value);
  };

const admission = (name: keyof AdmissionSettings): GlobalReader =>
  integer((global, value) => {
    global.admission = { ...global.admission, [name]: value };
  });

/** The smallest of those that are said. */
const descriptors: GlobalReader = integer((global, value) => {
  global.descriptorCountMax = Math.min(global.descriptorCountMax ?? value, value);
}, 1);

/** In bytes; 0 leaves it to the kernel. */
const buffer = (side: "client" | "server", name: keyof SocketBuffers): GlobalReader =>
  integer((global, value) => {
    const bytes = value === 0 ? null : value;
    global.buffers = { ...global.buffers, [side]: { ...global.buffers[side], [name]: bytes } };
  });

const size =
  (set: (global: GlobalDraft, value: number) => void): GlobalReader =>
  ({ global, cursor }) => {
    const word = cursor.expect("a number of bytes");
    const value = word === null ? null : parseSizeBytes(word, cursor.report);
    if (value !== null) set(global, value);
  };

const ignored: GlobalReader = ({ cursor }) => {
  cursor.rest();
};

const READERS: Readonly<Record<string, GlobalReader>> = {
  "ca-base": text("a directory", (global, value) => (global.caBase = value)),
  "crt-base": text("a directory", (global, value) => (global.crtBase = value)),
  chroot: text("a directory", (global, value) => (global.chroot = value)),
  daemon: flag((global) => (global.daemon = true)),
  "master-worker": ({ global, cursor }) => {
    global.masterWorker = true;
    if (cursor.take("no-exit-on-failure") !== null) global.exitsOnFailure = false;
    cursor.rest();
  },
  "default-path": readDefaultPath,
  description: ({ global, cursor }) => {
    global.description = cursor
      .rest()
      .map((word) => word.text)
      .join(" ");
  },
  "external-check": flag((global) => (global.allowsExternalChecks = true)),
  "insecure-fork-wanted": ({ global, line }) => {
    global.allowsForks = line.modifier === null;
  },
  "fd-hard-limit": descriptors,
  "ulimit-n": descriptors,
  "set-dumpable": ({ global, line }) => {
    global.isDumpable = line.modifier === null;
  },
  "h1-case-adjust": ({ reading, cursor }) => readCaseAdjust(reading, cursor),
  "h1-case-adjust-file": ({ reading, cursor }) => readCaseAdjustFile(reading, cursor),
  gid: integer((global, value) => (global.gid = value)),
  uid: integer((global, value) => (global.uid = value)),
  "unix-bind": ({ global, reading, cursor }) => {
    global.unixBind = readUnixBind(reading, cursor);
  },
  group: text("a group's name", (global, value) => (global.group = value)),
  user: text("a user's name", (global, value) => (global.user = value)),
  "hard-stop-after": ({ global, cursor }) => {
    global.hardStopAfterMs = expectDurationMs(cursor, "a time");
  },
  localpeer: ({ reading, cursor }) => {
    reading.localPeer = cursor.expect("a name")?.text ?? null;
  },
  log: readLog,
  "log-send-hostname": ({ global, cursor }) => {
    global.logSendHostname = cursor.next()?.text ?? "";
  },
  "log-tag": text("a tag", (global, value) => (global.logTag = value)),
  "max-spread-checks": ({ global, cursor }) => {
    global.checkSpreadMsMax = expectDurationMs(cursor, "a time");
  },
  maxcomprate: integer((global, value) => {
    global.compression = { ...global.compression, bytesPerSecondMax: value * 1024 };
  }),
  maxconn: integer((global, value) => (global.maxconn = value === 0 ? null : value)),
  maxconnrate: admission("connectionsPerSecondMax"),
  maxsessrate: admission("sessionsPerSecondMax"),
  maxsslrate: admission("tlsSessionsPerSecondMax"),
  maxsslconn: admission("tlsConnectionsMax"),
  nbthread: integer((global, value) => (global.workers = value), 1, 1024),
  node: text("a name", (global, value) => (global.node = value)),
  pidfile: text("a file", (global, value) => (global.pidfile = value)),
  // Environment variables act while the lines are cut into words.
  presetenv: ignored,
  resetenv: ignored,
  setenv: ignored,
  unsetenv: ignored,
  "set-var": readVariable,
  "set-var-fmt": readVariable,
  "spread-checks": integer((global, value) => (global.spreadChecksPercent = value), 0, 50),
  "ssl-default-bind-ciphers": text(
    "a list of ciphers",
    (global, value) => (global.bindDefaults.ciphers = value),
  ),
  "ssl-default-bind-ciphersuites": text(
    "a list of cipher suites",
    (global, value) => (global.bindDefaults.ciphersuites = value),
  ),
  "ssl-default-bind-curves": text(
    "a list of curves",
    (global, value) => (global.bindDefaults.curves = value),
  ),
  "ssl-default-bind-options": ({ global, cursor }) => {
    global.bindDefaults.options = [...global.bindDefaults.options, ...cursor.rest()];
  },
  "ssl-default-server-ciphers": text(
    "a list of ciphers",
    (global, value) => (global.serverDefaults.ciphers = value),
  ),
  "ssl-default-server-ciphersuites": text(
    "a list of cipher suites",
    (global, value) => (global.serverDefaults.ciphersuites = value),
  ),
  "ssl-default-server-options": ({ global, cursor }) => {
    global.serverDefaults.options = [...global.serverDefaults.options, ...cursor.rest()];
  },
  "issuers-chain-path": ({ reading, global, cursor }) => {
    const word = cursor.expect("a directory");
    if (word !== null) global.tls.issuersPath = resolvePath(word.text, reading.directory);
  },
  "ssl-dh-param-file": readDhParameters,
  "ssl-server-verify": ({ global, cursor }) => {
    global.serverVerifyNone = cursor.expectOneOf("way to verify", ["none", "required"]) === "none";
  },
  stats: readStats,
  "tune.bufsize": size((global, value) => (global.bufferBytes = value)),
  "tune.comp.maxlevel": integer(
    (global, value) => {
      global.compression = { ...global.compression, levelMax: value };
    },
    1,
    9,
  ),
  "tune.h2.header-table-size": integer((global, value) => (global.http2.headerTableBytes = value), 0, 65_536),
  "tune.h2.initial-window-size": integer(
    (global, value) => (global.http2.initialWindowBytes = value),
    0,
    2 ** 31 - 1,
  ),
  "tune.h2.max-concurrent-streams": integer(
    (global, value) => (global.http2.concurrentStreamsMax = value),
    0,
    2 ** 31 - 1,
  ),
  "tune.h2.max-frame-size": integer(
    (global, value) => (global.http2.frameBytesMax = value),
    16_384,
    2 ** 24 - 1,
  ),
  "tune.http.maxhdr": integer((global, value) => (global.headerCountMax = value), 1, 32_767),
  "tune.rcvbuf.client": buffer("client", "receiveBytes"),
  "tune.rcvbuf.server": buffer("server", "receiveBytes"),
  "tune.sndbuf.client": buffer("client", "sendBytes"),
  "tune.sndbuf.server": buffer("server", "sendBytes"),
  "tune.maxrewrite": size((global, value) => (global.maxRewriteBytes = value)),
  "tune.ssl.cachesize": integer((global, value) => (global.tls.sessionCountMax = value), 0, 2 ** 24),
  "tune.ssl.default-dh-param": integer((global, value) => (global.tls.dhBitsMax = value), 1024, 16_384),
  "tune.ssl.lifetime": readLifetime,
  "tune.ssl.ssl-ctx-cache-size": integer(
    (global, value) => (global.tls.madeCertificatesMax = value),
    0,
    2 ** 20,
  ),
};

/** Names of the words above, for the check that the table and the readers agree. */
export const GLOBAL_READER_NAMES: readonly string[] = Object.keys(READERS);

export function readGlobalLine(reading: Reading, line: Line): void {
  const { report, global } = reading;
  if (line.words[0]!.text === LEGACY_GLOBAL_KEYWORD) {
    const words = [{ ...line.words[0]!, text: "nbthread" }, ...line.words.slice(1)];
    const help = words.map((word) => word.text).join(" ");
    report.warning(
      "obsolete-keyword",
      line.words[0]!.span,
      "`nbproc` no longer exists; it is read as `nbthread`",
      help,
    );
    readGlobalLine(reading, { ...line, words });
    return;
  }
  const name = line.words[0]!;
  const keyword =
    GLOBAL_KEYWORDS.get(`${name.text} ${line.words[1]?.text ?? ""}`) ?? GLOBAL_KEYWORDS.get(name.text);
  if (keyword === undefined && name.text !== "stats") {
    const help = suggestWord(name.text, GLOBAL_KEYWORDS.keys());
    report.error(
      "unknown-keyword",
      name.span,
      `unknown keyword \`${displayText(name.text)}\` in the \`global\` section`,
      help,
    );
    return;
  }
  if (keyword?.support === "refused") {
    report.error(
      "refused-keyword",
      name.span,
      `\`${keyword.name}\` is not supported`,
      capitalize(keyword.note),
    );
    return;
  }
  if (keyword?.support === "no-effect") {
    reportNoEffect(report, name.span, keyword);
    return;
  }
  const cursor = new Cursor(line.words, 1, report);
  if (line.modifier !== null && name.text === "log") {
    global.logs = [];
    return;
  }
  READERS[name.text]?.({ reading, global, cursor, line, span: line.span });
  cursor.expectEnd(name.text === "stats" ? "warning" : "error");
}

function readLog({ reading, global, cursor, span }: GlobalLine): void {
  const target = readLogTarget(reading, cursor, span);
  cursor.rest();
  if (target !== null) global.logs = [...global.logs, target];
}

function readStats({ reading, global, cursor, span }: GlobalLine): void {
  const what = cursor.expectOneOf("part of the runtime API", ["socket", "timeout", "maxconn"]);
  if (what === "timeout") global.statsTimeoutMs = expectDurationMs(cursor, "a time") ?? global.statsTimeoutMs;
  if (what !== "socket") {
    if (what === null) cursor.rest();
    return;
  }
  const socket = readStatsSocket(reading, cursor, span);
  if (socket !== null) global.statsSockets = [...global.statsSockets, socket];
}

function readDefaultPath({ reading, cursor, line, span }: GlobalLine): void {
  const words = cursor.rest();
  const path = parseDefaultPath(words.map(({ text }) => text));
  if (path !== null) reading.defaultPath = path;
  else
    reading.report.error(
      "bad-argument",
      words[0]?.span ?? span,
      words[0]?.text === "origin"
        ? "`default-path origin` needs a directory"
        : `\`${displayText(line.words.map(({ text }) => text).join(" "))}\` does not say from where`,
      suggestWord(words[0]?.text ?? "", DEFAULT_PATH_KINDS) ??
        `Possible: ${DEFAULT_PATH_KINDS.join(", ")} with a directory.`,
    );
}

/** A file of its own, for all certificates that bring none. */
function readDhParameters({ reading, global, cursor }: GlobalLine): void {
  const word = cursor.expect("a file");
  if (word === null) return;
  const bytes = reading.readFile(word.text);
  const text = bytes === null ? "" : latin1(bytes);
  const block = /-----BEGIN DH PARAMETERS-----[\s\S]*?-----END DH PARAMETERS-----/.exec(text);
  if (block !== null) global.tls.dhParameterPem = `${block[0]}\n`;
  else if (bytes === null)
    reading.report.error("unreadable-file", word.span, `\`${displayText(word.text)}\` cannot be read`);
  else
    reading.report.error(
      "bad-argument",
      word.span,
      `\`${displayText(word.text)}\` holds no DH parameters`,
      "Make them with `openssl dhparam 2048`, or use `tune.ssl.default-dh-param 2048` instead.",
    );
}

/** In seconds, unless a unit is given. */
function readLifetime({ global, cursor, reading }: GlobalLine): void {
  const word = cursor.expect("a time");
  if (word === null) return;
  const ms = /^\d+$/.test(word.text) ? Number(word.text) * 1000 : parseTimeMs(word.text);
  if (ms === null || ms < 1000)
    reading.report.error(
      "bad-time",
      word.span,
      `\`${displayText(word.text)}\` is no time of a second or more`,
    );
  else global.tls.sessionLifetimeSeconds = Math.floor(ms / 1000);
}

/** `set-var proc.NAME EXPR` and `set-var-fmt proc.NAME FORMAT`. */
function readVariable({ reading, global, cursor, line, span }: GlobalLine): void {
  const name = cursor.expect("a variable");
  const value = name === null ? null : cursor.expect("a value");
  if (name === null || value === null) return;
  if (!name.text.startsWith("proc.")) {
    reading.report.error(
      "bad-variable",
      name.span,
      "only variables of the process can be set here",
      `Write \`proc.${displayText(name.text.replace(/^\w+\./, ""))}\`.`,
    );
    return;
  }
  const isFormat = line.words[0]!.text === "set-var-fmt";
  const parsed = parseProcessValue(value, isFormat, reading.contextFor(null, "request"));
  if (parsed === null) return;
  global.variables = [...global.variables, { name: name.text, value: parsed, span }];
}
