// One request as it is written and its answer as it came, and a server that answers with the bytes of a
// table, for comparisons of what Sallyport and HAProxy make of a response.
import { connect, createServer, type Server, type Socket } from "node:net";
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import { BodyDecoder } from "../../src/protocol/http1/body.ts";
import { FRAMING_CHUNKED } from "../../src/protocol/http1/message-head.ts";

/** Sends one request on a connection of its own, which ends with the answer. */
export function exchange(port: number, request: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => {
      socket.write(request);
    });
    socket.on("data", (bytes: Buffer) => parts.push(bytes));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(parts)));
  });
}

export interface ReadAnswer {
  /** Start line and headers. */
  readonly head: string;
  /** Without chunks and compression. */
  readonly content: Buffer;
}

/** Throws when chunks or compression are broken or cut. */
export function readAnswer(bytes: Buffer): ReadAnswer {
  const end = bytes.indexOf("\r\n\r\n");
  const head = bytes.subarray(0, Math.max(0, end)).toString("latin1");
  const body = bytes.subarray(end + 4);
  const isChunked = /^transfer-encoding: chunked/im.test(head) && !/^HTTP\/1\.\d (?:204|304)/.test(head);
  const content = isChunked ? unchunked(body) : body;
  const coding = /^content-encoding: (\S+)/im.exec(head)?.[1] ?? "";
  if (content.length === 0) return { head, content };
  return { head, content: Object.hasOwn(DECODERS, coding) ? DECODERS[coding]!(content) : content };
}

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gunzipSync(bytes),
  br: (bytes) => brotliDecompressSync(bytes),
  // What `deflate` is, is told by its first byte only.
  deflate: (bytes) => (bytes[0] === 0x78 ? inflateSync(bytes) : inflateRawSync(bytes)),
};

function unchunked(body: Buffer): Buffer {
  const decoder = new BodyDecoder();
  decoder.reset(FRAMING_CHUNKED, 0);
  const parts: Uint8Array[] = [];
  if (decoder.collect(body, 0, body.length, parts) < 0 || !decoder.isComplete)
    throw new Error(`broken chunks: ${body.subarray(0, 100).toString("latin1")}`);
  return Buffer.concat(parts);
}

/** Answers each request with what `answer` says; "Connection: close" or HTTP/1.0 in it closes behind it. */
export class TableServer implements AsyncDisposable {
  /** Heads of the requests, as they came. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(answer: (path: string, head: string, count: number) => Buffer | string) {
    this.#server = createServer((socket) => {
      let received = "";
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("data", (bytes) => {
        received += bytes.toString("latin1");
        for (let end = received.indexOf("\r\n\r\n"); end >= 0; end = received.indexOf("\r\n\r\n")) {
          const head = received.slice(0, end);
          const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
          if (received.length < end + 4 + length) return;
          received = received.slice(end + 4 + length);
          this.requests.push(head);
          const bytes = Buffer.from(
            answer(head.split(" ")[1]!, head, this.requests.length) as string,
            "latin1",
          );
          const start = bytes.subarray(0, 2000).toString("latin1");
          if (/^HTTP\/1\.0|\nConnection: close/.test(start)) socket.end(bytes);
          else socket.write(bytes);
        }
      });
    });
  }

  static async start(
    answer: (path: string, head: string, count: number) => Buffer | string,
  ): Promise<TableServer> {
    const server = new TableServer(answer);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
