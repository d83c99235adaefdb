// `server`, `default-server` and `server-template` lines (manual 4.2 and 5.2).
import type { Span } from "../../diagnostic/span.ts";
import type { Server, ServerTls } from "../../model/proxy.ts";
import { type Endpoint, parseEndpoint } from "./address.ts";
import type { Cursor } from "./cursor.ts";
import { parseSampleExpression } from "./expression/sample-parser.ts";
import { SERVER_KEYWORDS } from "./keywords-line.ts";
import { displayText } from "./lexer.ts";
import { skipTableWord } from "./line-words.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";
import type { ServerDraft } from "./server-draft.ts";
import { PROXY_HEADER_READERS } from "./server-proxy-header.ts";
import { finishResolution, RESOLUTION_READERS } from "./server-resolution.ts";
import { readProtocols, readTlsWord, resolvePath } from "./tls-words.ts";
import { expectDurationMs, expectInteger } from "./values.ts";
import type { Word } from "./word.ts";

export function readDefaultServer(line: ProxyLine): void {
  readServerWords(line, cursorOf(line), line.draft.defaultServer, null);
}

export function readServer(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const name = cursor.expect("the server's name");
  if (name === null) return;
  const address = cursor.expect("the server's address");
  if (address === null) return;
  if (isGluedAddress(name, address)) {
    readGluedServer(line, name);
    return;
  }
  checkName(line, name);
  warnAboutOrder(line, name, address);
  const draft = structuredClone(line.draft.defaultServer);
  const endpoint = readServerAddress(line, address);
  readServerWords(line, cursor, draft, name);
  addServer(line, draft, name.text, endpoint, address.text);
}

/** `server-template PREFIX NUMBER|LOW-HIGH ADDRESS …`. */
export function readServerTemplate(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const prefix = cursor.expect("a prefix for the names");
  const count = cursor.expect("the number of servers");
  const address = cursor.expect("the servers' address");
  if (prefix === null || count === null || address === null) return;
  const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(count.text);
  const low = range?.[2] === undefined ? 1 : Number(range[1]);
  const high = Number(range?.[2] ?? range?.[1] ?? 0);
  if (range === null || low < 1 || high < low || high - low > 4095) {
    line.report.error(
      "bad-number",
      count.span,
      `\`${displayText(count.text)}\` is no number of servers`,
      "Write a number, or a range such as 1-8.",
    );
    return;
  }
  const draft = structuredClone(line.draft.defaultServer);
  const endpoint = readServerAddress(line, address);
  readServerWords(line, cursor, draft, prefix);
  for (let number = low; number <= high; number++) {
    addServer(line, structuredClone(draft), `${prefix.text}${number}`, endpoint, address.text);
  }
}

/** `server NAMEADDRESS cookie B`: the space between name and address is missing. */
function isGluedAddress(name: Word, address: Word): boolean {
  return SERVER_KEYWORDS.has(address.text) && splitGluedName(name.text) !== null;
}

/**
 * Where the address begins in a name such as "WEB-002192.168.0.2:80": the longest first octet that can be
 * one.
 */
function splitGluedName(text: string): number | null {
  const match = /^(.*?)(\d+)((?:\.\w{1,3}){3}(?::\d+)?)$/.exec(text);
  if (match === null) return null;
  const digits = match[2]!;
  for (const length of [3, 2, 1]) {
    const octet = digits.slice(-length);
    const start = match[1]!.length + digits.length - length;
    if (
      octet.length === length &&
      start > 0 &&
      Number(octet) <= 255 &&
      (length === 1 || !octet.startsWith("0"))
    )
      return start;
  }
  return null;
}

function readGluedServer(line: ProxyLine, name: Word): void {
  const split = splitGluedName(name.text)!;
  const address: Word = {
    text: name.text.slice(split),
    span: { ...name.span, column: name.span.column + split },
    isQuoted: name.isQuoted,
    columns: null,
  };
  const nameText = name.text.slice(0, split);
  const rest = line.words
    .slice(2)
    .map((word) => word.text)
    .join(" ");
  line.report.error(
    "missing-space",
    { ...address.span, endColumn: address.span.column + 1 },
    `a space is missing between \`${nameText}\` and \`${address.text}\``,
    `server ${nameText} ${address.text} ${rest}`,
  );
  const endpoint = readServerAddress(line, address);
  const cursor = cursorOf(line, 2);
  const draft = structuredClone(line.draft.defaultServer);
  readServerWords(line, cursor, draft, name);
  addServer(line, draft, nameText, endpoint, address.text);
}

