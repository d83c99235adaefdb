// Which certificate is shown to a client that asks for a server name (SNI): an exact name goes before a
// wildcard, and the first certificate with a name keeps it. Pure.

interface WildcardEntry {
  readonly index: number;
  /** Names that it is not for, though they fit. */
  readonly excluded: ReadonlySet<string>;
}

/** Names of certificates, and for each the position of its certificate. */
export class ServerNames {
  readonly #exact = new Map<string, number>();
  /** Keyed by what follows the "*.". */
  readonly #wildcard = new Map<string, WildcardEntry[]>();

  /**
   * The names of one certificate. "!name" takes a name out of its own wildcards, as in a `crt-list`; it says
   * nothing of other certificates.
   */
  add(names: readonly string[], index: number): void {
    const lower = names.map((name) => name.toLowerCase());
    const excluded = new Set(lower.filter((name) => name.startsWith("!")).map((name) => name.slice(1)));
    for (const name of lower) {
      if (name.startsWith("!")) continue;
      if (!name.startsWith("*.")) {
        if (!this.#exact.has(name)) this.#exact.set(name, index);
        continue;
      }
      const key = name.slice(2);
      const entries = this.#wildcard.get(key);
      if (entries === undefined) this.#wildcard.set(key, [{ index, excluded }]);
      else entries.push({ index, excluded });
    }
  }

  /** The certificate for a name, or -1. A wildcard stands for exactly one label (RFC 6125, section 6.4.3). */
  find(serverName: string): number {
    const name = serverName.endsWith(".") ? serverName.slice(0, -1).toLowerCase() : serverName.toLowerCase();
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf(".");
    if (dot <= 0) return -1;
    const entries = this.#wildcard.get(name.slice(dot + 1));
    return entries?.find(({ excluded }) => !excluded.has(name))?.index ?? -1;
  }
}
