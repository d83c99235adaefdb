// One question to one nameserver, over sockets of its own: each has a source port that the kernel chooses and
// a random number, and is connected, so that an answer counts only from the address that was asked, and who
// cannot see the question has to guess both (RFC 5452). What did not fit into UDP is asked for again over
// TCP.
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns";
import { connect } from "node:net";
import { parseIpAddress } from "../../base/address.ts";
import { type DnsMessage, decodeMessage, encodeQuestion } from "../../protocol/dns/message.ts";
import { canonicalName } from "../../protocol/dns/name.ts";
import type { NameserverQuestion } from "../../proxy/resolvers/name-resolver.ts";

/** Answers that are none to the question, before nobody listens any more. */
const WRONG_ANSWERS_MAX = 32;

export interface AskedQuestion {
  start(): void;
  close(): void;
}

/** Closes itself when there is an answer, and when the time is over; then it is `done`. */
export function askNameserver(question: NameserverQuestion, done: () => void): AskedQuestion {
  return new Asked(question, done);
}

class Asked implements AskedQuestion {
  readonly #question: NameserverQuestion;
  readonly #id: number = randomInt(0x10000);
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #done: () => void;
  #closeSocket: (() => void) | null = null;
  #wrongCount = 0;
  #isOver = false;

  constructor(question: NameserverQuestion, done: () => void) {
    this.#question = question;
    this.#done = done;
    this.#timer = setTimeout(() => this.close(), question.timeoutMs).unref();
  }

  start(): void {
    const { name, type, payloadBytes, nameserver } = this.#question;
    const bytes = encodeQuestion(this.#id, name, type, payloadBytes);
    // A name that no message can have: nobody answers.
    if (bytes === null) return;
    const begin = (address: string) => {
      if (this.#isOver) return;
      if (nameserver.transport === "tcp") this.#askStream(address, bytes);
      else this.#askDatagram(address, bytes);
    };
    if (parseIpAddress(nameserver.host) !== null) begin(nameserver.host);
    else
      lookup(nameserver.host, (error, address) => {
        if (error === null) begin(address);
        else this.#fail();
      });
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#done();
    clearTimeout(this.#timer);
    this.#closeSocket?.();
    this.#closeSocket = null;
  }

  #askDatagram(address: string, bytes: Uint8Array): void {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    let isClosed = false;
    this.#closeSocket = () => {
      if (!isClosed) socket.close();
      isClosed = true;
    };
    socket.on("error", () => this.#fail());
    socket.on("message", (answer: Buffer) =>
      this.#receive(answer, false, () => this.#askStream(address, bytes)),
    );
    socket.connect(this.#question.nameserver.port, address, () => {
      if (!isClosed) socket.send(bytes);
    });
  }

  #askStream(address: string, bytes: Uint8Array): void {
    const socket = connect(this.#question.nameserver.port, address);
    this.#closeSocket = () => socket.destroy();
    let received = Buffer.alloc(0);
    socket.on("error", () => this.#fail());
    socket.on("connect", () => socket.write(withLength(bytes)));
    socket.on("data", (piece: Buffer) => {
      received = Buffer.concat([received, piece]);
      if (received.length < 2) return;
      const end = 2 + received.readUInt16BE(0);
      if (received.length >= end) this.#receive(received.subarray(2, end), true, () => {});
    });
  }

  #receive(bytes: Uint8Array, isStream: boolean, askStream: () => void): void {
    if (this.#isOver) return;
    const message = decodeMessage(bytes);
    if (message === null || !this.#isAnswer(message)) {
      this.#question.receive({ kind: "invalid" });
      // Over TCP nobody else can have sent it, and nothing better follows.
      if (isStream || ++this.#wrongCount >= WRONG_ANSWERS_MAX) this.#fail();
      return;
    }
    if (message.isTruncated && !isStream) {
      this.#closeSocket?.();
      this.#question.receive({ kind: "truncated" });
      askStream();
      return;
    }
    this.close();
    this.#question.receive({ kind: "message", message });
  }

  #isAnswer({ id, isResponse, question }: DnsMessage): boolean {
    const { name, type } = this.#question;
    return isResponse && id === this.#id && question?.type === type && question.name === canonicalName(name);
  }

  #fail(): void {
    if (this.#isOver) return;
    this.close();
    this.#question.receive({ kind: "unreachable" });
  }
}

function withLength(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
