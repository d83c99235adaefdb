// The fields of an X.509 certificate (RFC 5280) that rules ask for, read from its DER. It verifies nothing:
// the TLS engine has done that.
import { createHash, X509Certificate } from "node:crypto";
import { latin1 } from "../sample-cast.ts";

export type DistinguishedName = readonly { readonly key: string; readonly value: string }[];

export interface Certificate {
  readonly version: number;
  /** Raw bytes of the number. */
  readonly serial: string;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** As written: "260101000000Z". */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly sha1: string;
  /** OpenSSL's short names: "RSA-SHA256", "rsaEncryption". */
  readonly signatureAlgorithm: string;
  readonly keyAlgorithm: string;
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.1": "rsaEncryption",
  "1.2.840.113549.1.1.4": "RSA-MD5",
  "1.2.840.113549.1.1.5": "RSA-SHA1",
  "1.2.840.113549.1.1.10": "RSASSA-PSS",
  "1.2.840.113549.1.1.11": "RSA-SHA256",
  "1.2.840.113549.1.1.12": "RSA-SHA384",
  "1.2.840.113549.1.1.13": "RSA-SHA512",
  "1.2.840.113549.1.1.14": "RSA-SHA224",
  "1.2.840.10040.4.1": "DSA",
  "2.16.840.1.101.3.4.3.2": "dsa_with_SHA256",
  "1.2.840.10045.2.1": "id-ecPublicKey",
  "1.2.840.10045.4.1": "ecdsa-with-SHA1",
  "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
  "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
  "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
  "1.3.101.112": "ED25519",
  "1.3.101.113": "ED448",
};

const NAME_KEYS: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "street",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.42": "GN",
  "1.2.840.113549.1.9.1": "emailAddress",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
};

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Behind this element, in the bytes that it was read from. */
  readonly end: number;
}

/** Null for bytes that are no certificate. */
export function readCertificate(der: Uint8Array): Certificate | null {
  const outer = elementAt(der, 0);
  const body = outer === null ? null : elementAt(outer.content, 0);
  if (body === null) return null;
  const fields = childrenOf(body.content);
  const hasVersion = fields[0]?.tag === 0xa0;
  const [serial, signature, issuer, validity, subject, key] = hasVersion ? fields.slice(1) : fields;
  if (serial === undefined || issuer === undefined || validity === undefined || subject === undefined)
    return null;
  const [notBefore, notAfter] = childrenOf(validity.content);
  if (notBefore === undefined || notAfter === undefined) return null;
  return {
    version: (hasVersion ? (fields[0]!.content.at(-1) ?? 0) : 0) + 1,
    serial: latin1(serial.content),
    issuer: readName(issuer.content),
    subject: readName(subject.content),
    notBefore: latin1(notBefore.content),
    notAfter: latin1(notAfter.content),
    sha1: createHash("sha1").update(der).digest("latin1"),
    signatureAlgorithm: algorithmIn(signature),
    keyAlgorithm: algorithmIn(key === undefined ? undefined : childrenOf(key.content)[0]),
  };
}

/** "/C=FR/O=Company/CN=name", or as in RFC 2253: "CN=name,O=Company,C=FR". */
/** Each is read once, for as long as a connection keeps it. */
const certificates = new WeakMap<Uint8Array, Certificate | null>();

/** Null: it is none that can be read. */
export function certificateIn(der: Uint8Array): Certificate | null {
  let certificate = certificates.get(der);
  if (certificate === undefined) {
    certificate = readCertificate(der);
    certificates.set(der, certificate);
  }
  return certificate;
}

/** "RSA2048", "EC256", as HAProxy calls the key of a certificate; null for those that it has no word for. */
export function keyWord(der: Uint8Array): string | null {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = new X509Certificate(der).publicKey;
    const bits = asymmetricKeyDetails?.modulusLength ?? CURVE_BITS[asymmetricKeyDetails?.namedCurve ?? ""];
    const word = KEY_WORDS[asymmetricKeyType ?? ""];
    return word === undefined || bits === undefined ? null : `${word}${bits}`;
  } catch {
    return null;
  }
}

const KEY_WORDS: Readonly<Record<string, string>> = { rsa: "RSA", ec: "EC", dsa: "DSA" };
const CURVE_BITS: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 };

export function formatName(name: DistinguishedName, isRfc2253: boolean): string {
  if (!isRfc2253) return name.map(({ key, value }) => `/${key}=${value}`).join("");
  const escaped = name.map(({ key, value }) => `${key}=${value.replace(/[,+"\\<>;]|^[ #]| $/g, "\\$&")}`);
  return escaped.reverse().join(",");
}

/** The value of the n-th entry of that key: 1 is the first, -1 the last. */
export function nameEntry(name: DistinguishedName, key: string, occurrence: number): string | undefined {
  const values = name.filter((entry) => entry.key === key).map((entry) => entry.value);
  return occurrence < 0 ? values.at(occurrence) : values[Math.max(occurrence, 1) - 1];
}

function readName(bytes: Uint8Array): DistinguishedName {
  const entries: { key: string; value: string }[] = [];
  for (const set of childrenOf(bytes)) {
    for (const pair of childrenOf(set.content)) {
      const [identifier, value] = childrenOf(pair.content);
      if (identifier === undefined || value === undefined) continue;
      const oid = formatOid(identifier.content);
      entries.push({ key: NAME_KEYS[oid] ?? oid, value: latin1(value.content) });
    }
  }
  return entries;
}

/** Of an AlgorithmIdentifier; its number when it has no name here. */
function algorithmIn(element: Element | undefined): string {
  const identifier = element === undefined ? undefined : childrenOf(element.content)[0];
  const oid = identifier === undefined ? "" : formatOid(identifier.content);
  return ALGORITHMS[oid] ?? oid;
}

function formatOid(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (numbers.length === 0) {
      const first = Math.min(2, Math.trunc(value / 40));
      numbers.push(first, value - first * 40);
    } else numbers.push(value);
    value = 0;
  }
  return numbers.join(".");
}

function childrenOf(bytes: Uint8Array): Element[] {
  const children: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const element = elementAt(bytes, at);
    if (element === null) break;
    children.push(element);
    at = element.end;
  }
  return children;
}

function elementAt(bytes: Uint8Array, at: number): Element | null {
  const tag = bytes[at];
  let length = bytes[at + 1];
  if (tag === undefined || length === undefined) return null;
  let start = at + 2;
  if (length >= 0x80) {
    const lengthBytes = length & 0x7f;
    if (lengthBytes === 0 || lengthBytes > 4) return null;
    length = 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes[start + i] ?? 0);
    start += lengthBytes;
  }
  const end = start + length;
  return end > bytes.length ? null : { tag, content: bytes.subarray(start, end), end };
}
