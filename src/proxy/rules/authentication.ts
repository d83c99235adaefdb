// Basic authentication (RFC 7617) against userlists. Verified credentials are remembered, because a SHA-512
// hash takes milliseconds and browsers send their password with every request; what is remembered is a
// digest, salted with the stored hash, and not the password.
import { createHash } from "node:crypto";
import type { Userlist } from "../../model/proxy.ts";
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import type { RuleEnvironment } from "./environment.ts";
import { lastValue } from "./header-values.ts";
import { equalConstantTime, verifyPasswordHash } from "./password-hash.ts";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Verified credentials remembered per userlist. */
const REMEMBERED_MAX = 512;

/** What the client sent; undefined without well-formed Basic credentials. */
export function basicCredentials(request: MessageHead): Credentials | undefined {
  const value = lastValue(request, "authorization");
  const match = value === undefined ? null : /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value);
  if (match === null) return undefined;
  const text = Buffer.from(match[1]!, "base64").toString("latin1");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** `http_auth(USERLIST)`: true if user and password are right. An unknown userlist lets nobody in. */
export function compileAuthentication(
  userlist: string,
  environment: RuleEnvironment,
): (request: MessageHead) => boolean {
  const verifier = new Verifier(environment.configuration.userlists.find(({ name }) => name === userlist));
  return (request) => verifier.verify(basicCredentials(request)) !== null;
}

/** `http_auth_group(USERLIST)`: the groups of a user whose password is right. */
export function compileGroupLookup(
  userlist: string,
  environment: RuleEnvironment,
): (request: MessageHead) => readonly string[] {
  const verifier = new Verifier(environment.configuration.userlists.find(({ name }) => name === userlist));
  return (request) => verifier.verify(basicCredentials(request))?.groups ?? [];
}

class Verifier {
  readonly #users: Map<string, Userlist["users"][number]>;
  readonly #remembered = new Map<string, Userlist["users"][number]>();

  constructor(userlist: Userlist | undefined) {
    this.#users = new Map((userlist?.users ?? []).map((user) => [user.name, user]));
  }

  verify(credentials: Credentials | undefined): Userlist["users"][number] | null {
    const user = credentials === undefined ? undefined : this.#users.get(credentials.user);
    if (credentials === undefined || user === undefined) return null;
    if (user.isPlain) return equalConstantTime(credentials.password, user.password) ? user : null;
    const digest = digestOf(credentials, user.password);
    const known = this.#remembered.get(digest);
    if (known !== undefined) return known;
    if (!verifyPasswordHash(credentials.password, user.password)) return null;
    this.#remember(digest, user);
    return user;
  }

  #remember(digest: string, user: Userlist["users"][number]): void {
    if (this.#remembered.size >= REMEMBERED_MAX)
      this.#remembered.delete(this.#remembered.keys().next().value!);
    this.#remembered.set(digest, user);
  }
}

function digestOf({ user, password }: Credentials, storedHash: string): string {
  return createHash("sha256").update(`${user}:${storedHash}:${password}`, "latin1").digest("base64");
}
