// Frames of WebSocket (RFC 6455, section 5.2): their heads, masks and encoding. What a sequence of frames
// means is in `receiver.ts`.

export const OPCODE_CONTINUATION = 0x0;
export const OPCODE_TEXT = 0x1;
export const OPCODE_BINARY = 0x2;
export const OPCODE_CLOSE = 0x8;
export const OPCODE_PING = 0x9;
export const OPCODE_PONG = 0xa;

/** Of the payload of close, ping and pong (section 5.5). */
export const CONTROL_BYTES_MAX = 125;
/** Two bytes, eight of length, four of mask. */
export const FRAME_HEAD_BYTES_MAX = 14;

export interface FrameHead {
  readonly isLast: boolean;
  /** The three reserved bits; 0 without extensions. */
  readonly reserved: number;
  readonly opcode: number;
  readonly mask: Uint8Array | null;
  /** Of the payload. Infinity for what no number can hold exactly. */
  readonly length: number;
  readonly isShortest: boolean;
  readonly headBytes: number;
}

/** The head at the beginning of `bytes`; null when it is not there whole. */
export function decodeFrameHead(bytes: Uint8Array): FrameHead | null {
  if (bytes.length < 2) return null;
  const [first, second] = [bytes[0]!, bytes[1]!];
  const short = second & 0x7f;
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  const isMasked = (second & 0x80) !== 0;
  const headBytes = 2 + lengthBytes + (isMasked ? 4 : 0);
  if (bytes.length < headBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let length = short;
  if (short === 126) length = view.getUint16(2);
  else if (short === 127) {
    const exact = view.getBigUint64(2);
    length = exact > BigInt(Number.MAX_SAFE_INTEGER) ? Number.POSITIVE_INFINITY : Number(exact);
  }
  return {
    isLast: (first & 0x80) !== 0,
    reserved: (first >> 4) & 0x7,
    opcode: first & 0x0f,
    mask: isMasked ? bytes.slice(headBytes - 4, headBytes) : null,
    length,
    isShortest: lengthBytes === 0 || (lengthBytes === 2 ? length > 125 : length > 0xffff),
    headBytes,
  };
}

/** One whole message in one frame; `mask` of four bytes as a client needs it, null as a server. */
export function encodeFrame(opcode: number, payload: Uint8Array, mask: Uint8Array | null = null): Buffer {
  const lengthBytes = payload.length < 126 ? 0 : payload.length <= 0xffff ? 2 : 8;
  const headBytes = 2 + lengthBytes + (mask === null ? 0 : 4);
  const frame = Buffer.allocUnsafe(headBytes + payload.length);
  frame[0] = 0x80 | opcode;
  frame[1] =
    (mask === null ? 0 : 0x80) | (lengthBytes === 0 ? payload.length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) frame.writeUInt16BE(payload.length, 2);
  if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(payload.length), 2);
  frame.set(payload, headBytes);
  if (mask !== null) {
    frame.set(mask, headBytes - 4);
    applyMask(frame.subarray(headBytes), mask, 0);
  }
  return frame;
}

/** Masks or unmasks in place; `offset` is that of the first byte in its payload (section 5.3). */
export function applyMask(bytes: Uint8Array, mask: Uint8Array, offset: number): void {
  for (let i = 0; i < bytes.length; i++) bytes[i]! ^= mask[(offset + i) & 3]!;
}

/** The payload of a close frame. The reason is cut to what fits, between characters. */
export function encodeClose(code: number, reason: string): Buffer {
  let text = Buffer.from(reason);
  for (let end = reason.length; text.length > CONTROL_BYTES_MAX - 2; end--)
    text = Buffer.from(reason.slice(0, end).toWellFormed());
  return Buffer.concat([Buffer.of(code >> 8, code & 0xff), text]);
}
