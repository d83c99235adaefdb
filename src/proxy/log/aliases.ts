// The variables of log-format (HAProxy manual 8.2.4): one function per alias, chosen when the format is
// compiled.
import type { IpAddress, SocketAddress } from "../../base/address.ts";
import { parseIpAddress } from "../../base/address.ts";
import type { LogAlias, LogFormatPart } from "../../model/sample.ts";
import { destinationAddress, sourceAddress } from "../rules/fetches/connection.ts";
import { pathOf } from "../rules/target.ts";
import { COUNTER } from "../state.ts";
import type { Stream } from "../stream.ts";
import { formatGmtDate, formatLocalDate, formatLogDate, formatMilliseconds } from "./dates.ts";
import { encodeHeader, encodeUrl, escapeStructuredData } from "./encoding.ts";
import { STEP, type StepKind } from "./line-program.ts";
import {
  activeConnections,
  backendConnections,
  hasCookieFlags,
  methodOf,
  serverConnections,
  targetOf,
  versionOf,
} from "./readings.ts";
import {
  acceptDateMs,
  activeMs,
  dataMs,
  handshakeMs,
  requestDateMs,
  requestTotalMs,
  totalMs,
  userMs,
} from "./timing.ts";

export type AliasPart = Extract<LogFormatPart, { kind: "alias" }>;
export interface WriteText {
  (stream: Stream): string;
  /** How log lines write the same without making text of it, where that is known. */
  step?: StepKind;
}

/** What aliases print that is not the stream's. */
export interface AliasContext {
  readonly hostname: string;
  readonly pid: number;
  /** `-` stands for what is missing. In logs, not in header values. */
  readonly isMandatory: boolean;
  /** Lines written by the frontend's log so far, for %lc. */
  readonly logCount: { value: number };
  /** The last request number given out, for %rt. */
  readonly requestCount: { value: number };
}

/** HAProxy keeps this much of a request line for its logs (REQURI_LEN - 1). */
const REQUEST_LINE_LENGTH_MAX = 1023;
const BAD_REQUEST = "<BADREQ>";
const NO_SERVER = "<NOSRV>";

export function compileAlias(part: AliasPart, context: AliasContext): WriteText {
  const write = ALIASES[part.alias](part, context);
  const isPlain = !part.quoted && !part.escaped && !part.hexadecimal && context.isMandatory;
  if (isPlain && part.alias in STEP) write.step = STEP[part.alias as keyof typeof STEP];
  return write;
}

function requestLine(part: AliasPart): WriteText {
  const { quoted, escaped } = part;
  const quote = quoted ? '"' : "";
  const write: WriteText = (stream) => {
    const target = targetOf(stream);
    if (target === undefined) return quote + BAD_REQUEST + quote;
    const line = `${methodOf(stream)} ${target} ${versionOf(stream)}`;
    return quote + encodeUrl(line.slice(0, REQUEST_LINE_LENGTH_MAX), escaped) + quote;
  };
  if (!escaped) write.step = quoted ? STEP.quotedR : STEP.r;
  return write;
}

/** Aliases that may print nothing at all, so that the blank behind them goes too. */
export function isCaptureAlias(alias: LogAlias): boolean {
  return alias === "hr" || alias === "hs" || alias === "hrl" || alias === "hsl";
}

type AliasCompiler = (part: AliasPart, context: AliasContext) => WriteText;