/** `server ADDRESS NAME`: both are legal as the other, but nobody means it. */
function warnAboutOrder(line: ProxyLine, name: Word, address: Word): void {
  if (!/^[\d.]+:\d+$/.test(name.text) || /[.:/@]/.test(address.text)) return;
  const rest = line.words
    .slice(3)
    .map((word) => ` ${displayText(word.text)}`)
    .join("");
  const help = `server ${displayText(address.text)} ${name.text}${rest}`;
  line.report.warning(
    "swapped-words",
    name.span,
    "the name comes first, then the address; these look swapped",
    help,
  );
}

function checkName(line: ProxyLine, name: Word): void {
  const bad = /[^\w.:-]/.exec(name.text);
  if (bad === null) return;
  line.report.error(
    "bad-name",
    name.span,
    `\`${displayText(bad[0])}\` is not possible in a server's name`,
    "Possible: letters, digits, `-`, `_`, `.` and `:`.",
  );
}

export function readServerAddress(line: ProxyLine, address: Word): Endpoint | null {
  const rules = { port: "allowed", offset: true } as const;
  const endpoint = parseEndpoint(address, rules, line.report, (name) => line.reading.variable(name));
  if (endpoint?.kind === "fd" || endpoint?.kind === "abstract") {
    line.report.error(
      "bad-address",
      address.span,
      "a server cannot be at such an address",
      "Possible: IP addresses, names, and unix sockets.",
    );
    return null;
  }
  return endpoint;
}

function readServerWords(line: ProxyLine, cursor: Cursor, draft: ServerDraft, name: Word | null): void {
  for (let word = cursor.next(); word !== null; word = cursor.next())
    readServerWord({ line, cursor, draft, keyword: word, name });
}

/** One word with its values. */
export function readServerWord(word: ServerWord): void {
  const { line, cursor, draft, keyword } = word;
  const reader = Object.hasOwn(READERS, keyword.text) ? READERS[keyword.text] : undefined;
  if (reader !== undefined) reader(word);
  else if (!readTlsWord(keyword, cursor, draft.tls, line.reading.certificateBases.caBase))
    skipTableWord(SERVER_KEYWORDS, keyword, cursor, "server");
}

export interface ServerWord {
  readonly line: ProxyLine;
  readonly cursor: Cursor;
  readonly draft: ServerDraft;
  readonly keyword: Word;
  readonly name: Word | null;
}

type ServerWordReader = (word: ServerWord) => void;

const flag =
  (set: (draft: ServerDraft) => void): ServerWordReader =>
  ({ draft }) =>
    set(draft);

const integer =
  (
    what: string,
    minimum: number,
    maximum: number,
    set: (draft: ServerDraft, value: number) => void,
  ): ServerWordReader =>
  ({ cursor, draft }) => {
    const value = expectInteger(cursor, what, minimum, maximum);
    if (value !== null) set(draft, value);
  };

const duration =
  (set: (draft: ServerDraft, valueMs: number) => void, unit: "ms" | "s" = "ms"): ServerWordReader =>
  ({ cursor, draft }) => {
    const value = expectDurationMs(cursor, "a time", unit);
    if (value !== null) set(draft, value);
  };

const text =
  (what: string, set: (draft: ServerDraft, value: string) => void): ServerWordReader =>
  ({ cursor, draft }) => {
    const value = cursor.expect(what);
    if (value !== null) set(draft, value.text);
  };

const choice =
  <T extends string>(
    what: string,
    known: readonly T[],
    set: (draft: ServerDraft, value: T) => void,
  ): ServerWordReader =>
  ({ cursor, draft }) => {
    const value = cursor.expectOneOf(what, known);
    if (value !== null) set(draft, value);
  };

