// Clients that ask without pause and count every request that did not get its whole and right answer. Each
// client is one connection at a time: it either keeps it or takes a new one for each request, in clear or
// over TLS.
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface ClientKind {
  readonly port: number;
  readonly isTls: boolean;
  readonly keepsAlive: boolean;
  /** Says "Connection: close" itself where it does not keep the connection. */
  readonly count: number;
}

export interface LoadOptions {
  /**
   * A kept connection that ends without a byte of an answer is asked anew on another one, as every client
   * must (RFC 9112 9.3.1): a server may close an idle connection at any time.
   */
  readonly mayRetryKept?: boolean;
}

/** One answer: its status, its head in lower case, and its body. */
export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export class Load {
  /** Descriptions of what went wrong. */
  readonly failures: string[] = [];
  requestCount = 0;
  retryCount = 0;
  connectionCount = 0;
  readonly #options: LoadOptions;
  #isStopping = false;
  readonly #clients: Promise<void>[];

  constructor(kinds: readonly ClientKind[], options: LoadOptions = {}) {
    this.#options = options;
    let number = 0;
    this.#clients = kinds.flatMap((kind) =>
      Array.from({ length: kind.count }, () => this.#run(kind, ++number)),
    );
  }

  /** Lets requests in progress end, and waits for that. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#clients);
  }

  async #run(kind: ClientKind, number: number): Promise<void> {
    let client: Client | null = null;
    for (let turn = 0; !this.#isStopping; turn++) {
      const path = `/${number}/${turn}`;
      const isKept = client !== null;
      try {
        client ??= await this.#open(kind);
        const answer = await client.ask(path, !kind.keepsAlive);
        this.requestCount++;
        if (answer.status !== 200 || !answer.body.endsWith(` ${path}\n`))
          this.failures.push(`${describe(kind)} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
        if (!kind.keepsAlive || /^connection: close\r$/m.test(answer.head)) {
          client.close();
          client = null;
        }
      } catch (error) {
        const mayRetry = isKept && this.#options.mayRetryKept === true && !client!.hasBegunAnswer;
        client?.close();
        client = null;
        if (mayRetry) this.retryCount++;
        else {
          this.failures.push(`${describe(kind)} ${path}: ${(error as Error).message}`);
          // A server that refuses everything must not make this a busy loop.
          if (this.failures.length > 200) return;
        }
      }
    }
    client?.close();
  }

  #open({ port, isTls }: ClientKind): Promise<Client> {
    this.connectionCount++;
    return Client.open(port, isTls);
  }
}

function describe({ isTls, keepsAlive }: ClientKind): string {
  return `${isTls ? "https" : "http"}${keepsAlive ? " kept" : ""}`;
}

/** A connection that asks one thing after the other. */
export class Client {
  readonly #socket: Socket;
  #received = "";
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;
  #error: Error | null = null;
  hasBegunAnswer = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#receive(bytes.toString("latin1")));
    socket.on("error", (error) => this.#fail(error));
    socket.on("end", () => this.#fail(new Error("the connection was closed")));
    socket.on("close", () => this.#fail(new Error("the connection is gone")));
  }

  static open(port: number, isTls = false): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket: Socket = isTls
        ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => settle())
        : connect({ port, host: "127.0.0.1", noDelay: true }, () => settle());
      const refuse = (error: Error) => reject(new Error(`cannot connect: ${error.message}`));
      const settle = () => {
        socket.off("error", refuse);
        resolve(new Client(socket));
      };
      socket.once("error", refuse);
    });
  }

  get isOpen(): boolean {
    return this.#error === null;
  }

  /** Asks for a path and waits for the whole answer. */
  ask(path: string, isLast = false, headers = ""): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.hasBegunAnswer = false;
      if (this.#error !== null) {
        reject(this.#error);
        return;
      }
      this.#waiting = { resolve, reject };
      const connection = isLast ? "Connection: close\r\n" : "";
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n${connection}${headers}\r\n`);
    });
  }

  close(): void {
    this.#waiting = null;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.hasBegunAnswer = true;
    this.#received += text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd + 2).toLowerCase();
    const length = Number(/^content-length: (\d+)\r$/m.exec(head)?.[1] ?? 0);
    const bodyStart = headEnd + 4;
    if (this.#received.length < bodyStart + length) return;
    const body = this.#received.slice(bodyStart, bodyStart + length);
    this.#received = this.#received.slice(bodyStart + length);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve({ status: Number(head.slice(9, 12)), head, body });
  }

  #fail(error: Error): void {
    this.#error ??= error;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(this.#error);
  }
}

/** One request on a connection of its own. */
export async function ask(port: number, path = "/", headers = ""): Promise<Answer> {
  const client = await Client.open(port);
  try {
    return await client.ask(path, true, headers);
  } finally {
    client.close();
  }
}
