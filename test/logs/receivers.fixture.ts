// Who receives log lines in tests: by datagrams, and by TCP.
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export class DatagramReceiver {
  readonly #socket: DatagramSocket = createSocket("udp4");
  readonly #messages: string[] = [];
  #wake: () => void = () => {};

  static async start(): Promise<DatagramReceiver> {
    const receiver = new DatagramReceiver();
    receiver.#socket.on("message", (bytes) => {
      receiver.#messages.push(bytes.toString("latin1"));
      receiver.#wake();
    });
    receiver.#socket.bind(0, "127.0.0.1");
    await once(receiver.#socket, "listening");
    return receiver;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** The next one, as it came. */
  async next(): Promise<string> {
    while (this.#messages.length === 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#messages.shift()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, "close");
  }
}

export class StreamReceiver {
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  #text = "";
  #wake: () => void = () => {};
  connectionCount = 0;
  /** New connections are not read from. */
  isDeaf = false;

  private constructor() {
    this.#server = createServer((socket) => {
      this.connectionCount++;
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      if (this.isDeaf) socket.pause();
      else
        socket.on("data", (bytes) => {
          this.#text += bytes.toString("latin1");
          this.#wake();
        });
    });
  }

  static async start(port = 0): Promise<StreamReceiver> {
    const receiver = new StreamReceiver();
    receiver.#server.listen(port, "127.0.0.1");
    await once(receiver.#server, "listening");
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** All that has come, once it matches. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#text))
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#text;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
