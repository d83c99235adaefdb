// `bind` lines (manual 4.2 and 5.1), and `stats socket`, which shares their addresses and some of their
// words.
import type { StatsSocket } from "../../model/global-settings.ts";
import type { BindTls, CertificateSource, HttpProtocol } from "../../model/proxy.ts";
import type { ListenAddress } from "../../transport/contract.ts";
import { parseEndpoint, toListenAddresses } from "./address.ts";
import { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import { BIND_KEYWORDS } from "./keywords-line.ts";
import { displayText } from "./lexer.ts";
import { skipTableWord } from "./line-words.ts";
import { cursorOf, type ProxyLine, type Reading } from "./reading.ts";
import {
  NOTHING_IGNORED,
  newTlsDraft,
  readIgnoredErrors,
  readPath,
  readTlsWord,
  resolvePath,
} from "./tls-words.ts";
import { NO_UNIX_BIND, readUnixSocketWord, type UnixBind, type UnixSocketWords } from "./unix-socket.ts";
import { expectInteger } from "./values.ts";
import { partOfWord, type Word } from "./word.ts";

interface BindDraft {
  name: string | null;
  id: { readonly value: number; readonly word: Word } | null;
  acceptProxy: boolean;
  protocol: HttpProtocol | null;
  backlog: number | null;
  maxconn: number | null;
  isTls: boolean;
  tls: Mutable<BindTls>;
  readonly socket: UnixSocketWords;
  isV6Only: boolean;
  device: string | null;
  level: StatsSocket["level"];
  makesCertificates: boolean;
  signerPath: string | null;
  signerPassword: string | null;
}

export function readBind(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const address = cursor.expect("the address");
  if (address === null) return;
  const bind = readBindWords(line.reading, cursor);
  if (bind.isTls && bind.tls.certificates.length === 0) {
    line.report.error(
      "missing-certificate",
      line.span,
      "`ssl` needs a certificate",
      "Add `crt FILE`: a PEM file with key and chain, a PFX file, or a directory.",
    );
  }
  if (!bind.isTls && bind.tls.certificates.length > 0) {
    line.report.warning(
      "unused-certificate",
      line.span,
      "this bind has a certificate but no `ssl`, so it serves clear text",
      "Add `ssl`.",
    );
  }
  if (bind.isTls && bind.tls.verify !== "none" && bind.tls.caFile === null) {
    line.report.error(
      "missing-ca",
      line.span,
      "clients' certificates are to be verified, but no `ca-file` says by whom",
      "Add `ca-file FILE`: the authority that issued your clients' certificates.",
    );
  }
  if (bind.makesCertificates && bind.signerPath === null) {
    line.report.error(
      "missing-argument",
      line.span,
      "`generate-certificates` needs an authority that signs them",
      "Add `ca-sign-file FILE`: its certificate and its key.",
    );
  }
  for (const part of splitAddresses(address)) {
    const endpoint = parseEndpoint(part, { port: "needed", range: true }, line.report, (name) =>
      line.reading.variable(name),
    );
    if (endpoint === null) continue;
    for (const listen of toListenAddresses(endpoint))
      addBind(
        line,
        bind,
        applySocketWords(line.reading.global.unixBind, listen, bind),
        describe(part, listen),
      );
  }
}

/** A range is several listeners; each shows its own port. */
function describe(part: Word, listen: ListenAddress): string {
  if (listen.kind !== "tcp" || !/:\d+-\d+$/.test(part.text)) return displayText(part.text);
  return `${part.text.slice(0, part.text.lastIndexOf(":"))}:${listen.port}`;
}

function addBind(line: ProxyLine, bind: BindDraft, address: ListenAddress, text: string): void {
  const { name, acceptProxy, protocol, backlog, maxconn } = bind;
  line.draft.binds.push({
    address,
    text,
    name,
    id: bind.id?.value ?? 0,
    acceptProxy,
    protocol,
    backlog,
    maxconn,
    tls: bind.isTls ? finishTls(line.reading, bind) : null,
    span: line.span,
  });
}

function finishTls(
  reading: Reading,
  { tls, makesCertificates, signerPath, signerPassword }: BindDraft,
): BindTls {
  const defaults = reading.global.bindDefaults;
  return {
    ...tls,
    ciphers: tls.ciphers ?? defaults.ciphers,
    ciphersuites: tls.ciphersuites ?? defaults.ciphersuites,
    curves: tls.curves ?? defaults.curves,
    signer: makesCertificates && signerPath !== null ? { path: signerPath, password: signerPassword } : null,
  };
}

export function splitAddresses(word: Word): Word[] {
  const parts: Word[] = [];
  let start = 0;
  for (const text of word.text.split(",")) {
    parts.push(partOfWord(word, start, start + text.length));
    start += text.length + 1;
  }
  return parts;
}

function applySocketWords(unix: UnixBind, address: ListenAddress, bind: BindDraft): ListenAddress {
  if (address.kind === "unix") return { ...address, ...bind.socket, path: unix.prefix + address.path };
  if (address.kind !== "tcp") return address;
  return {
    ...address,
    ...(bind.isV6Only ? { isV6Only: true } : {}),
    ...(bind.device === null ? {} : { device: bind.device }),
  };
}

/** `unix`: what holds for its sockets unless it says otherwise. */
function newBindDraft(unix: UnixSocketWords): BindDraft {
  return {
    name: null,
    id: null,
    acceptProxy: false,
    protocol: null,
    backlog: null,
    maxconn: null,
    isTls: false,
    socket: { mode: unix.mode, uid: unix.uid, gid: unix.gid },
    isV6Only: false,
    device: null,
    level: "operator",
    makesCertificates: false,
    signerPath: null,
    signerPassword: null,
    tls: {
      ...newTlsDraft(),
      certificates: [],
      strictSni: false,
      verify: "none",
      tickets: true,
      caVerifyFile: null,
      ignoredErrors: NOTHING_IGNORED,
      signer: null,
    },
  };
}

function readBindWords(reading: Reading, cursor: Cursor): BindDraft {
  const bind = newBindDraft(reading.global.unixBind);
  const defaults = new Cursor(reading.global.bindDefaults.options, 0, reading.report);
  for (const source of [defaults, cursor]) {
    for (let word = source.next(); word !== null; word = source.next()) {
      if (readBindWord(reading, word, source, bind)) continue;
      if (!readTlsWord(word, source, bind.tls, reading.certificateBases.caBase))
        skipTableWord(BIND_KEYWORDS, word, source, "bind");
    }
  }
  return bind;
}

/** Words that only `bind` has. False when `word` is none of them. */
function readBindWord(reading: Reading, word: Word, cursor: Cursor, bind: BindDraft): boolean {
  switch (word.text) {
    case "ssl":
      bind.isTls = true;
      return true;
    case "crt":
    case "crt-list":
      readCertificate(reading, cursor, bind, word.text === "crt-list");
      return true;
    case "ca-verify-file":
      bind.tls.caVerifyFile = readPath(cursor, reading.certificateBases.caBase);
      return true;
    case "crt-ignore-err":
      bind.tls.ignoredErrors = { ...bind.tls.ignoredErrors, ofClients: readIgnoredErrors(cursor) };
      return true;
    case "ca-ignore-err":
      bind.tls.ignoredErrors = { ...bind.tls.ignoredErrors, ofAuthorities: readIgnoredErrors(cursor) };
      return true;
    case "accept-proxy":
      bind.acceptProxy = true;
      return true;
    case "strict-sni":
      bind.tls.strictSni = true;
      return true;
    case "no-tls-tickets":
      bind.tls.tickets = false;
      return true;
    case "generate-certificates":
      bind.makesCertificates = true;
      return true;
    case "ca-sign-file":
      bind.signerPath = readPath(cursor, reading.certificateBases.caBase);
      return true;
    case "ca-sign-pass":
      bind.signerPassword = cursor.expect("a password")?.text ?? null;
      return true;
    case "verify":
      bind.tls.verify = cursor.expectOneOf("way to verify", ["none", "optional", "required"]) ?? "none";
      return true;
    case "v6only":
      bind.isV6Only = true;
      return true;
    case "v4v6":
      bind.isV6Only = false;
      return true;
    case "proto":
      bind.protocol = readProtocol(cursor) ?? bind.protocol;
      return true;
    case "level":
      bind.level = cursor.expectOneOf("level", ["user", "operator", "admin"]) ?? "operator";
      return true;
  }
  return readBindValue(reading, word, cursor, bind);
}

function readBindValue(reading: Reading, word: Word, cursor: Cursor, bind: BindDraft): boolean {
  switch (word.text) {
    case "name":
      bind.name = cursor.expect("a name")?.text ?? null;
      return true;
    case "interface":
      bind.device = readDevice(cursor);
      return true;
    case "id": {
      const value = expectInteger(cursor, "a number", 1);
      bind.id = value === null ? null : { value, word };
      return true;
    }
    case "backlog":
      bind.backlog = expectInteger(cursor, "a number", 1);
      return true;
    case "maxconn":
      bind.maxconn = expectInteger(cursor, "a number of connections", 1);
      return true;
  }
  return readUnixSocketWord(reading, word, cursor, bind.socket);
}

/** A network interface, by the kernel's rule for their names (dev_valid_name). */
function readDevice(cursor: Cursor): string | null {
  const word = cursor.expect("a network interface");
  if (word === null) return null;
  if (/^[^\s/:]{1,15}$/.test(word.text)) return word.text;
  cursor.report.error(
    "bad-name",
    word.span,
    `\`${displayText(word.text)}\` cannot be the name of a network interface`,
    "`ip link` lists them.",
  );
  return null;
}

/** Of the entries of a list: those of `global`, unless `default-path` says more. */
function basesOf(reading: Reading): Pick<CertificateSource, "bases"> {
  return reading.directory === null ? {} : { bases: reading.certificateBases };
}

/** HAProxy looks for a list where it was started, and only for the certificates in it in crt-base. */
function readCertificate(reading: Reading, cursor: Cursor, bind: BindDraft, isList: boolean): void {
  const word = cursor.expect(isList ? "a file" : "a file or directory");
  if (word === null) return;
  const { span } = word;
  const certificate: CertificateSource = isList
    ? { path: resolvePath(word.text, reading.directory), span, isList, ...basesOf(reading) }
    : { path: resolvePath(word.text, reading.certificateBases.crtBase), span };
  bind.tls.certificates = [...bind.tls.certificates, certificate];
}

function readProtocol(cursor: Cursor): HttpProtocol | null {
  const word = cursor.expect("a protocol");
  if (word === null) return null;
  if (word.text === "h1" || word.text === "h2") return word.text;
  cursor.report.error(
    "refused-keyword",
    word.span,
    `the protocol \`${displayText(word.text)}\` is not supported`,
    "Possible: `h1`, `h2`.",
  );
  return null;
}

/** `stats socket ADDRESS …` in global; `cursor` stands before the address. `unix-bind` is not for it. */
export function readStatsSocket(
  reading: Reading,
  cursor: Cursor,
  span: StatsSocket["span"],
): StatsSocket | null {
  const address = cursor.expect("an address or a path");
  if (address === null) return null;
  const endpoint = parseEndpoint(address, { port: "needed" }, reading.report, (name) =>
    reading.variable(name),
  );
  const bind = newBindDraft(NO_UNIX_BIND);
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    if (readBindWord(reading, word, cursor, bind)) continue;
    if (!readTlsWord(word, cursor, bind.tls, reading.certificateBases.caBase))
      skipTableWord(BIND_KEYWORDS, word, cursor, "bind");
  }
  if (endpoint === null) return null;
  return {
    address: applySocketWords(NO_UNIX_BIND, toListenAddresses(endpoint)[0]!, bind),
    level: bind.level,
    span,
  };
}