const READERS: Readonly<Record<string, ServerWordReader>> = {
  weight: integer("a weight", 0, 256, (draft, value) => (draft.weight = value)),
  cookie: text("the cookie's value", (draft, value) => (draft.cookie = value)),
  backup: flag((draft) => (draft.isBackup = true)),
  "no-backup": flag((draft) => (draft.isBackup = false)),
  "non-stick": flag((draft) => (draft.isNonStick = true)),
  stick: flag((draft) => (draft.isNonStick = false)),
  disabled: flag((draft) => (draft.isDisabled = true)),
  enabled: flag((draft) => (draft.isDisabled = false)),
  maxconn: integer(
    "a number of connections",
    0,
    0x7fffffff,
    (draft, value) => (draft.maxconn = value === 0 ? null : value),
  ),
  minconn: integer(
    "a number of connections",
    0,
    0x7fffffff,
    (draft, value) => (draft.minconn = value === 0 ? null : value),
  ),
  maxqueue: integer(
    "a number of requests",
    0,
    0x7fffffff,
    (draft, value) => (draft.maxqueue = value === 0 ? null : value),
  ),
  slowstart: duration((draft, value) => (draft.slowstartMs = value === 0 ? null : value)),
  check: flag((draft) => (draft.isChecked = true)),
  "no-check": flag((draft) => (draft.isChecked = false)),
  inter: duration((draft, value) => (draft.interMs = Math.max(1, value))),
  fastinter: duration((draft, value) => (draft.fastInterMs = value === 0 ? null : value)),
  downinter: duration((draft, value) => (draft.downInterMs = value === 0 ? null : value)),
  rise: integer("a number of checks", 1, 0x7fffffff, (draft, value) => (draft.rise = value)),
  fall: integer("a number of checks", 1, 0x7fffffff, (draft, value) => (draft.fall = value)),
  port: integer("a port", 0, 65_535, (draft, value) => (draft.checkPort = value === 0 ? null : value)),
  addr: ({ line, cursor, draft }) => {
    const address = cursor.expect("an address");
    if (address === null) return;
    const endpoint = parseEndpoint(address, { port: "allowed" }, line.report, (name) =>
      line.reading.variable(name),
    );
    if (endpoint?.kind !== "ip") return;
    draft.checkAddress = endpoint.host;
    if (endpoint.port?.kind === "range" && endpoint.port.low !== 0) draft.checkPort ??= endpoint.port.low;
  },
  "check-ssl": flag((draft) => (draft.checkTls = true)),
  "no-check-ssl": flag((draft) => (draft.checkTls = false)),
  "check-sni": text("a name", (draft, value) => (draft.checkSni = value)),
  "check-alpn": ({ cursor, draft }) => {
    draft.checkAlpn = readProtocols(cursor);
  },
  "check-send-proxy": flag((draft) => (draft.checkSendProxy = true)),
  "no-check-send-proxy": flag((draft) => (draft.checkSendProxy = false)),
  "agent-check": flag((draft) => (draft.isAgentChecked = true)),
  "no-agent-check": flag((draft) => (draft.isAgentChecked = false)),
  "agent-port": integer("a port", 1, 65_535, (draft, value) => (draft.agentPort = value)),
  "agent-inter": duration((draft, value) => (draft.agentInterMs = Math.max(1, value))),
  "agent-addr": text("an address", (draft, value) => (draft.agentAddress = value)),
  "agent-send": text("a text", (draft, value) => (draft.agentSend = value)),
  observe: choice("layer to observe", ["layer4", "layer7", "none"], (draft, value) => {
    draft.observeLayer = value === "layer4" ? 4 : value === "layer7" ? 7 : null;
  }),
  "error-limit": integer("a number of errors", 1, 0x7fffffff, (draft, value) => (draft.errorLimit = value)),
  "on-error": choice(
    "reaction",
    ["fastinter", "fail-check", "sudden-death", "mark-down"],
    (draft, value) => (draft.onError = value),
  ),
  "on-marked-down": choice("reaction", ["shutdown-sessions"], (draft, value) => (draft.onMarkedDown = value)),
  "on-marked-up": choice(
    "reaction",
    ["shutdown-backup-sessions"],
    (draft, value) => (draft.onMarkedUp = value),
  ),
  ssl: flag((draft) => (draft.isTls = true)),
  "no-ssl": flag((draft) => (draft.isTls = false)),
  verify: ({ cursor, draft }) => {
    draft.tls.verify = cursor.expectOneOf("way to verify", ["none", "required"]) ?? "none";
    draft.hasVerify = true;
  },
  verifyhost: text("a name", (draft, value) => (draft.tls.verifyHost = value)),
  "no-verifyhost": flag((draft) => {
    draft.tls.verifyHost = null;
  }),
  crt: ({ line, cursor, draft }) => {
    const path = cursor.expect("a file");
    if (path !== null) draft.tls.certificate = resolvePath(path.text, line.reading.certificateBases.crtBase);
  },
  sni: ({ line, cursor, draft }) => {
    const expression = cursor.expect("an expression");
    if (expression === null) return;
    draft.tls.sni = parseSampleExpression(expression, line.reading.contextFor(line.draft, "request"));
  },
  ...PROXY_HEADER_READERS,
  proto: readProtocolName,
  "check-proto": readProtocolName,
  ws: ({ cursor }) => {
    const word = cursor.expect("a protocol");
    if (word !== null && word.text !== "auto" && word.text !== "h1")
      cursor.unknown(word, "protocol for WebSocket", ["auto", "h1"]);
  },
  track: ({ cursor, draft }) => {
    const word = cursor.expect("BACKEND/SERVER");
    if (word !== null) draft.track = { text: word.text, span: word.span };
  },
  source: ({ line, cursor, draft }) => {
    draft.source = readSource(line, cursor);
  },
  "pool-max-conn": integer(
    "a number of connections",
    -1,
    0x7fffffff,
    (draft, value) => (draft.poolMaxConnections = value < 0 ? null : value),
  ),
  "pool-purge-delay": duration((draft, value) => (draft.poolPurgeDelayMs = value)),
  ...RESOLUTION_READERS,
  id: ({ cursor, draft, keyword }) => {
    const value = expectInteger(cursor, "a number", 1);
    if (value !== null) draft.id = { value, span: keyword.span };
  },
};

