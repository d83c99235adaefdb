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
export type WriteText = (stream: Stream) => string;

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
  return ALIASES[part.alias](part, context);
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
  ST: () => (stream) => (stream.frontend.definition.mode === "http" ? `${stream.status}` : "0"),
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
  U: () => (stream) => `${stream.bytesIn}`,
  ac: () => (stream) => `${activeConnections(stream)}`,
  b: text((stream) => stream.backend?.name ?? stream.frontend.name),
  bc: () => (stream) => `${backendConnections(stream)}`,
  bi: address((stream) => stream.serverConnection?.local),
  bp: port((stream) => stream.serverConnection?.local),
  bq: () => (stream) => `${stream.backendQueuePosition}`,
  ci: address(
    (stream) => stream.session.source,
    (stream) => sourceAddress(stream.session),
  ),
  cp: port((stream) => stream.session.source),
  f: text((stream) => stream.frontend.name),
  fc:
    () =>
    ({ frontend }) =>
      `${frontend.state.total(frontend.slot, COUNTER.scur)}`,
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
  r: url(requestLine),
  rc: () => (stream) => (stream.isRedispatched ? `+${stream.retries}` : `${stream.retries}`),
  rt: number((stream, { requestCount }) => {
    if (stream.requestNumber === 0) stream.requestNumber = ++requestCount.value;
    return stream.requestNumber - 1;
  }, 4),
  s: text((stream) => stream.server?.name ?? stream.serviceName ?? NO_SERVER),
  sc: () => (stream) =>
    stream.server === null ? "0" : `${stream.server.state.total(stream.server.slot, COUNTER.scur)}`,
  si: address(serverAddress),
  sp: port(serverAddress),
  sq: () => (stream) => `${stream.serverQueuePosition}`,
  sslc: text((stream) => stream.session.tls?.cipher),
  sslv: text((stream) => stream.session.tls?.version),
  t: () => (stream) => formatLogDate(acceptDateMs(stream)),
  tr: () => (stream) => formatLogDate(requestDateMs(stream)),
  trg: () => (stream) => formatGmtDate(requestDateMs(stream)),
  trl: () => (stream) => formatLocalDate(requestDateMs(stream)),
  ts: () => (stream) => stream.cause + stream.phase,
  tsc: () => (stream) => {
    const hasCookie = stream.request !== null && (stream.backend?.settings.cookie ?? null) !== null;
    return hasCookie
      ? stream.cause + stream.phase + stream.cookieRequest + stream.cookieResponse
      : `${stream.cause}${stream.phase}--`;
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
  return () => (stream) => `${Math.trunc(read(stream))}`;
}

/** `option logasap` logs before the end: what can still grow gets a plus sign. */
function plusWhenEarly(read: (stream: Stream) => number): AliasCompiler {
  return () => (stream) =>
    stream.frontend.definition.options.logasap ? `+${read(stream)}` : `${read(stream)}`;
}

function number(read: (stream: Stream, context: AliasContext) => number, digits: number): AliasCompiler {
  return (part, context) =>
    part.hexadecimal
      ? (stream) => hexadecimal(read(stream, context), digits)
      : (stream) => `${read(stream, context)}`;
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

function slotCount({ frontend }: Stream, side: Side): number {
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

function methodOf(stream: Stream): string | undefined {
  return stream.originalMethod ?? stream.request?.method;
}

function targetOf(stream: Stream): string | undefined {
  return stream.originalTarget ?? stream.request?.target;
}

function versionOf(stream: Stream): string | undefined {
  if (stream.request === null) return undefined;
  return stream.request.versionMinor === 1 ? "HTTP/1.1" : "HTTP/1.0";
}

function requestLine(stream: Stream): string | undefined {
  const target = targetOf(stream);
  if (target === undefined) return undefined;
  const line = `${methodOf(stream)} ${target} ${versionOf(stream)}`;
  return line.length > REQUEST_LINE_LENGTH_MAX ? line.slice(0, REQUEST_LINE_LENGTH_MAX) : line;
}

function beforeQuery(target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}

function activeConnections({ runtime }: Stream): number {
  let count = 0;
  for (const frontend of runtime.frontends) count += frontend.state.total(frontend.slot, COUNTER.scur);
  return count;
}

/** A request that met no backend counts at its frontend's own, which has none. */
function backendConnections({ backend }: Stream): number {
  return backend === null ? 0 : backend.state.total(backend.slot, COUNTER.scur);
}
