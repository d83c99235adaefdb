// Numbers of what stands in certificates that we make ourselves, and how an extension is written (RFC 5280).
import { type Asn1, booleanTrue, objectIdentifier, octetString, sequence, toDer } from "./asn1.ts";

export const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

export function extension(oid: string, isCritical: boolean, value: Asn1): Asn1 {
  const content = octetString(toDer(value));
  return isCritical
    ? sequence(objectIdentifier(oid), booleanTrue(), content)
    : sequence(objectIdentifier(oid), content);
}
