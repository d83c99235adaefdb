// The console proxy as a whole: the endpoint that carries all consoles, the portal that gives tickets, and
// those who look. Everything that happens is told to the audit log.
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Socket } from "node:net";
import { handshakeAnswer, readHandshake, type WebSocketRequest } from "../../protocol/websocket/handshake.ts";
import type { CertificateReading } from "../certificates/read-certificate.ts";
import { renewCertificates } from "../certificates/renewal.ts";
import type { AuditLog } from "./audit-log.ts";
import type { ConsoleBackendOptions } from "./backend.ts";
import { type Page, readAssets, serialPage, vncPage, withSecurity } from "./pages.ts";
import { Portal, type PortalOptions } from "./portal.ts";
import { SerialLines } from "./serial-line.ts";
import {
  type ConsoleKind,
  clientAddress,
  issueTicket,
  readTicketKeys,
  TicketBook,
  type TicketClaims,
} from "./tickets.ts";
import { createTlsServer, listen, originOf, type TlsEndpoint } from "./tls-server.ts";
import { type EndReason, RESUMABLE, Viewer, type ViewerLimits } from "./viewer.ts";
import { openVncLine } from "./vnc-line.ts";

/** What a machine has. */
export type ConsolesOfMachine = Readonly<Record<ConsoleKind, ConsoleBackendOptions | null>>;

export interface ConsoleServerOptions {
  readonly proxy: TlsEndpoint;
  readonly portal: (TlsEndpoint & PortalOptions) | null;
  readonly machines: ReadonlyMap<string, ConsolesOfMachine>;
  readonly keyFile: string;
  readonly limits: ViewerLimits;
  readonly audit: AuditLog;
}

/** An endpoint, and what is to be said of its certificates. */
export type ReadEndpoint = TlsEndpoint & Pick<CertificateReading, "diagnostics">;

/** What can become another while consoles are served. */
export interface ConsoleRenewal extends Pick<ConsoleServerOptions, "machines" | "limits"> {
  readonly proxy: ReadEndpoint;
  readonly portal: (ReadEndpoint & PortalOptions) | null;
}

export interface ViewerSummary extends TicketClaims {
  readonly id: string;
  readonly seconds: number;
  readonly bytesToViewer: number;
  readonly bytesFromViewer: number;
  readonly waitingBytes: number;
}

const PROTOCOL = "sallyport.console";
/** A page always has a ticket that is good for long enough to come back after its line was lost. */
const RENEWAL_MS = 20_000;
/** The same words for every ticket that is not good. */
const REFUSAL = "This ticket is not good here and now.\n";

export class ConsoleServer {
  #options: ConsoleServerOptions;
  readonly #assets: ReadonlyMap<string, Page> = readAssets();
  readonly #tickets: TicketBook;
  readonly #viewers = new Map<string, Viewer>();
  readonly #renewals = new Map<string, NodeJS.Timeout>();
  readonly #serialLines = new SerialLines();
  readonly #proxy: Server;
  readonly #portal: Server | null;
  #desk: Portal | null = null;

  constructor(options: ConsoleServerOptions) {
    this.#options = options;
    this.#tickets = new TicketBook(() => readTicketKeys(options.keyFile), Date.now());
    this.#proxy = createTlsServer(options.proxy);
    this.#proxy.on("request", (request, response) => this.#answer(request, response));
    this.#proxy.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#portal = options.portal === null ? null : createTlsServer(options.portal);
  }

