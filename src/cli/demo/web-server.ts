// One of the demo's three web servers. It says who it is and what reached it, and can be out for a while.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { htmlPage, plainPage, type Visit } from "./pages.ts";
import { acceptWebSocket } from "./web-socket-echo.ts";

const OUT_SECONDS_DEFAULT = 20;
const OUT_SECONDS_MAX = 300;
const BIG_BYTES = 10 * 1024 * 1024;
const TICK_MS = 1000;

export class DemoWebServer {
  readonly name: string;
  readonly cookie: string;
  readonly #colour: string;
  readonly #server: Server;
  readonly #upgraded: Set<Socket> = new Set();
  readonly #startedAtMs: number = Date.now();
  #port = 0;
  #requestCount = 0;
  #returnTimer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(name: string, cookie: string, colour: string) {
    this.name = name;
    this.cookie = cookie;
    this.#colour = colour;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on("upgrade", (request, socket: Socket, head) => this.#upgrade(request, socket, head));
  }

  get port(): number {
    return this.#port;
  }

  /** Listens on a free port of 127.0.0.1, and on the same one again after a time out. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#port, "127.0.0.1", () => {
        this.#server.off("error", reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  close(): void {
    this.#isClosed = true;
    if (this.#returnTimer !== null) clearTimeout(this.#returnTimer);
    this.#closeSockets();
  }

  /** One line for a person. */
  describe(): string {
    const upSeconds = Math.floor((Date.now() - this.#startedAtMs) / 1000);
    const state = this.#returnTimer === null ? `serves on port ${this.#port}` : "is out for a while";
    return `${this.name} ${state}, up for ${upSeconds} s, ${this.#requestCount} pages served`;
  }

  /** Refuses connections for a while, as a machine that is being restarted does. */
  goOut(seconds: number): void {
    if (this.#isClosed || this.#returnTimer !== null) return;
    this.#closeSockets();
    this.#returnTimer = setTimeout(() => {
      this.#returnTimer = null;
      // The port may have been taken meanwhile: then this server stays out.
      this.open().catch(() => {});
    }, seconds * 1000);
  }

  #closeSockets(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    response.setHeader("X-Served-By", this.name);
    // Not every request target is a URL: "//" is none.
    const url = URL.parse(request.url ?? "/", "http://demo");
    if (url === null) {
      this.#answerNotFound(response);
      return;
    }
    const answers: Record<string, () => void> = {
      "/": () => this.#answerPage(request, response),
      "/big": () => sendBig(request, response),
      "/events": () => this.#sendEvents(response),
      "/stop": () => this.#answerStop(request, response, url.searchParams.get("seconds")),
    };
    const answer = answers[url.pathname] ?? (() => this.#answerNotFound(response));
    answer();
  }

  #answerNotFound(response: ServerResponse): void {
    response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" });
    response.end(`${this.name} has /, /big, /events, /echo (WebSocket) and POST /stop\n`);
  }

  #answerPage(request: IncomingMessage, response: ServerResponse): void {
    this.#requestCount++;
    const visit: Visit = {
      server: this.name,
      cookie: this.cookie,
      colour: this.#colour,
      requestCount: this.#requestCount,
      upSeconds: Math.floor((Date.now() - this.#startedAtMs) / 1000),
      requestLine: `${request.method} ${request.url} HTTP/${request.httpVersion}`,
      headers: pairs(request.rawHeaders),
    };
    const wantsHtml = (request.headers.accept ?? "").includes("text/html");
    const type = wantsHtml ? "text/html" : "text/plain";
    const body = Buffer.from(wantsHtml ? htmlPage(visit) : plainPage(visit));
    response.writeHead(200, {
      "Content-Type": `${type}; charset=utf-8`,
      "Content-Length": body.length,
      Vary: "Accept",
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  #answerStop(request: IncomingMessage, response: ServerResponse, secondsText: string | null): void {
    const plain = { "Content-Type": "text/plain; charset=utf-8" };
    const seconds = Number(secondsText ?? OUT_SECONDS_DEFAULT);
    if (request.method !== "POST") {
      response.writeHead(405, { ...plain, Allow: "POST" });
      response.end("POST stops this server for a while\n");
    } else if (!(seconds >= 1 && seconds <= OUT_SECONDS_MAX)) {
      response.writeHead(400, plain);
      response.end(`seconds is a number from 1 to ${OUT_SECONDS_MAX}\n`);
    } else {
      response.once("close", () => this.goOut(seconds));
      response.writeHead(202, { ...plain, Connection: "close" });
      response.end(`${this.name} is out for ${seconds} s\n`);
    }
  }

  #sendEvents(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    let count = 0;
    const tick = () => response.write(`data: ${this.name} ${++count}\n\n`);
    tick();
    const timer = setInterval(tick, TICK_MS);
    response.once("close", () => clearInterval(timer));
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    if (!acceptWebSocket(request, socket, head, `${this.name}: `))
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  }
}

function pairs(rawHeaders: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) result.push([rawHeaders[i]!, rawHeaders[i + 1]!]);
  return result;
}

function sendBig(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": BIG_BYTES });
  if (request.method === "HEAD") response.end();
  else response.end(Buffer.alloc(BIG_BYTES, "sallyport "));
}
