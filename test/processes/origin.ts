// Web servers for tests of processes. Each answers with its name and the path that was asked for, and can
// be told by the path to be slow: "/slow" sends its head at once and the rest when the test says so.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";

export class Origin implements AsyncDisposable {
  readonly name: string;
  readonly #server: Server;
  readonly #held: ServerResponse[] = [];

  private constructor(name: string) {
    this.name = name;
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) =>
      this.#answer(request, response),
    );
    this.#server.on("upgrade", (request, socket) => {
      const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash("sha1").update(key).digest("base64");
      const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
      socket.write(`${lines.join("\r\n")}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      socket.on("data", (bytes) => socket.write(bytes));
      socket.on("error", () => socket.destroy());
      socket.on("end", () => socket.end());
    });
  }

  static async start(name: string): Promise<Origin> {
    const origin = new Origin(name);
    await new Promise<void>((resolve) => origin.#server.listen(0, "127.0.0.1", resolve));
    return origin;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** How many slow answers wait for their end. */
  get heldCount(): number {
    return this.#held.length;
  }

  releaseHeld(): void {
    for (const response of this.#held.splice(0)) response.end("the end");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    if (request.url === "/slow") {
      response.writeHead(200, { "content-length": "14" });
      response.write("halfway");
      this.#held.push(response);
      return;
    }
    const body = `${this.name} ${request.url}\n`;
    response.writeHead(200, { "content-length": `${Buffer.byteLength(body)}` });
    response.end(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.releaseHeld();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Sends back what it gets. */
export class EchoServer implements AsyncDisposable {
  readonly #server: TcpServer;
  readonly #sockets: Set<Socket> = new Set();

  private constructor() {
    this.#server = createTcpServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      socket.pipe(socket);
    });
  }

  static async start(): Promise<EchoServer> {
    const echo = new EchoServer();
    await new Promise<void>((resolve) => echo.#server.listen(0, "127.0.0.1", resolve));
    return echo;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
