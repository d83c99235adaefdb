// A nameserver on loopback whose answers a test changes while others ask. It writes its messages by itself,
// byte for byte, so that it is no second user of the code that it tests.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { createServer, type Server } from "node:net";

const TYPES: Readonly<Record<string, number>> = { A: 1, CNAME: 5, AAAA: 28, SRV: 33, OPT: 41 };

/** "web.test 5 A 192.0.2.1", "_http._tcp.test 5 SRV 0 10 8080 web1.test". */
export type RecordText = string;

export interface Reply {
  readonly records?: readonly RecordText[];
  readonly additional?: readonly RecordText[];
  /** RCODE; 3 is NXDOMAIN, 5 REFUSED. */
  readonly code?: number;
  /** Without records, over UDP. */
  readonly isTruncated?: boolean;
  /** Instead of a message. */
  readonly bytes?: Buffer;
}

export class Nameserver {
  /** By "A web.test"; what is not here does not exist. */
  readonly replies: Map<string, Reply | "silence" | "later"> = new Map();
  /** "A web.test", with " over TCP" behind it. */
  readonly questions: string[] = [];
  /** From which questions came over UDP. */
  readonly ports: Set<number> = new Set();
  /** Changes a message on its way out, for each that goes out once. */
  forge: ((message: Buffer, question: Buffer) => readonly Buffer[]) | null = null;
  readonly #udp: Socket;
  readonly #tcp: Server;
  #waiting: (() => void)[] = [];
  readonly #later: (() => void)[] = [];

  private constructor(udp: Socket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
  }

  static async start(): Promise<Nameserver> {
    for (;;) {
      const udp = createSocket("udp4");
      await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
      const tcp = createServer();
      const isListening = await new Promise<boolean>((resolve) => {
        tcp.once("error", () => resolve(false));
        tcp.listen(udp.address().port, "127.0.0.1", () => resolve(true));
      });
      const nameserver = new Nameserver(udp, tcp);
      if (isListening) {
        nameserver.#serve();
        return nameserver;
      }
      udp.close();
    }
  }

  get port(): number {
    return this.#udp.address().port;
  }

  set(question: string, reply: Reply | "silence" | "later"): void {
    this.replies.set(question, reply);
  }

  /** What was asked over UDP and is to be answered later is answered. */
  answerNow(question: string, reply: Reply): void {
    this.set(question, reply);
    for (const answer of this.#later.splice(0)) answer();
  }

  /** Once something more has been asked. */
  nextQuestion(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
    this.#tcp.close();
  }

  #serve(): void {
    this.#udp.on("message", (question: Buffer, from: RemoteInfo) => {
      this.ports.add(from.port);
      const reply = this.#replyTo(question, false);
      if (reply === "later")
        this.#later.push(() => this.#send(this.#replyTo(question, false), question, from));
      else this.#send(reply, question, from);
    });
    this.#tcp.on("connection", (socket) => {
      let received = Buffer.alloc(0);
      socket.on("error", () => socket.destroy());
      socket.on("data", (bytes: Buffer) => {
        received = Buffer.concat([received, bytes]);
        while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
          const end = 2 + received.readUInt16BE(0);
          const reply = this.#replyTo(received.subarray(2, end), true);
          received = received.subarray(end);
          if (reply !== null && reply !== "later")
            socket.write(Buffer.concat([number16(reply.length), reply]));
        }
      });
    });
  }

  #send(reply: Buffer | "later" | null, question: Buffer, from: RemoteInfo): void {
    if (reply === null || reply === "later") return;
    for (const message of this.forge?.(reply, question) ?? [reply])
      this.#udp.send(message, from.port, from.address);
  }

  #replyTo(question: Buffer, isTcp: boolean): Buffer | "later" | null {
    const { name, end } = readName(question, 12);
    const type = question.readUInt16BE(end);
    const typeName = Object.keys(TYPES).find((key) => TYPES[key] === type) ?? `${type}`;
    const text = `${typeName} ${name.toLowerCase()}`;
    this.questions.push(isTcp ? `${text} over TCP` : text);
    for (const wake of this.#waiting.splice(0)) wake();
    const reply = this.replies.get(text) ?? { code: 3 };
    if (reply === "silence") return null;
    if (reply === "later") return "later";
    if (reply.bytes !== undefined) return reply.bytes;
    const isTruncated = reply.isTruncated === true && !isTcp;
    const records = isTruncated ? [] : (reply.records ?? []);
    const additional = isTruncated ? [] : (reply.additional ?? []);
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(0x8180 | (isTruncated ? 0x0200 : 0) | (reply.code ?? 0), 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt16BE(0, 8);
    head.writeUInt16BE(additional.length, 10);
    return Buffer.concat([
      head,
      question.subarray(12, end + 4),
      ...[...records, ...additional].map((record) => writeRecord(record)),
    ]);
  }
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at]!; length !== 0; length = message[at]!) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), end: at + 1 };
}

function writeRecord(text: RecordText): Buffer {
  const [name, ttl, type, ...data] = text.split(" ");
  const value = writeData(type!, data);
  const lifetime = Buffer.alloc(4);
  lifetime.writeUInt32BE(Number(ttl));
  return Buffer.concat([
    writeName(name!),
    number16(TYPES[type!]!),
    number16(1),
    lifetime,
    number16(value.length),
    value,
  ]);
}

function writeData(type: string, data: readonly string[]): Buffer {
  switch (type) {
    case "A":
      return Buffer.from(data[0]!.split(".").map(Number));
    case "AAAA":
      return writeAddress6(data[0]!);
    case "SRV":
      return Buffer.concat([...data.slice(0, 3).map((part) => number16(Number(part))), writeName(data[3]!)]);
    default:
      return writeName(data[0]!);
  }
}

function writeAddress6(text: string): Buffer {
  const [head = "", tail = ""] = text.split("::");
  const parse = (part: string) =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  const [first, last] = [parse(head), parse(tail)];
  const words = [...first, ...new Array(8 - first.length - last.length).fill(0), ...last];
  return Buffer.concat(words.map(number16));
}

function writeName(name: string): Buffer {
  const labels = name.split(".").filter((label) => label !== "");
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")])),
    Buffer.from([0]),
  ]);
}

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
