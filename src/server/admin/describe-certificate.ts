// What `show ssl …` tells of a certificate and of a revocation list, line by line as HAProxy writes it.
import { X509Certificate } from "node:crypto";
import { isCertificateBlock, splitPem } from "../certificates/pem.ts";
import { message } from "./command.ts";

/** The certificates of a PEM text; null when there is none, or one that is damaged. */
export function parseChain(pem: string): readonly X509Certificate[] | null {
  try {
    const chain = splitPem(pem)
      .filter(isCertificateBlock)
      .map(({ text }) => new X509Certificate(text));
    return chain.length === 0 ? null : chain;
  } catch {
    return null;
  }
}

/** Of a chain HAProxy tells names only. */
export function describeCertificate(certificate: X509Certificate, prefix = ""): string {
  const names =
    message(`${prefix}Subject: ${oneLine(certificate.subject)}`) +
    message(`${prefix}Issuer: ${oneLine(certificate.issuer)}`);
  if (prefix !== "") return names;
  return (
    message(`Serial: ${certificate.serialNumber}`) +
    message(`notBefore: ${certificate.validFrom}`) +
    message(`notAfter: ${certificate.validTo}`) +
    message(`Subject Alternative Name: ${certificate.subjectAltName ?? ""}`) +
    message(`Algorithm: ${algorithmOf(certificate)}`) +
    message(`SHA1 FingerPrint: ${certificate.fingerprint.replaceAll(":", "")}`) +
    names
  );
}

/** OpenSSL's old form of a name, "/C=FR/CN=localhost", of Node's lines. */
function oneLine(name: string | undefined): string {
  return name === undefined ? "" : `/${name.split("\n").join("/")}`;
}

const CURVE_BITS: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 };

/** "RSA2048", "EC384"; nothing for a kind of key that Node cannot open. */
function algorithmOf(certificate: X509Certificate): string {
  try {
    const { asymmetricKeyType: type = "", asymmetricKeyDetails: details } = certificate.publicKey;
    if (type === "ec") return `EC${CURVE_BITS[details?.namedCurve ?? ""] ?? ""}`;
    return `${type.toUpperCase()}${details?.modulusLength ?? ""}`;
  } catch {
    return "";
  }
}
