// Which certificate is shown to a client that asks for a server name (SNI): an exact name goes before a
// wildcard, and the first certificate with a name keeps it. Pure.

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
