// Where people get tickets: a form with name, password and machine. Behind a sign-on proxy the name comes in
// its header. The answer leads to the console with a ticket behind the `#`, which browsers send to nobody.
import type { IncomingMessage, ServerResponse } from "node:http";
import { familyOfIp, parseIp, subnetOf } from "../../base/ip.ts";
import type { ConsoleRight } from "../../model/datacenter.ts";
import { type ConsoleAccess, consoleAccess } from "../../network/console-rights.ts";
import type { AuditLog } from "./audit-log.ts";
import { loginPage, type Page, withSecurity } from "./pages.ts";
import { type Identity, identify, type SignOn } from "./sign-on.ts";
import { type ConsoleKind, issueTicket } from "./tickets.ts";
import { checkPassword } from "./users.ts";

export interface PortalOptions {
  /** Null: nobody logs in by a password. */
  readonly usersFile: string | null;
  readonly signOn: SignOn | null;
  readonly rights: readonly ConsoleRight[] | null;
}

interface Surroundings {
  readonly origin: string;
  readonly proxyOrigin: string;
  readonly assets: ReadonlyMap<string, Page>;
  hasConsole(machine: string, kind: ConsoleKind): boolean;
  readKeys(): readonly Buffer[];
  readonly audit: AuditLog;
}

const BODY_BYTES_MAX = 4096;
/** Of one address in a minute; also bounds what hashing passwords can cost. */
const FAILURES_MAX = 10;
const FAILURE_LIFE_MS = 60_000;
const CLIENTS_MAX = 10_000;
const WRONG = "This name and password do not open this console.";

/** The URL of a console with its ticket. */
export function consoleUrl(origin: string, kind: ConsoleKind, isViewOnly: boolean, ticket: string): string {
  return `${origin}/${kind}${isViewOnly ? "?view-only" : ""}#${ticket}`;
}

export class Portal {
  #options: PortalOptions;
  readonly #around: Surroundings;
  readonly #failures = new Map<string, { count: number; readonly untilMs: number }>();

  constructor(options: PortalOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
  }

  /** From the next login on; who has failed too often still has. */
  take(options: PortalOptions): void {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split("?", 1)[0];
    const who = identify(request, this.#options.signOn);
    const asset = path === "/page.css" || path === "/icon.svg" ? this.#around.assets.get(path) : undefined;
    if (request.method === "GET" && asset !== undefined) send(response, 200, asset);
    else if (path !== "/") sendText(response, 404, "There is nothing here.\n");
    else if (request.method === "GET") this.#sendForm(response, 200, who.user, "");
    else if (request.method !== "POST") sendText(response, 405, "This is no way to ask.\n");
    // A form of another site would come with that site's name.
    else if (request.headers.origin !== this.#around.origin)
      sendText(response, 403, "This form is not ours.\n");
    else await this.#logIn(request, response, who);
  }

  async #logIn(request: IncomingMessage, response: ServerResponse, who: Identity): Promise<void> {
    const body = await readBody(request);
    if (body === null) return sendText(response, 413, "This is too much.\n");
    const form = new URLSearchParams(body);
    const user = who.user ?? form.get("user") ?? "";
    const machine = form.get("machine") ?? "";
    const kind: ConsoleKind = form.get("kind") === "serial" ? "serial" : "vnc";
    const facts = { user: user.slice(0, 64), machine: machine.slice(0, 200), kind, client: who.client };
    const source = sourceOf(who.client);
    if (this.#hasFailedTooOften(source)) {
      this.#around.audit({ event: "login-refused", ...facts, reason: "too many failures" });
      return this.#sendForm(response, 429, who.user, "Too many failures from here. Wait a minute.");
    }
    // Counted before the password is looked at, so that many at once count too.
    this.#noteFailure(source);
    const isKnown = who.user !== null || (await this.#knows(user, form.get("password") ?? ""));
    const access = consoleAccess(this.#options.rights, user, machine);
    const reason = isKnown ? this.#refusalOf(machine, kind, access) : "wrong name or password";
    if (reason !== null) {
      this.#around.audit({ event: "login-refused", ...facts, reason });
      return this.#sendForm(response, 403, who.user, WRONG);
    }
    this.#failures.delete(source);
    // Who may only look does not have to know that.
    const isViewOnly = access === "look" || form.get("view-only") !== null;
    this.#around.audit({ event: "login", ...facts, viewOnly: isViewOnly });
    const ticket = issueTicket(
      { user, machine, kind, isViewOnly, client: who.client, origin: this.#around.proxyOrigin },
      this.#around.readKeys(),
      Date.now(),
    );
    const location = consoleUrl(this.#around.proxyOrigin, kind, isViewOnly, ticket);
    response.writeHead(303, withSecurity({ location, "cache-control": "no-store" })).end();
  }

  /** For the log; who asks is not told which machines there are. Null: he may. */
  #refusalOf(machine: string, kind: ConsoleKind, access: ConsoleAccess): string | null {
    if (!this.#around.hasConsole(machine, kind)) return "no such console";
    return access === null ? "no right to this machine" : null;
  }

  async #knows(user: string, password: string): Promise<boolean> {
    const { usersFile } = this.#options;
    if (usersFile === null) return false;
    try {
      return await checkPassword(usersFile, user, password);
    } catch {
      return false;
    }
  }

  #hasFailedTooOften(client: string): boolean {
    const known = this.#failures.get(client);
    return known !== undefined && known.untilMs > Date.now() && known.count >= FAILURES_MAX;
  }

  #noteFailure(client: string): void {
    const now = Date.now();
    const known = this.#failures.get(client);
    if (known !== undefined && known.untilMs > now) {
      known.count++;
      return;
    }
    if (this.#failures.size >= CLIENTS_MAX) this.#failures.clear();
    this.#failures.set(client, { count: 1, untilMs: now + FAILURE_LIFE_MS });
  }

  #sendForm(response: ServerResponse, status: number, user: string | null, complaint: string): void {
    send(response, status, loginPage({ user, complaint, proxyOrigin: this.#around.proxyOrigin }));
  }
}

/** Who has one address of IPv6 has a whole /64 of them. */
function sourceOf(client: string): string {
  const ip = parseIp(client);
  return ip === null || familyOfIp(ip) === 4 ? client : subnetOf(ip, 64).first;
}

function send(response: ServerResponse, status: number, { headers, body }: Page): void {
  response.writeHead(status, withSecurity(headers)).end(body);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, withSecurity({ "content-type": "text/plain", connection: "close" })).end(text);
}

/** Null when it is too long or breaks off. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > BODY_BYTES_MAX) return null;
      parts.push(part);
    }
  } catch {
    return null;
  }
  return Buffer.concat(parts).toString();
}
