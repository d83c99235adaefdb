// Which certificate is shown to a client that asks for a server name (SNI): an exact name goes before a
// wildcard, and the first certificate with a name keeps it. Pure.
import { X509Certificate } from "node:crypto";

/** Names of certificates, and for each the position of its certificate. */
export class ServerNames {
  readonly #exact = new Map<string, number>();
  /** Keyed by what follows the "*.". */
  readonly #wildcard = new Map<string, number>();

  add(name: string, index: number): void {
    const lower = name.toLowerCase();
    const [names, key] = lower.startsWith("*.") ? [this.#wildcard, lower.slice(2)] : [this.#exact, lower];
    if (!names.has(key)) names.set(key, index);
  }

  /** The certificate for a name, or -1. A wildcard stands for exactly one label (RFC 6125, section 6.4.3). */
  find(serverName: string): number {
    const name = serverName.endsWith(".") ? serverName.slice(0, -1).toLowerCase() : serverName.toLowerCase();
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf(".");
    return dot <= 0 ? -1 : (this.#wildcard.get(name.slice(dot + 1)) ?? -1);
  }
}

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
