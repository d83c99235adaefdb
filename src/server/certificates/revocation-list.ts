// Certificate revocation lists (RFC 5280, section 5.1), as far as an operator is told of them.
import forge from "node-forge";
import { type Asn1, childOf, childrenOf, MalformedAsn1, octetsOf, oidOf, parseAsn1 } from "./asn1.ts";
import { pemToDer, splitPem } from "./pem.ts";

export interface RevocationList {
  /** 1, or 2 for lists with extensions, which are written as 1. */
  readonly version: number;
  /** OpenSSL's name of it, or its object identifier. */
  readonly signatureAlgorithm: string;
  /** "/C=FR/CN=An Authority". */
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly lastUpdateMs: number;
  readonly nextUpdateMs: number | null;
  readonly revoked: readonly { readonly serial: string; readonly revokedAtMs: number }[];
}

/** The lists of a PEM text; null when there is none, or one that is damaged. */
export function parseRevocationLists(pem: string): readonly RevocationList[] | null {
  try {
    const blocks = splitPem(pem).filter(({ label }) => label === "X509 CRL");
    return blocks.length === 0 ? null : blocks.map((block) => parseList(parseAsn1(pemToDer(block))));
  } catch (error) {
    if (error instanceof MalformedAsn1) return null;
    throw error;
  }
}

const { Type } = forge.asn1;

function parseList(list: Asn1): RevocationList {
  const fields = [...childrenOf(childOf(list, 0))];
  const version = fields[0]?.type === Type.INTEGER ? octetsOf(fields.shift()).at(-1)! + 1 : 1;
  const [algorithm, issuer, lastUpdate, ...rest] = fields;
  const nextUpdate = isTime(rest[0]) ? rest.shift() : undefined;
  const revoked = rest[0]?.type === Type.SEQUENCE ? childrenOf(rest[0]) : [];
  return {
    version,
    signatureAlgorithm: nameOf(SIGNATURES, oidOf(childOf(algorithm, 0))),
    issuer: childrenOf(issuer).map(formatRelativeName).join(""),
    lastUpdateMs: timeOf(lastUpdate),
    nextUpdateMs: nextUpdate === undefined ? null : timeOf(nextUpdate),
    revoked: revoked.map((entry) => ({
      serial: Buffer.from(octetsOf(childOf(entry, 0)))
        .toString("hex")
        .toUpperCase(),
      revokedAtMs: timeOf(childOf(entry, 1)),
    })),
  };
}

function isTime(node: Asn1 | undefined): boolean {
  return node?.type === Type.UTCTIME || node?.type === Type.GENERALIZEDTIME;
}

function timeOf(node: Asn1 | undefined): number {
  if (!isTime(node)) throw new MalformedAsn1("a time is missing");
  const text = Buffer.from(octetsOf(node)).toString("latin1");
  const [, year, month, day, hour, minute, second] =
    /^(\d\d|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  if (year === undefined) throw new MalformedAsn1("a time is not as it should be");
  // RFC 5280, section 4.1.2.5.1: two digits are from 1950 to 2049.
  const century = year.length === 4 ? 0 : Number(year) < 50 ? 2000 : 1900;
  return Date.UTC(
    century + Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
}

function formatRelativeName(name: Asn1): string {
  const parts = childrenOf(name).map((part) => {
    const value = Buffer.from(octetsOf(childOf(part, 1))).toString("utf8");
    return `${nameOf(ATTRIBUTES, oidOf(childOf(part, 0)))}=${value}`;
  });
  return `/${parts.join("+")}`;
}

function nameOf(names: Readonly<Record<string, string>>, oid: string): string {
  return names[oid] ?? oid;
}

const SIGNATURES: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
  "1.2.840.113549.1.1.10": "rsassaPss",
  "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
  "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
  "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
  "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
  "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
  "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
  "1.3.101.112": "ED25519",
  "1.3.101.113": "ED448",
};

const ATTRIBUTES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};
