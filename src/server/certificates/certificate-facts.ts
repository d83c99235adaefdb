// What a certificate says about itself: the names that it is for and when it holds.
import { X509Certificate } from "node:crypto";
import { formatIpAddress, parseIpAddress } from "../../base/address.ts";

export interface CertificateFacts {
  /**
   * DNS names in small letters, "*.example.org" included: the alternative names, then the subject's common
   * names, as HAProxy collects them. Each once.
   */
  readonly names: readonly string[];
  /** IP addresses among the alternative names, in canonical text. */
  readonly addresses: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** "RSA 2048", "EC prime256v1". */
  readonly keyDescription: string;
  /** SHA-1 over the DER, as HAProxy's runtime API shows it: 40 capital hex digits. */
  readonly fingerprint: string;
}

/** Facts of the first certificate in a PEM text, or of DER. Throws on what is no certificate. */
export function certificateFacts(certificate: string | Uint8Array | X509Certificate): CertificateFacts {
  const parsed = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate);
  const alternatives = parseAlternativeNames(parsed.subjectAltName ?? "");
  const { asymmetricKeyType, asymmetricKeyDetails } = parsed.publicKey;
  return {
    names: [...new Set([...alternatives.names, ...commonNames(parsed)].map((name) => name.toLowerCase()))],
    addresses: alternatives.addresses,
    notBeforeMs: Date.parse(parsed.validFrom),
    notAfterMs: Date.parse(parsed.validTo),
    keyDescription: [
      asymmetricKeyType?.toUpperCase() ?? "unknown",
      asymmetricKeyDetails?.namedCurve ?? asymmetricKeyDetails?.modulusLength,
    ]
      .filter((part) => part !== undefined)
      .join(" "),
    fingerprint: parsed.fingerprint.replaceAll(":", ""),
  };
}

/** Node prints them as OpenSSL does, "DNS:a.example, IP Address:192.0.2.1", and quotes odd values as JSON. */
function parseAlternativeNames(text: string): { readonly names: string[]; readonly addresses: string[] } {
  const names: string[] = [];
  const addresses: string[] = [];
  for (const [, kind, written] of text.matchAll(/(?:^|, )(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const value = written!.startsWith('"') ? (JSON.parse(written!) as string) : written!;
    if (kind === "DNS") names.push(value);
    else {
      const address = parseIpAddress(value);
      addresses.push(address === null ? value : formatIpAddress(address));
    }
  }
  return { names, addresses };
}

function commonNames(certificate: X509Certificate): string[] {
  // A subject with several common names has an array here; the types know only the usual one.
  const names = certificate.toLegacyObject().subject?.CN as string | string[] | undefined;
  if (names === undefined) return [];
  return typeof names === "string" ? [names] : names;
}
