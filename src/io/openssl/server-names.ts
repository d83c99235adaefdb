// The server names that a certificate is good for, as HAProxy collects them.
import { X509Certificate } from "node:crypto";

/** The DNS names of a certificate in PEM: its subject alternative names, then its common names. Each once. */
export function certificateNames(certificatePem: string): readonly string[] {
  const certificate = new X509Certificate(certificatePem);
  const alternative = (certificate.subjectAltName ?? "")
    .split(/,\s*/)
    .filter((entry) => entry.startsWith("DNS:"))
    .map((entry) => entry.slice(4));
  const common = [...certificate.subject.matchAll(/^CN=(.+)$/gm)].map((match) => match[1]!);
  return [...new Set([...alternative, ...common])];
}
