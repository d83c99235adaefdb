// Integers of the peers protocol: one byte below 240, then four bits in the first byte and seven in each
// following one. HAProxy's peers.txt, "Encoding". Up to 2^53; larger ones of 64 bits lose their last digits.

/** Appends to `out`. */
export function encodeInteger(value: number, out: number[]): void {
  let rest = Math.max(0, Math.floor(value));
  if (rest < 240) {
    out.push(rest);
    return;
  }
  out.push((rest % 16) | 240);
  rest = Math.floor((rest - 240) / 16);
  while (rest >= 128) {
    out.push((rest % 128) | 128);
    rest = Math.floor((rest - 128) / 128);
  }
  out.push(rest);
}

/** Four bytes, the highest first. */
export function encodeWord(value: number, out: number[]): void {
  for (const shift of [24, 16, 8, 0]) out.push((value >>> shift) & 0xff);
}

/** Reads on in bytes that may be anything. Once `isBroken`, everything is 0 or empty. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  isBroken = false;

  constructor(bytes: Uint8Array, from = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  integer(): number {
    const first = this.#byte();
    if (first < 240) return first;
    let value = first;
    let factor = 16;
    for (let count = 0; count < 10; count++) {
      const byte = this.#byte();
      value += byte * factor;
      factor *= 128;
      if (byte < 128) return value;
    }
    this.isBroken = true;
    return 0;
  }

  word(): number {
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + this.#byte();
    return value;
  }

  bytes(length: number): Uint8Array {
    if (length < 0 || this.#at + length > this.#end) {
      this.isBroken = true;
      return new Uint8Array(0);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  rest(): Uint8Array {
    return this.bytes(this.#end - this.#at);
  }

  #byte(): number {
    if (this.#at >= this.#end) {
      this.isBroken = true;
      return 0;
    }
    return this.#bytes[this.#at++]!;
  }
}