/** Names of the words above, for the check that the table and the reader agree. */
export const SERVER_READER_NAMES: readonly string[] = Object.keys(READERS);

function readProtocolName({ cursor }: ServerWord): void {
  const word = cursor.expect("a protocol");
  if (word === null || word.text === "h1") return;
  cursor.report.error(
    "refused-keyword",
    word.span,
    `the protocol \`${displayText(word.text)}\` is not supported`,
    "Possible: `h1`.",
  );
}

/** The address behind `source`; what may follow it (`usesrc`, `interface`) is refused. */
export function readSource(line: ProxyLine, cursor: Cursor): Server["source"] {
  const word = cursor.expect("an address");
  if (word === null) return null;
  const endpoint = parseEndpoint(word, { port: "allowed" }, line.report, (name) =>
    line.reading.variable(name),
  );
  const extra = cursor.peek();
  if (extra?.text === "usesrc" || extra?.text === "interface") {
    cursor.next();
    cursor.next();
    line.report.error(
      "refused-keyword",
      extra.span,
      `\`${extra.text}\` is not supported`,
      "Give the address to connect from.",
    );
  }
  if (endpoint === null) return null;
  if (endpoint.kind !== "ip") {
    line.report.error("bad-address", word.span, "a source is an IP address");
    return null;
  }
  return {
    host: endpoint.host === "" ? "0.0.0.0" : endpoint.host,
    port: endpoint.port?.kind === "range" ? endpoint.port.low : 0,
  };
}

function addServer(
  line: ProxyLine,
  draft: ServerDraft,
  name: string,
  endpoint: Endpoint | null,
  addressText: string,
): void {
  const { draft: proxy, span } = line;
  const first = proxy.servers.find((server) => server.name === name);
  if (first !== undefined) {
    line.report.error(
      "duplicate-server",
      line.words[1]!.span,
      `there is already a server \`${displayText(name)}\` in this section`,
      "Give it a name of its own.",
      [{ span: first.span, message: "the first one is here" }],
    );
  }
  const sameId =
    draft.id === null ? undefined : proxy.servers.find((server) => server.id === draft.id?.value);
  if (sameId !== undefined && draft.id !== null) {
    const message = `the id ${draft.id.value} is taken`;
    line.report.error("duplicate-id", draft.id.span, message, "Choose another number.", [
      { span: sameId.span, message: "it is taken here" },
    ]);
  }
  line.reading.names.servers.add(`${proxy.name}/${name}`);
  const server = buildServer(
    line,
    draft,
    name,
    toServerAddress(endpoint),
    addressText,
    draft.id?.value ?? 0,
    span,
  );
  proxy.servers.push(server);
}

