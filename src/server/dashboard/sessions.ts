// Who is who: logins with name and password, sessions in a cookie that no script can read and that no other
// site's page can make a browser send, and the token that proves that a change was asked for by our own page.
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { familyOfIp, formatSubnet, parseIp, subnetOf } from "../../base/ip.ts";
import { ROLES, type Role } from "../../model/dashboard-api.ts";
import { identify, type SignOn } from "../console/sign-on.ts";
import { checkPassword, roleOf } from "../console/users.ts";

export interface Session {
  readonly user: string;
  readonly role: Role;
  readonly csrfToken: string;
  /** Address of the browser. */
  readonly client: string;
  /** Without a login of ours: by a sign-on proxy, or because none is needed. There is no way to log out. */
  readonly isSignedOn: boolean;
}

export interface SessionsOptions {
  /** Null: nobody logs in by a password. */
  readonly usersFile: string | null;
  readonly signOn: SignOn | null;
  /** Served by TLS. */
  readonly isSecure: boolean;
}

interface LoginSession extends Session {
  /** Of the cookie, hashed: who reads our memory's dump has no cookie. */
  readonly key: string;
  readonly startedMs: number;
  lastUsedMs: number;
}

export type LoginOutcome =
  | { readonly kind: "logged-in"; readonly cookie: string; readonly session: Session }
  | { readonly kind: "wrong" }
  /** `isNews`: the first time in this minute, so that who goes on asking does not fill the log. */
  | { readonly kind: "too-many"; readonly retryAfterSeconds: number; readonly isNews: boolean };

interface Failures {
  count: number;
  readonly untilMs: number;
  isTold: boolean;
}

const COOKIE_LIFE_MS = 12 * 3_600_000;
const IDLE_LIFE_MS = 2 * 3_600_000;
const SESSIONS_MAX = 1000;
/** Of one address in a minute, and of all together: the second also bounds what hashing can cost. */
const FAILURES_MAX = 10;
const FAILURES_OF_ALL_MAX = 60;
const FAILURE_LIFE_MS = 60_000;
const CLIENTS_MAX = 10_000;
const TOKEN_BYTES = 32;
const PASSWORD_CHARACTERS_MAX = 1024;

export function mayAct(role: Role | null, least: Role): boolean {
  return role !== null && ROLES.indexOf(role) >= ROLES.indexOf(least);
}

export class Sessions {
  readonly #usersFile: string | null;
  readonly #signOn: SignOn | null;
  readonly #isSecure: boolean;
  readonly #now: () => number;
  readonly #sessions = new Map<string, LoginSession>();
  readonly #failures = new Map<string, Failures>();
  #failuresOfAll: Failures = { count: 0, untilMs: 0, isTold: false };
  /** Where nobody logs in everybody has this one, and tokens of those who are signed on are made of it. */
  readonly #openToken = newToken();

  constructor({ usersFile, signOn, isSecure }: SessionsOptions, now: () => number = Date.now) {
    this.#usersFile = usersFile;
    this.#signOn = signOn;
    this.#isSecure = isSecure;
    this.#now = now;
  }

  get isLoginRequired(): boolean {
    return this.#usersFile !== null || this.#signOn !== null;
  }

