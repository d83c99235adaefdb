// The server names that a certificate is good for, as OpenSSL reads them.
import { X509Certificate } from "node:crypto";

/**
 * The DNS names of a certificate in PEM: its subject alternative names, or its common name where it has none.
 */
export function certificateNames(certificatePem: string): readonly string[] {
  const certificate = new X509Certificate(certificatePem);
  const names = (certificate.subjectAltName ?? "")
    .split(/,\s*/)
    .filter((entry) => entry.startsWith("DNS:"))
    .map((entry) => entry.slice(4));
  if (names.length > 0) return names;
  const commonName = /^CN=(.+)$/m.exec(certificate.subject);
  return commonName === null ? [] : [commonName[1]!];
}