const ALIASES: Readonly<Record<LogAlias, AliasCompiler>> = {
  B: plusWhenEarly((stream) => stream.bytesOut),
  CC: text((stream) => stream.capturedCookie),
  CS: text((stream) => stream.capturedServerCookie),
  H: text((_stream, { hostname }) => hostname),
  HM: url((stream) => methodOf(stream)),
  HP: url((stream) => beforeQuery(targetOf(stream))),
  HPO: url((stream) => {
    const target = targetOf(stream);
    return target === undefined ? undefined : (pathOf(target) ?? "");
  }),
  HQ: url((stream) => {
    const target = targetOf(stream);
    if (target === undefined) return undefined;
    const mark = target.indexOf("?");
    return mark < 0 ? "" : target.slice(mark);
  }),
  HU: url(targetOf),
  HV: url((stream) => versionOf(stream)),
  ID: text((stream) => {
    stream.uniqueId ??= stream.frontend.programs.makeUniqueId?.(stream) ?? null;
    return stream.uniqueId;
  }),
  ST: () => integer((stream) => (stream.frontend.definition.mode === "http" ? stream.status : 0)),
  T: () => (stream) => formatGmtDate(acceptDateMs(stream)),
  Ta: plusWhenEarly(activeMs),
  Tc: duration((stream) => stream.connectMs),
  Td: duration(dataMs),
  Th: duration(handshakeMs),
  Ti: duration((stream) => stream.idleMs),
  Tl: () => (stream) => formatLocalDate(acceptDateMs(stream)),
  Tq: duration(requestTotalMs),
  TR: duration((stream) => stream.requestMs),
  Tr: duration((stream) => stream.responseMs),
  Ts: number((stream) => Math.floor(acceptDateMs(stream) / 1000), 4),
  Tt: plusWhenEarly(totalMs),
  Tu: plusWhenEarly(userMs),
  Tw: duration((stream) => stream.queueMs),
  U: () => integer((stream) => stream.bytesIn),
  ac: () => integer(activeConnections),
  b: text((stream) => stream.backend?.name ?? stream.frontend.name),
  bc: () => integer(backendConnections),
  bi: address((stream) => stream.serverConnection?.local),
  bp: port((stream) => stream.serverConnection?.local),
  bq: () => integer((stream) => stream.backendQueuePosition),
  ci: address(
    (stream) => stream.session.source,
    (stream) => sourceAddress(stream.session),
  ),
  cp: port((stream) => stream.session.source),
  f: text((stream) => stream.frontend.name),
  fc: () => integer(({ frontend }) => frontend.state.total(frontend.slot, COUNTER.scur)),
  fi: address(
    (stream) => stream.session.destination,
    (stream) => destinationAddress(stream.session),
  ),
  fp: port((stream) => stream.session.destination),
  ft: (part) => (stream) => {
    const name = stream.session.bind.tls === null ? stream.frontend.name : `${stream.frontend.name}~`;
    return part.quoted ? `"${name}"` : name;
  },
  hr: captures("request"),
  hrl: captureList("request"),
  hs: captures("response"),
  hsl: captureList("response"),
  lc: number((_stream, { logCount }) => logCount.value, 4),
  ms: (part) => (stream) => {
    const milliseconds = formatMilliseconds(acceptDateMs(stream));
    return part.hexadecimal ? hexadecimal(Number(milliseconds), 2) : milliseconds;
  },
  o: () => () => "",
  pid: number((_stream, { pid }) => pid, 4),
  r: requestLine,
  rc: () =>
    integer(
      (stream) => stream.retries,
      (stream) => stream.isRedispatched,
    ),
  rt: number((stream, { requestCount }) => {
    if (stream.requestNumber === 0) stream.requestNumber = ++requestCount.value;
    return stream.requestNumber - 1;
  }, 4),
  s: text((stream) => stream.server?.name ?? stream.serviceName ?? NO_SERVER),
  sc: () => integer(serverConnections),
  si: address(serverAddress),
  sp: port(serverAddress),
  sq: () => integer((stream) => stream.serverQueuePosition),
  sslc: text((stream) => stream.session.tls?.cipher),
  sslv: text((stream) => stream.session.tls?.version),
  t: () => (stream) => formatLogDate(acceptDateMs(stream)),
  tr: () => (stream) => formatLogDate(requestDateMs(stream)),
  trg: () => (stream) => formatGmtDate(requestDateMs(stream)),
  trl: () => (stream) => formatLocalDate(requestDateMs(stream)),
  ts: () => (stream) => stream.cause + stream.phase,
  tsc: () => (stream) => {
    const flags = hasCookieFlags(stream) ? stream.cookieRequest + stream.cookieResponse : "--";
    return stream.cause + stream.phase + flags;
  },
};

/** HAProxy's lf_text: quotes, escapes, and `-` for what is missing. */
export function writeOptional(
  value: string | null | undefined,
  part: { readonly quoted: boolean; readonly escaped: boolean },
  isMandatory: boolean,
): string {
  let written = value ?? "";
  if (written !== "" && part.escaped) written = escapeStructuredData(written);
  if (part.quoted) return `"${written}"`;
  return written === "" && isMandatory ? "-" : written;
}

function text(read: (stream: Stream, context: AliasContext) => string | null | undefined): AliasCompiler {
  return (part, context) => {
    if (part.quoted || part.escaped)
      return (stream) => writeOptional(read(stream, context), part, context.isMandatory);
    const missing = context.isMandatory ? "-" : "";
    return (stream) => read(stream, context) || missing;
  };
}