  /** Address of the browser. */
  clientOf(request: IncomingMessage): string {
    return identify(request, this.#signOn).client;
  }

  /** Who asks; null: nobody that is known. */
  find(request: IncomingMessage): Session | null {
    const { user, client } = identify(request, this.#signOn);
    if (user !== null) return this.#signedOn(user, client);
    if (!this.isLoginRequired)
      return { user: "local", role: "admin", csrfToken: this.#openToken, client, isSignedOn: true };
    const session = this.#sessions.get(hashOf(this.#cookieOf(request)));
    if (session === undefined) return null;
    const now = this.#now();
    if (now - session.startedMs > COOKIE_LIFE_MS || now - session.lastUsedMs > IDLE_LIFE_MS) {
      this.#sessions.delete(session.key);
      return null;
    }
    session.lastUsedMs = now;
    // A user who was taken out of the file, or has another role now, does not stay what he was.
    const role = this.#roleNow(session.user);
    return role === null ? null : { ...session, role, client };
  }

  /** Somebody whom the sign-on proxy knows and the file does not may look. */
  #signedOn(user: string, client: string): Session {
    const role = this.#usersFile === null ? null : this.#roleNow(user);
    const csrfToken = createHmac("sha256", this.#openToken).update(user).digest("base64url");
    return { user, role: role ?? "viewer", csrfToken, client, isSignedOn: true };
  }

  async logIn(user: string, password: string, client: string): Promise<LoginOutcome> {
    const usersFile = this.#usersFile;
    const place = placeOf(client);
    const tooMany = this.#tooManyOf(place);
    if (tooMany !== null) return tooMany;
    // Counted before the password is looked at, so that many at once count too.
    this.#noteFailure(place);
    if (usersFile === null || password.length > PASSWORD_CHARACTERS_MAX) return { kind: "wrong" };
    const isRight = await checkPassword(usersFile, user, password).catch(() => false);
    const role = isRight ? this.#roleNow(user) : null;
    if (role === null) return { kind: "wrong" };
    this.#failures.delete(place);
    const cookie = newToken();
    const now = this.#now();
    const key = hashOf(cookie);
    const ages = { startedMs: now, lastUsedMs: now };
    const session = { key, user, role, csrfToken: newToken(), client, isSignedOn: false, ...ages };
    if (this.#sessions.size >= SESSIONS_MAX) this.#sessions.delete(this.#sessions.keys().next().value!);
    this.#sessions.set(key, session);
    return { kind: "logged-in", cookie, session };
  }

  /** The header that gives the browser its cookie. */
  cookieHeader(request: IncomingMessage, value: string, seconds: number = COOKIE_LIFE_MS / 1000): string {
    const secure = this.#isSecure ? "; Secure" : "";
    const name = this.#cookieName(request);
    return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
  }

  /** The header that makes the browser forget its cookie. */
  logOut(request: IncomingMessage): string {
    this.#sessions.delete(hashOf(this.#cookieOf(request)));
    return this.cookieHeader(request, "", 0);
  }

  #roleNow(user: string): Role | null {
    try {
      return roleOf(this.#usersFile!, user);
    } catch {
      // A file that has gone lets nobody in.
      return null;
    }
  }

  /**
   * Cookies know no ports, and two dashboards on one host must not log each other's users out. A cookie with
   * the prefix can have been set by nobody but us, over TLS.
   */
  #cookieName({ socket }: IncomingMessage): string {
    return `${this.#isSecure ? "__Host-" : ""}sallyport-${socket.localPort}`;
  }

  #cookieOf(request: IncomingMessage): string {
    const start = `${this.#cookieName(request)}=`;
    const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim());
    return pairs.find((pair) => pair.startsWith(start))?.slice(start.length) ?? "";
  }

  /** Null: it may try. */
  #tooManyOf(place: string): Extract<LoginOutcome, { kind: "too-many" }> | null {
    const now = this.#now();
    const own = this.#failures.get(place);
    const all = this.#failuresOfAll;
    const reached = [
      ...(own !== undefined && own.count >= FAILURES_MAX ? [own] : []),
      ...(all.count >= FAILURES_OF_ALL_MAX ? [all] : []),
    ].filter(({ untilMs }) => untilMs > now);
    if (reached.length === 0) return null;
    const isNews = reached.every(({ isTold }) => !isTold);
    for (const one of reached) one.isTold = true;
    const untilMs = Math.max(...reached.map((one) => one.untilMs));
    return { kind: "too-many", retryAfterSeconds: Math.ceil((untilMs - now) / 1000), isNews };
  }

  #noteFailure(place: string): void {
    const now = this.#now();
    if (this.#failuresOfAll.untilMs <= now)
      this.#failuresOfAll = { count: 0, untilMs: now + FAILURE_LIFE_MS, isTold: false };
    this.#failuresOfAll.count++;
    const known = this.#failures.get(place);
    if (known !== undefined && known.untilMs > now) {
      known.count++;
      return;
    }
    this.#failures.delete(place);
    if (this.#failures.size >= CLIENTS_MAX) this.#failures.delete(this.#failures.keys().next().value!);
    this.#failures.set(place, { count: 1, untilMs: now + FAILURE_LIFE_MS, isTold: false });
  }
}

/** Whoever has one address of IPv6 has a whole /64 of them, and can ask from another one each time. */
function placeOf(client: string): string {
  const ip = parseIp(client);
  return ip === null || familyOfIp(ip) === 4 ? client : formatSubnet(subnetOf(ip, 64));
}

/** In constant time for tokens of the same length. */
export function isSameToken(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(given)), Buffer.from(hashOf(expected)));
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
