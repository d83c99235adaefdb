// Words about TLS that `bind` and `server` lines share (manual 5.1, 5.2): versions, ciphers, files.
import type { TlsCommon } from "../../model/proxy.ts";
import type { IgnoredErrors, TlsVersion } from "../../transport/contract.ts";
import type { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import { displayText } from "./lexer.ts";
import type { Word } from "./word.ts";

const VERSIONS: readonly TlsVersion[] = ["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
const FORCED: Readonly<Record<string, TlsVersion>> = {
  "force-tlsv10": "TLSv1.0",
  "force-tlsv11": "TLSv1.1",
  "force-tlsv12": "TLSv1.2",
  "force-tlsv13": "TLSv1.3",
};
const EXCLUDED: Readonly<Record<string, TlsVersion>> = {
  "no-tlsv10": "TLSv1.0",
  "no-tlsv11": "TLSv1.1",
  "no-tlsv12": "TLSv1.2",
  "no-tlsv13": "TLSv1.3",
};

/** Of a line that says nothing about TLS. */
export function newTlsDraft(): Mutable<TlsCommon> {
  return {
    minVersion: null,
    maxVersion: null,
    ciphers: null,
    ciphersuites: null,
    curves: null,
    alpn: [],
    caFile: null,
    crlFile: null,
  };
}

/** Joins a relative path to a base directory, as `crt-base` and `ca-base` do. */
export function resolvePath(path: string, base: string | null): string {
  return base === null || path.startsWith("/") || path.startsWith("@")
    ? path
    : `${base.replace(/\/$/, "")}/${path}`;
}

/** Reads the values of `keyword` into `tls`. False when the word is not about TLS in general. */
export function readTlsWord(
  keyword: Word,
  cursor: Cursor,
  tls: Mutable<TlsCommon>,
  caBase: string | null,
): boolean {
  const text = keyword.text;
  const forced = Object.hasOwn(FORCED, text) ? FORCED[text] : undefined;
  if (forced !== undefined) {
    tls.minVersion = tls.maxVersion = forced;
    return true;
  }
  const excluded = Object.hasOwn(EXCLUDED, text) ? EXCLUDED[text] : undefined;
  if (excluded !== undefined) {
    excludeVersion(tls, excluded);
    return true;
  }
  switch (text) {
    case "no-sslv3":
      return true; // never offered
    case "ssl-min-ver":
      tls.minVersion = readVersion(cursor) ?? tls.minVersion;
      return true;
    case "ssl-max-ver":
      tls.maxVersion = readVersion(cursor) ?? tls.maxVersion;
      return true;
    case "ciphers":
      tls.ciphers = cursor.expect("a list of ciphers")?.text ?? null;
      return true;
    case "ciphersuites":
      tls.ciphersuites = cursor.expect("a list of cipher suites")?.text ?? null;
      return true;
    case "curves":
    case "ecdhe":
      tls.curves = cursor.expect("a list of curves")?.text ?? null;
      return true;
    case "alpn":
      tls.alpn = readProtocols(cursor);
      return true;
    case "ca-file":
      tls.caFile = readPath(cursor, caBase);
      return true;
    case "crl-file":
      tls.crlFile = readPath(cursor, caBase);
      return true;
  }
  return false;
}

export function readProtocols(cursor: Cursor): readonly string[] {
  return (
    cursor
      .expect("a list of protocols")
      ?.text.split(",")
      .filter((name) => name !== "") ?? []
  );
}

export const NOTHING_IGNORED: IgnoredErrors = { ofClients: [], ofAuthorities: [] };

/** `all`, or OpenSSL's numbers of results of verification, separated by commas. */
export function readIgnoredErrors(cursor: Cursor): IgnoredErrors["ofClients"] {
  const word = cursor.expect("a list of errors, or `all`");
  if (word === null) return [];
  if (word.text === "all") return "all";
  const numbers = word.text.split(",");
  const bad = numbers.find((number) => !/^[1-9]\d{0,2}$/.test(number));
  if (bad === undefined) return numbers.map(Number);
  cursor.report.error(
    "bad-number",
    word.span,
    `\`${displayText(bad)}\` is no result of verification`,
    "Write `all`, or OpenSSL's numbers with commas, such as 10 for a certificate that has expired.",
  );
  return [];
}

export function readPath(cursor: Cursor, base: string | null): string | null {
  const word = cursor.expect("a file");
  return word === null ? null : resolvePath(word.text, base);
}

function readVersion(cursor: Cursor): TlsVersion | null {
  const word = cursor.expect("a TLS version");
  if (word === null) return null;
  const version = VERSIONS.find((one) => one === word.text);
  if (version !== undefined) return version;
  if (word.text === "SSLv3") {
    cursor.report.error(
      "refused-keyword",
      word.span,
      "SSLv3 is broken and no longer in OpenSSL",
      "Use TLSv1.2.",
    );
  } else {
    const message = `\`${displayText(word.text)}\` is no TLS version`;
    cursor.report.error("unknown-word", word.span, message, `Possible: ${VERSIONS.join(", ")}.`);
  }
  return null;
}

/** HAProxy allows holes in the range; the engines know a lowest and a highest version only. */
function excludeVersion(tls: Mutable<TlsCommon>, version: TlsVersion): void {
  const at = VERSIONS.indexOf(version);
  const lowest = tls.minVersion === null ? -1 : VERSIONS.indexOf(tls.minVersion);
  if (version === "TLSv1.3") tls.maxVersion = "TLSv1.2";
  else if (at >= lowest) tls.minVersion = VERSIONS[at + 1]!;
}