export function toServerAddress(endpoint: Endpoint | null): Server["address"] {
  if (endpoint?.kind === "unix") return { kind: "unix", path: endpoint.path };
  if (endpoint?.kind !== "ip") return { kind: "tcp", host: "0.0.0.0", port: null, portOffset: 0 };
  const host = endpoint.host !== "" ? endpoint.host : endpoint.family === 6 ? "::" : "0.0.0.0";
  const port = endpoint.port;
  if (port?.kind === "range" && port.low !== 0) return { kind: "tcp", host, port: port.low, portOffset: 0 };
  return { kind: "tcp", host, port: null, portOffset: port?.kind === "offset" ? port.offset : 0 };
}

export function buildServer(
  line: ProxyLine,
  draft: ServerDraft,
  name: string,
  address: Server["address"],
  addressText: string,
  id: number,
  span: Span,
): Server {
  const { weight, cookie, isBackup, isNonStick, isDisabled, isDynamic, source } = draft;
  const {
    onMarkedDown,
    onMarkedUp,
    sendProxy,
    checkSendProxy,
    poolMaxConnections,
    poolPurgeDelayMs,
    initialAddress,
  } = draft;
  const { observeLayer, errorLimit, onError, maxconn, minconn, maxqueue, slowstartMs } = draft;
  return {
    name,
    id,
    address,
    addressText,
    weight,
    cookie,
    isBackup,
    isNonStick,
    isDisabled,
    isDynamic,
    maxconn,
    minconn,
    maxqueue,
    slowstartMs,
    check: draft.isChecked ? buildCheck(draft) : null,
    agent: buildAgent(line, draft),
    observe: observeLayer === null ? null : { layer: observeLayer, errorLimit, onError },
    onMarkedDown,
    onMarkedUp,
    rise: draft.rise,
    tls: draft.isTls || draft.checkTls === true ? buildTls(line, draft) : null,
    sendProxy,
    checkSendProxy,
    track: draft.track === null ? null : splitTrack(draft.track.text, line.draft.name),
    source,
    poolMaxConnections,
    poolPurgeDelayMs,
    initialAddress,
    resolution: finishResolution(line, draft, address),
    span,
  };
}

function splitTrack(text: string, proxyName: string): Server["track"] {
  const slash = text.indexOf("/");
  return slash < 0
    ? { backend: proxyName, server: text }
    : { backend: text.slice(0, slash), server: text.slice(slash + 1) };
}

function buildCheck(draft: ServerDraft): Server["check"] {
  const { interMs, fastInterMs, downInterMs, rise, fall, checkSni: sni, checkAlpn: alpn } = draft;
  const { checkPort: port, checkAddress: address } = draft;
  return {
    interMs,
    fastInterMs,
    downInterMs,
    rise,
    fall,
    port,
    address,
    tls: draft.checkTls,
    sni,
    alpn,
    viaSocks4: false,
  };
}

function buildAgent(line: ProxyLine, draft: ServerDraft): Server["agent"] {
  if (!draft.isAgentChecked) return null;
  if (draft.agentPort === null) {
    line.report.error(
      "missing-argument",
      line.span,
      "`agent-check` needs `agent-port`",
      "Add the agent's port: `agent-port 5555`, for example.",
    );
    return null;
  }
  return {
    port: draft.agentPort,
    address: draft.agentAddress,
    interMs: draft.agentInterMs,
    send: draft.agentSend,
  };
}

function buildTls(line: ProxyLine, draft: ServerDraft): ServerTls {
  const { serverDefaults, serverVerifyNone } = line.reading.global;
  const verify = draft.hasVerify ? draft.tls.verify : serverVerifyNone ? "none" : "required";
  const tls: ServerTls = {
    ...draft.tls,
    verify,
    ciphers: draft.tls.ciphers ?? serverDefaults.ciphers,
    ciphersuites: draft.tls.ciphersuites ?? serverDefaults.ciphersuites,
  };
  if (verify === "required" && tls.caFile === null) {
    const help = "Add `ca-file FILE` (or `ca-file @system-ca`), or `verify none` to trust any certificate.";
    line.report.error(
      "missing-ca",
      line.span,
      "the server's certificate is to be verified, but no `ca-file` says by whom",
      help,
    );
  }
  return tls;
}
