// For tests: a console server on loopback with consoles behind unix sockets, and a WebSocket client of its
// own that can be slow, come from another address, or say what no browser would.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { encodeFrame, OPCODE_BINARY } from "../../protocol/websocket/frame.ts";
import { type WebSocketEvent, WebSocketReceiver } from "../../protocol/websocket/receiver.ts";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { makeSelfSigned } from "../certificates/self-signed.ts";
import type { AuditEntry } from "./audit-log.ts";
import type { ConsoleBackendOptions } from "./backend.ts";
import { ConsoleServer, type ConsoleServerOptions, type ConsolesOfMachine } from "./console-server.ts";
import { ensureTicketKeys, issueTicket, readTicketKeys, type TicketClaims } from "./tickets.ts";
import type { TlsEndpoint } from "./tls-server.ts";

export const CERTIFICATE: CertificateMaterial = {
  name: "localhost",
  ...makeSelfSigned(["localhost", "127.0.0.1"], Date.now()),
};
export const ENDPOINT: TlsEndpoint = { ip: "127.0.0.1", port: 0, certificates: [CERTIFICATE], public: null };

export class ConsoleWorld {
  readonly folder: string = mkdtempSync(join(tmpdir(), "sallyport-console-"));
  readonly keyFile: string = join(this.folder, "key");
  readonly audit: AuditEntry[] = [];
  readonly #listening: Server[] = [];
  readonly #clients: ConsoleClient[] = [];
  server!: ConsoleServer;

  async start(
    machines: Readonly<Record<string, Partial<ConsolesOfMachine>>>,
    change: Partial<ConsoleServerOptions> = {},
  ): Promise<void> {
    ensureTicketKeys(this.keyFile);
    this.server = new ConsoleServer({
      proxy: ENDPOINT,
      portal: null,
      machines: new Map(
        Object.entries(machines).map(([name, consoles]) => [name, { vnc: null, serial: null, ...consoles }]),
      ),
      keyFile: this.keyFile,
      limits: { idleMs: 0, sessionMs: 0 },
      audit: (entry) => this.audit.push(entry),
      ...change,
    });
    await this.server.start();
  }

  /** A console behind a unix socket. */
  async backend(name: string, serve: (socket: Socket) => void): Promise<ConsoleBackendOptions> {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      serve(socket);
    });
    this.#listening.push(server);
    const path = join(this.folder, name);
    server.listen(path);
    await once(server, "listening");
    return { address: { kind: "unix", path }, fingerprint: null, passwordFile: null };
  }

  ticket(claims: Partial<TicketClaims> = {}, nowMs: number = Date.now()): string {
    const whole: TicketClaims = {
      user: "anna",
      machine: "web",
      kind: "serial",
      isViewOnly: false,
      client: "127.0.0.1",
      origin: this.server.origin,
      ...claims,
    };
    return issueTicket(whole, readTicketKeys(this.keyFile), nowMs);
  }

  async connect(
    ticket: string,
    options: { origin?: string; from?: string; ca?: string } = {},
  ): Promise<ConsoleClient> {
    const { port } = new URL(this.server.origin);
    const localAddress = options.from ?? "127.0.0.1";
    const socket = connect({
      socket: connectTcp({ port: Number(port), host: "127.0.0.1", localAddress }),
      host: "127.0.0.1",
      ca: options.ca ?? CERTIFICATE.certificatePem,
    });
    const client = new ConsoleClient(socket);
    this.#clients.push(client);
    await once(socket, "secureConnect");
    socket.write(upgradeRequest(this.server.origin, ticket, options.origin));
    await client.head;
    return client;
  }

  /** Once it is there. The audit log is told before anybody else hears of it. */
  ended(): AuditEntry | undefined {
    return this.audit.findLast(({ event }) => event === "close");
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.destroy();
    // A test may have no need of one.
    await (this.server as ConsoleServer | undefined)?.close();
    for (const server of this.#listening) server.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** `from`: the origin that the browser would claim. */
export function upgradeRequest(origin: string, ticket: string, from: string = origin): string {
  return [
    "GET /socket HTTP/1.1",
    `host: ${new URL(origin).host}`,
    "upgrade: websocket",
    "connection: Upgrade",
    "sec-websocket-version: 13",
    `sec-websocket-key: ${randomBytes(16).toString("base64")}`,
    `sec-websocket-protocol: sallyport.console, ${ticket}`,
    `origin: ${from}`,
    "",
    "",
  ].join("\r\n");
}

export class ConsoleClient {
  readonly socket: TLSSocket;
  /** Of the answer; the body too when it is no WebSocket. */
  readonly head: Promise<string>;
  received: Buffer = Buffer.alloc(0);
  receivedBytes = 0;
  /** Code and reason of the server's close. */
  closed: { readonly code: number; readonly reason: string } | null = null;
  /** The ticket that it could come back with. */
  renewal: string | null = null;
  keepsBytes = true;
  handleBytes: (bytes: Buffer) => void = () => {};
  readonly #receiver = new WebSocketReceiver({ messageBytesMax: 2 ** 24, peer: "server" });
  #text = "";
  #isOpen = false;
  #wake: () => void = () => {};

  constructor(socket: TLSSocket) {
    this.socket = socket;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.head = promise;
    socket.on("error", () => {});
    socket.on("close", () => {
      resolve(this.#text);
      this.#wake();
    });
    socket.on("data", (bytes: Buffer) => {
      if (this.#isOpen) this.#receive(bytes);
      else {
        this.#text += bytes.toString("latin1");
        const end = this.#text.indexOf("\r\n\r\n");
        if (end < 0 || !this.#text.startsWith("HTTP/1.1 101")) return;
        this.#isOpen = true;
        resolve(this.#text.slice(0, end));
        this.#receive(Buffer.from(this.#text.slice(end + 4), "latin1"));
      }
    });
  }

  send(bytes: string | Uint8Array): void {
    const payload = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    this.socket.write(encodeFrame(OPCODE_BINARY, payload, randomBytes(4)));
  }

  /** Resolves when the condition holds; it is looked at whenever something has come. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.socket.destroyed) throw new Error(`the connection ended: ${this.received.toString("latin1")}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  untilText(text: string): Promise<void> {
    return this.until(() => this.received.includes(text));
  }

  untilClosed(): Promise<void> {
    return this.until(() => this.closed !== null);
  }

  #receive(bytes: Buffer): void {
    this.#receiver.receive(bytes);
    for (let event = this.#receiver.nextEvent(); event !== null; event = this.#receiver.nextEvent())
      this.#take(event);
    this.#wake();
  }

  #take(event: WebSocketEvent): void {
    if (event.kind === "message" && event.isText)
      this.renewal = (JSON.parse(event.bytes.toString()) as { ticket: string }).ticket;
    else if (event.kind === "message") {
      this.receivedBytes += event.bytes.length;
      this.handleBytes(Buffer.from(event.bytes));
      if (this.keepsBytes) this.received = Buffer.concat([this.received, event.bytes]);
    } else if (event.kind === "close" || event.kind === "fault")
      this.closed = { code: event.code, reason: event.kind === "close" ? event.reason : event.message };
  }
}
