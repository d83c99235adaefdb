// How master and workers talk: one unix socket per worker, each message a 4-byte length (big endian) and a
// value in V8's serialization format, which keeps the byte arrays of certificates and error files as they
// are.
import { deserialize, serialize } from "node:v8";

/** A configuration with its certificates is the largest message. */
const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;
const LENGTH_BYTES = 4;

export function encodeMessage(value: unknown): Uint8Array {
  const body = serialize(value);
  const message = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  message.writeUInt32BE(body.length, 0);
  body.copy(message, LENGTH_BYTES);
  return message;
}

/** Collects bytes and gives whole messages. Both ends are our own program, so a broken length is a defect. */
export class MessageDecoder {
  #parts: Buffer[] = [];
  #length = 0;

  /** Takes a copy of the bytes and returns the messages that they complete. */
  receive(bytes: Uint8Array): unknown[] {
    this.#parts.push(Buffer.from(bytes));
    this.#length += bytes.length;
    const messages: unknown[] = [];
    for (;;) {
      const body = this.#takeMessage();
      if (body === null) return messages;
      messages.push(deserialize(body));
    }
  }

  #takeMessage(): Buffer | null {
    if (this.#length < LENGTH_BYTES) return null;
    if (this.#parts[0]!.length < LENGTH_BYTES) this.#join();
    const bodyLength = this.#parts[0]!.readUInt32BE(0);
    if (bodyLength > MESSAGE_BYTES_MAX) throw new Error(`a control message of ${bodyLength} bytes`);
    if (this.#length < LENGTH_BYTES + bodyLength) return null;
    this.#join();
    const all = this.#parts[0]!;
    const rest = all.subarray(LENGTH_BYTES + bodyLength);
    this.#parts = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    return all.subarray(LENGTH_BYTES, LENGTH_BYTES + bodyLength);
  }

  #join(): void {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
  }
}
