// Tickets for consoles: one use, sixty seconds, for one user, machine, client address and page. They are
// signed, so that the command line can make them without asking the process that takes them. Whatever is
// wrong with one, the answer and the work for it are the same: nobody learns how near a guess was.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

export type ConsoleKind = "vnc" | "serial";

export interface TicketClaims {
  readonly user: string;
  readonly machine: string;
  readonly kind: ConsoleKind;
  readonly isViewOnly: boolean;
  /** Address of the browser, as `clientAddress` writes it. */
  readonly client: string;
  /** "https://consoles.company.com" */
  readonly origin: string;
  /** For who has lost his line: the session that goes on. */
  readonly resumes?: { readonly session: string; readonly startedMs: number };
}

interface Ticket extends TicketClaims {
  readonly id: string;
  readonly expiresMs: number;
}

export const TICKET_LIFE_MS = 60_000;
const KEY_BYTES = 32;
/** The one that signs, and the one before, whose tickets are still on their way. */
const KEYS_KEPT = 2;
const TICKET_CHARACTERS_MAX = 4096;

/** The keys in a file, the signing one first. Throws like node:fs, and for a file that holds no key. */
export function readTicketKeys(path: string): readonly Buffer[] {
  const keys = readFileSync(path, "latin1")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => Buffer.from(line.trim(), "base64url"));
  if (keys.length === 0 || keys.some((key) => key.length !== KEY_BYTES))
    throw new Error(`${path} holds other things than keys for tickets`);
  return keys;
}

/** Makes the file when it is not there. Throws like node:fs. */
export function ensureTicketKeys(path: string): void {
  try {
    readTicketKeys(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    writeKeys(path, [randomBytes(KEY_BYTES)]);
  }
}

/** A new key signs from now on; the last one is still taken. Throws like node:fs. */
export function rotateTicketKeys(path: string): void {
  writeKeys(path, [randomBytes(KEY_BYTES), ...readTicketKeys(path)].slice(0, KEYS_KEPT));
}

function writeKeys(path: string, keys: readonly Buffer[]): void {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, keys.map((key) => `${key.toString("base64url")}\n`).join(""), { mode: 0o600 });
  renameSync(draft, path);
}

export function issueTicket(claims: TicketClaims, keys: readonly Buffer[], nowMs: number): string {
  const ticket: Ticket = {
    ...claims,
    id: randomBytes(16).toString("base64url"),
    expiresMs: nowMs + TICKET_LIFE_MS,
  };
  const body = Buffer.from(JSON.stringify(ticket)).toString("base64url");
  return `${body}.${signatureOf(body, keys[0]!).toString("base64url")}`;
}

/** Takes tickets, each once. */
export class TicketBook {
  readonly #readKeys: () => readonly Buffer[];
  readonly #sinceMs: number;
  /** Tickets and sessions, until what is about them would have expired anyway. */
  readonly #used = new Map<string, number>();
  /** What expires until then may have been used and forgotten; a clock that goes back must not revive it. */
  #forgottenMs = 0;

  /**
   * `readKeys` is asked for each ticket, so that a rotated file counts at once. Tickets from before `sinceMs`
   * are not taken: nobody remembers which of them were used.
   */
  constructor(readKeys: () => readonly Buffer[], sinceMs: number) {
    this.#readKeys = readKeys;
    this.#sinceMs = sinceMs;
  }

  /** Null for every ticket that is not good here and now. One that comes from elsewhere is not used up. */
  redeem(text: string, client: string, origin: string, nowMs: number): TicketClaims | null {
    this.#forget(nowMs);
    const [body = "", signature = ""] =
      text.length <= TICKET_CHARACTERS_MAX ? text.split(".") : ["too long", ""];
    const given = padded(signature);
    // Every key is tried and every condition looked at, whatever the first ones gave.
    let isGenuine = false;
    for (const key of this.#readKeys()) {
      const isThis = timingSafeEqual(signatureOf(body, key), given);
      isGenuine = isThis || isGenuine;
    }
    const isOneSpelling = text === `${body}.${given.toString("base64url")}`;
    const ticket = parseTicket(isGenuine ? body : NO_TICKET);
    const conditions = [
      isGenuine,
      isOneSpelling,
      ticket.expiresMs >= nowMs && ticket.expiresMs <= nowMs + TICKET_LIFE_MS,
      ticket.expiresMs - TICKET_LIFE_MS >= this.#sinceMs,
      ticket.expiresMs > this.#forgottenMs,
      isSame(ticket.client, client),
      isSame(ticket.origin, origin),
      !this.#used.has(ticket.id),
      !this.#used.has(sessionKey(ticket.resumes?.session ?? "")),
    ];
    if (conditions.includes(false)) return null;
    this.#used.set(ticket.id, ticket.expiresMs);
    // It goes on once: the other tickets that its page has are worth nothing now.
    if (ticket.resumes !== undefined) this.endSession(ticket.resumes.session, nowMs);
    return ticket;
  }

  /** No ticket resumes it any more. */
  endSession(session: string, nowMs: number): void {
    this.#used.set(sessionKey(session), nowMs + TICKET_LIFE_MS);
  }

  #forget(nowMs: number): void {
    for (const [key, expiresMs] of this.#used) {
      if (expiresMs >= nowMs) continue;
      this.#used.delete(key);
      this.#forgottenMs = Math.max(this.#forgottenMs, expiresMs);
    }
  }
}

/** No ticket's id has a space in it. */
function sessionKey(session: string): string {
  return `session ${session}`;
}

const NO_TICKET = Buffer.from(
  JSON.stringify({
    user: "",
    machine: "",
    kind: "vnc",
    isViewOnly: true,
    client: "",
    origin: "",
    id: "",
    expiresMs: 0,
  }),
).toString("base64url");

/** Of a body that we have signed, so it is one of ours. */
function parseTicket(body: string): Ticket {
  return JSON.parse(Buffer.from(body, "base64url").toString()) as Ticket;
}

function signatureOf(body: string, key: Buffer): Buffer {
  return createHmac("sha256", key).update("sallyport console ticket 1\0").update(body).digest();
}

function padded(signature: string): Buffer {
  const bytes = Buffer.alloc(32);
  Buffer.from(signature, "base64url").copy(bytes);
  return bytes;
}

function isSame(a: string, b: string): boolean {
  const [first, second] = [a, b].map((text) => createHmac("sha256", "").update(text).digest());
  return timingSafeEqual(first!, second!);
}

/**
 * IPv4 as such also where the socket is one of IPv6. A browser on this machine has both addresses of loopback
 * and takes the one or the other as it likes.
 */
export function clientAddress(address: string): string {
  return address === "::1" ? "127.0.0.1" : address.replace(/^::ffff:(?=\d+\.)/i, "");
}
