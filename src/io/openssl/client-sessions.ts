// Sessions that a client context may resume: the newest for each server. OpenSSL hands them over by callback,
// in TLS 1.3 with the first data.
import type { OpenSsl } from "./library.ts";

/** The one unused for longest goes first. */
const SESSION_COUNT_MAX = 1024;

export class ClientSessions {
  readonly #openSsl: OpenSsl;
  readonly #byKey = new Map<string, bigint>();

  constructor(openSsl: OpenSsl) {
    this.#openSsl = openSsl;
  }

  /** Offers the server what it gave us last. */
  offer(ssl: bigint, key: string): void {
    const session = this.#byKey.get(key);
    if (session !== undefined) this.#openSsl.calls.SSL_set_session(ssl, session);
  }

  /** Takes over the reference that the callback was given. */
  remember(key: string, session: bigint): void {
    this.forget(key);
    this.#byKey.set(key, session);
    if (this.#byKey.size <= SESSION_COUNT_MAX) return;
    for (const oldest of this.#byKey.keys()) {
      this.forget(oldest);
      return;
    }
  }

  forget(key: string): void {
    const session = this.#byKey.get(key);
    if (session === undefined) return;
    this.#byKey.delete(key);
    this.#openSsl.calls.SSL_SESSION_free(session);
  }
}
