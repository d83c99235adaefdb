// Certificates that are made for names as clients ask for them, and what an engine has made of each: those
// that were asked for last are kept.
import type { CertificateMaker, CertificateMaterial } from "../transport/contract.ts";

/** One that was made is shown no longer than this, so that it is always a good while before its end. */
const KEPT_MS_MAX = 30 * 86_400_000;

export class MadeCertificates<T> {
  readonly #maker: CertificateMaker;
  readonly #open: (material: CertificateMaterial) => T | null;
  readonly #close: (opened: T) => void;
  /** The one that was asked for last is at the end. */
  readonly #kept: Map<string, { readonly opened: T; readonly madeMs: number }> = new Map();

  /** `open` gives null for what cannot be used; `close` is called once for all else. */
  constructor(
    maker: CertificateMaker,
    open: (material: CertificateMaterial) => T | null,
    close: (opened: T) => void,
  ) {
    this.#maker = maker;
    this.#open = open;
    this.#close = close;
  }

  /** For a name in lower case. */
  find(serverName: string, nowMs: number): T | null {
    const known = this.#kept.get(serverName);
    if (known !== undefined) {
      this.#kept.delete(serverName);
      if (nowMs - known.madeMs < KEPT_MS_MAX) {
        this.#kept.set(serverName, known);
        return known.opened;
      }
      this.#close(known.opened);
    }
    const opened = this.#open(this.#maker.make(serverName, nowMs));
    if (opened === null) return null;
    this.#kept.set(serverName, { opened, madeMs: nowMs });
    this.#forgetOldest();
    return opened;
  }

  /** Where none is to be kept the last one is, until the next: somebody is about to use it. */
  #forgetOldest(): void {
    for (const [name, { opened }] of this.#kept) {
      if (this.#kept.size <= Math.max(1, this.#maker.countMax)) return;
      this.#kept.delete(name);
      this.#close(opened);
    }
  }
}