  /** Rejects when an address cannot be had; then nothing is open. */
  async start(): Promise<void> {
    const { proxy, portal, keyFile, audit } = this.#options;
    try {
      await listen(this.#proxy, proxy);
      if (portal === null || this.#portal === null) return;
      await listen(this.#portal, portal);
      const desk = new Portal(portal, {
        origin: originOf(portal, this.#portal),
        proxyOrigin: this.origin,
        assets: this.#assets,
        hasConsole: (machine, kind) => (this.#options.machines.get(machine)?.[kind] ?? null) !== null,
        readKeys: () => readTicketKeys(keyFile),
        audit,
      });
      this.#desk = desk;
      this.#portal.on("request", (request, response) => {
        // What the disk refuses (a key file that has gone) is no reason to go down.
        desk.answer(request, response).catch(() => response.destroy());
      });
    } catch (error) {
      this.#proxy.close();
      throw error;
    }
  }

  /** Of the page of a console, as browsers see it; once started. */
  get origin(): string {
    return originOf(this.#options.proxy, this.#proxy);
  }

  get portalOrigin(): string | null {
    const { portal } = this.#options;
    return portal === null ? null : originOf(portal, this.#portal);
  }

  /**
   * Certificates, machines, rights and limits of the file of today, from the next handshake, login and ticket
   * on: who looks goes on. Addresses stay until the next start. Returns what is to be said.
   */
  reload({ proxy, portal, machines, limits }: ConsoleRenewal): string[] {
    const said: string[] = [];
    const before = this.#options;
    const ownProxy = renewed("the console proxy", this.#proxy, before.proxy, proxy, said);
    this.#options = { ...before, machines, limits, proxy: ownProxy };
    if (portal === null || before.portal === null || this.#portal === null) {
      if (portal !== before.portal) said.push("a portal comes or goes with a start only");
      return said;
    }
    const ownPortal = renewed("the portal", this.#portal, before.portal, portal, said);
    this.#options = { ...this.#options, portal: ownPortal };
    this.#desk?.take(portal);
    return said;
  }

  list(): ViewerSummary[] {
    return [...this.#viewers.values()].map((viewer) => ({
      ...claimsOf(viewer),
      id: viewer.id,
      seconds: secondsSince(viewer.startedMs),
      bytesToViewer: viewer.bytesToViewer,
      bytesFromViewer: viewer.bytesFromViewer,
      waitingBytes: viewer.waitingBytes,
    }));
  }

  /** Ends the viewers that are, or whose user or machine is, `name`. Returns how many. */
  kick(name: string): number {
    const meant = [...this.#viewers.values()].filter(({ id, claims }) =>
      [id, claims.user, claims.machine].includes(name),
    );
    for (const viewer of meant) viewer.end("kicked");
    return meant.length;
  }

  async close(): Promise<void> {
    for (const viewer of [...this.#viewers.values()]) viewer.end("shutdown");
    await Promise.all(
      [this.#proxy, this.#portal].map(
        (server) =>
          new Promise<void>((resolve) => {
            if (server?.listening !== true) return resolve();
            server.close(() => resolve());
            server.closeIdleConnections();
          }),
      ),
    );
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = "", query = ""] = request.url?.split("?", 2) ?? [];
    const page = this.#pageAt(path, new URLSearchParams(query).has("view-only"));
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (page === null || !isRead) {
      response.writeHead(page === null ? 404 : 405, withSecurity({ "content-type": "text/plain" }));
      response.end(page === null ? "There is nothing here.\n" : "This can only be read.\n");
      return;
    }
    response.writeHead(200, withSecurity(page.headers));
    response.end(request.method === "HEAD" ? undefined : page.body);
  }

  #pageAt(path: string, isViewOnly: boolean): Page | null {
    if (path === "/vnc") return vncPage(isViewOnly);
    if (path === "/serial") return serialPage(isViewOnly);
    return this.#assets.get(path) ?? null;
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const { method = "", httpVersion: version, headers } = request;
    const reading = readHandshake({ method, version, headers });
    // A proxy in front might think otherwise of where a body ends; a browser sends none here.
    const hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
    if (hasBody) refuse(socket, 400, "There is no console here.\n");
    else if (!reading.ok) refuse(socket, reading.error.status, "There is no console here.\n");
    else if (request.url?.split("?", 1)[0] !== "/socket") refuse(socket, 404, "There is no console here.\n");
    else this.#askForTicket(reading.value, headers.origin ?? "", socket, head);
  }

  #askForTicket({ key, protocols }: WebSocketRequest, origin: string, socket: Socket, head: Buffer): void {
    const client = clientAddress(socket.remoteAddress ?? "");
    const ticket = protocols[0] === PROTOCOL && protocols.length === 2 ? protocols[1]! : "";
    const claims = this.#redeem(ticket, client, origin);
    const backend =
      claims === null ? null : (this.#options.machines.get(claims.machine)?.[claims.kind] ?? null);
    // A page of another site can open a WebSocket to here; its browser says where the page is from.
    if (claims === null || backend === null || origin !== this.origin) {
      this.#options.audit({ event: "ticket-refused", client, origin: origin.slice(0, 200) });
      refuse(socket, 403, REFUSAL);
      return;
    }
    socket.write(handshakeAnswer(key, PROTOCOL), "latin1");
    this.#admit(claims, backend, socket, head);
  }

  #redeem(ticket: string, client: string, origin: string): TicketClaims | null {
    try {
      return this.#tickets.redeem(ticket, client, origin, Date.now());
    } catch {
      // A key file that has gone lets nobody in.
      return null;
    }
  }

  #admit(claims: TicketClaims, backend: ConsoleBackendOptions, socket: Socket, head: Buffer): void {
    const id = randomBytes(6).toString("hex");
    const viewer = new Viewer(id, claims, socket, this.#options.limits, (one, reason, detail) =>
      this.#dismiss(one, reason, detail),
    );
    const { session = "" } = claims.resumes ?? {};
    // Its line may be dead without anybody here knowing yet.
    this.#viewers.get(session)?.end("resumed");
    this.#viewers.set(id, viewer);
    const before = session === "" ? {} : { resumes: session };
    this.#options.audit({ event: "open", session: id, ...factsOf(claims), ...before });
    this.#renew(viewer);
    this.#renewals.set(
      id,
      setInterval(() => this.#renew(viewer), RENEWAL_MS),
    );
    if (claims.kind === "vnc") openVncLine(viewer, backend);
    else this.#serialLines.open(viewer, backend);
    if (head.length > 0) socket.unshift(head);
  }

  #renew(viewer: Viewer): void {
    const resumes = { session: viewer.id, startedMs: viewer.startedMs };
    try {
      const keys = readTicketKeys(this.#options.keyFile);
      const ticket = issueTicket({ ...claimsOf(viewer), resumes }, keys, Date.now());
      viewer.tell({ ticket, machine: viewer.claims.machine });
    } catch {
      // Without a key nobody comes back, but who is here stays.
    }
  }

  #dismiss(viewer: Viewer, reason: EndReason, detail: string): void {
    this.#viewers.delete(viewer.id);
    clearInterval(this.#renewals.get(viewer.id));
    this.#renewals.delete(viewer.id);
    if (!RESUMABLE.has(reason)) this.#tickets.endSession(viewer.id, Date.now());
    this.#options.audit({
      event: "close",
      session: viewer.id,
      ...factsOf(viewer.claims),
      seconds: secondsSince(viewer.startedMs),
      bytesToViewer: viewer.bytesToViewer,
      bytesFromViewer: viewer.bytesFromViewer,
      reason,
      ...(detail === "" ? {} : { detail }),
    });
  }
}

/** The endpoint with the certificates that are shown now; what came of it is added to `said`. */
function renewed<T extends TlsEndpoint>(
  whose: string,
  server: Server,
  present: T,
  next: ReadEndpoint,
  said: string[],
): T {
  if (originOf(next) !== originOf(present) || next.ip !== present.ip || next.port !== present.port)
    said.push(`${whose} stays at ${originOf(present, server)}: another address needs a start`);
  const renewal = renewCertificates(whose, next, present.certificates, [server]);
  if (renewal.kind !== "same") said.push(renewal.message);
  return renewal.kind === "renewed" ? { ...present, certificates: renewal.certificates } : present;
}

function factsOf({
  user,
  machine,
  kind,
  isViewOnly,
  client,
}: TicketClaims): Record<string, string | boolean> {
  return { user, machine, kind, viewOnly: isViewOnly, client };
}

/** Those of the ticket, without what was about that one only. */
function claimsOf({ claims }: Viewer): TicketClaims {
  const { user, machine, kind, isViewOnly, client, origin } = claims;
  return { user, machine, kind, isViewOnly, client, origin };
}

function secondsSince(startedMs: number): number {
  return Math.round((Date.now() - startedMs) / 100) / 10;
}

function refuse(socket: Socket, status: 400 | 403 | 404 | 426, text: string): void {
  const version = status === 426 ? "sec-websocket-version: 13\r\n" : "";
  // Who does not take the answer, or never ends, is not waited for.
  socket.end(
    `HTTP/1.1 ${status} Refused\r\n${version}content-type: text/plain\r\nconnection: close\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
  );
  socket.destroySoon();
}
