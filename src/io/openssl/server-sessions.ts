// Sessions of clients that have no tickets, between OpenSSL and the store that all workers share: it asks for
// one by its id, and tells of new ones and of those that must not be used any more.
import type { TlsSessionStore } from "../../transport/contract.ts";
import * as control from "./control.ts";
import type { OpenSsl } from "./library.ts";
import { SessionStore } from "./session-store.ts";

const SESSION_BYTES_MAX = 16_384;

/** Makes the sessions of a context resumable. Without effect where memory cannot be shared. */
export function keepSessions(openSsl: OpenSsl, context: bigint, definition: TlsSessionStore): void {
  const callbacks = callbacksOf(openSsl, definition);
  if (callbacks === null) return;
  const { calls } = openSsl;
  const mode = control.SSL_SESS_CACHE_SERVER_EXTERNAL;
  calls.SSL_CTX_ctrl(context, control.SSL_CTRL_SET_SESS_CACHE_MODE, mode, 0n);
  calls.SSL_CTX_set_timeout(context, BigInt(definition.lifetimeSeconds));
  calls.SSL_CTX_sess_set_new_cb(context, callbacks.put);
  calls.SSL_CTX_sess_set_get_cb(context, callbacks.get);
  calls.SSL_CTX_sess_set_remove_cb(context, callbacks.remove);
}

interface Callbacks {
  readonly put: bigint;
  readonly get: bigint;
  readonly remove: bigint;
}

/** By path and lifetime: contexts come with each reload, and callbacks live as long as the process. */
const opened: Map<string, Callbacks | null> = new Map();

function callbacksOf(openSsl: OpenSsl, definition: TlsSessionStore): Callbacks | null {
  const key = `${definition.path} ${definition.lifetimeSeconds}`;
  const known = opened.get(key);
  if (known !== undefined) return known;
  const store = storeOf(definition);
  const callbacks = store === null ? null : register(openSsl, store, definition.lifetimeSeconds);
  opened.set(key, callbacks);
  return callbacks;
}

const stores: Map<string, SessionStore | null> = new Map();

/** A worker may not open the file any more once it serves. */
function storeOf({ path, byteLength }: TlsSessionStore): SessionStore | null {
  const known = stores.get(path);
  if (known !== undefined) return known;
  const store = SessionStore.open(path, byteLength);
  stores.set(path, store);
  return store;
}

/** A callback that throws would end the process, so each catches everything and knows nothing then. */
function register(openSsl: OpenSsl, store: SessionStore, lifetimeSeconds: number): Callbacks {
  const { calls, ffi, library } = openSsl;
  // Encoding moves a pointer, which stands behind the bytes.
  const encoded = openSsl.native.map(SESSION_BYTES_MAX + 64);
  const bytes = new Uint8Array(encoded.buffer);
  const cursorPointer = encoded.pointer + BigInt(SESSION_BYTES_MAX);
  const pointToBytes = () => ffi.setUint64(cursorPointer, 0, encoded.pointer);
  const idOf = (session: bigint): Uint8Array => {
    const id = calls.SSL_SESSION_get_id(session, cursorPointer);
    return new Uint8Array(ffi.toBuffer(id, ffi.getUint32(cursorPointer, 0), true));
  };
  const nowSeconds = () => Math.floor(Date.now() / 1000);
  return {
    put: library.registerCallback(
      { return: "i32", arguments: ["u64", "u64"] } as const,
      (_ssl: bigint, session: bigint): number => {
        try {
          const id = idOf(session);
          const length = calls.i2d_SSL_SESSION(session, 0n);
          if (length <= 0 || length > SESSION_BYTES_MAX) return 0;
          pointToBytes();
          calls.i2d_SSL_SESSION(session, cursorPointer);
          store.put(id, bytes.subarray(0, length), nowSeconds() + lifetimeSeconds);
        } catch {
          // It is not resumed, then.
        }
        return 0; // We keep no reference to it.
      },
    ),
    get: library.registerCallback(
      { return: "u64", arguments: ["u64", "u64", "i32", "u64"] } as const,
      (_ssl: bigint, idPointer: bigint, idLength: number, copy: bigint): bigint => {
        try {
          ffi.setInt32(copy, 0, 0); // It is OpenSSL's own from the beginning.
          const id = new Uint8Array(ffi.toBuffer(idPointer, idLength, true));
          const session = store.get(id, nowSeconds());
          if (session === null) return 0n;
          bytes.set(session);
          pointToBytes();
          return calls.d2i_SSL_SESSION(0n, cursorPointer, BigInt(session.length));
        } catch {
          return 0n;
        }
      },
    ),
    remove: library.registerCallback(
      { return: "void", arguments: ["u64", "u64"] } as const,
      (_context: bigint, session: bigint): void => {
        try {
          store.remove(idOf(session));
        } catch {
          // It expires.
        }
      },
    ),
  };
}