/** What stands for a missing request is <BADREQ>. */
function url(read: (stream: Stream) => string | undefined): AliasCompiler {
  return (part) => {
    const { quoted, escaped } = part;
    if (quoted) return (stream) => `"${encodeUrl(read(stream) ?? BAD_REQUEST, escaped)}"`;
    return (stream) => encodeUrl(read(stream) ?? BAD_REQUEST, escaped);
  };
}

function duration(read: (stream: Stream) => number): AliasCompiler {
  return () => integer((stream) => Math.trunc(read(stream)));
}

/** `option logasap` logs before the end: what can still grow gets a plus sign. */
function plusWhenEarly(read: (stream: Stream) => number): AliasCompiler {
  return () => integer(read, (stream) => stream.frontend.definition.options.logasap);
}

function number(read: (stream: Stream, context: AliasContext) => number, digits: number): AliasCompiler {
  return (part, context) =>
    part.hexadecimal
      ? (stream) => hexadecimal(read(stream, context), digits)
      : integer((stream) => read(stream, context));
}

/** A whole number; `hasPlus` puts a plus sign before it. */
function integer(read: (stream: Stream) => number, hasPlus: (stream: Stream) => boolean = never): WriteText {
  return (stream) => (hasPlus(stream) ? `+${read(stream)}` : `${read(stream)}`);
}

function never(): boolean {
  return false;
}

function hexadecimal(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

type LocateSocket = (stream: Stream) => SocketAddress | undefined;

function address(locate: LocateSocket, parsed?: (stream: Stream) => IpAddress | null): AliasCompiler {
  return (part, context) => {
    if (!part.hexadecimal) {
      return (stream) => {
        const socket = locate(stream);
        const host = socket?.family === "unix" ? "unix" : socket?.host;
        return host === undefined || part.quoted || host === ""
          ? writeOptional(host, part, context.isMandatory)
          : host;
      };
    }
    return (stream) => {
      const socket = locate(stream);
      const ip =
        parsed === undefined ? (socket === undefined ? null : parseIpAddress(socket.host)) : parsed(stream);
      return ip === null
        ? writeOptional(null, part, context.isMandatory)
        : Buffer.from(ip.bytes).toString("hex").toUpperCase();
    };
  };
}

/** A unix socket has no port: the number of the bind line stands for it. */
function port(locate: LocateSocket): AliasCompiler {
  return (part, context) => (stream) => {
    const socket = locate(stream);
    if (socket === undefined) return writeOptional(null, part, context.isMandatory);
    if (socket.family === "unix") return `${stream.session.bind.id}`;
    return part.hexadecimal ? hexadecimal(socket.port, 4) : `${socket.port}`;
  };
}

function serverAddress(stream: Stream): SocketAddress | undefined {
  if (stream.serverConnection !== null) return stream.serverConnection.remote;
  const { server } = stream;
  if (server === null || server.definition.address.kind === "unix" || stream.connectMs < 0) return undefined;
  return { family: server.host.includes(":") ? 6 : 4, host: server.host, port: server.port ?? 0 };
}

type Side = "request" | "response";

/** Nothing is captured of what never became a request. */
function slotCount({ frontend, request }: Stream, side: Side): number {
  if (request === null && frontend.definition.mode === "http") return 0;
  const { requestCaptures, responseCaptures } = frontend.settings;
  return side === "request" ? requestCaptures.length : responseCaptures.length;
}

/** `{a|b}`: a place for each slot that the frontend declares; nothing if there is none. */
function captures(side: Side): AliasCompiler {
  return (part) => (stream) => {
    const count = slotCount(stream, side);
    if (count === 0) return "";
    const values = side === "request" ? stream.requestCaptures : stream.responseCaptures;
    let written = part.quoted ? '"{' : "{";
    for (let i = 0; i < count; i++) {
      const value = values === null ? null : values[i];
      if (i > 0) written += "|";
      if (value) written += encodeHeader(value, part.escaped);
    }
    return written + (part.quoted ? '}"' : "}");
  };
}

/** The values apart, as in CLF: each quoted, or `-`. */
function captureList(side: Side): AliasCompiler {
  return (part) => (stream) => {
    const values = side === "request" ? stream.requestCaptures : stream.responseCaptures;
    const written: string[] = [];
    for (let i = 0; i < slotCount(stream, side); i++) {
      const value = values?.[i];
      const encoded = value ? encodeHeader(value, part.escaped) : null;
      written.push(part.quoted ? `"${encoded ?? ""}"` : (encoded ?? "-"));
    }
    return written.join(" ");
  };
}

function beforeQuery(target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}
