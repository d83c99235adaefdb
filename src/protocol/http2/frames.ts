// The frames of HTTP/2 as numbers (RFC 9113 chapters 4 to 7), and how they are written.

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;

export const ERROR = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  connect: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const;

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** What a client sends before its first frame (RFC 9113 section 3.4). */
export const PREFACE: Uint8Array = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export const FRAME_HEAD_BYTES = 9;
/** Both ends begin with it (section 6.5.2). */
export const DEFAULT_WINDOW_BYTES = 65_535;
/** The least that a peer has to accept. */
export const DEFAULT_FRAME_BYTES = 16_384;
export const WINDOW_BYTES_MAX = 0x7fff_ffff;

/** Writes the head of a frame to `target` from `at` on; returns its end. */
export function writeFrameHead(
  length: number,
  type: number,
  flags: number,
  streamId: number,
  target: Uint8Array,
  at: number,
): number {
  target[at++] = length >>> 16;
  target[at++] = length >>> 8;
  target[at++] = length;
  target[at++] = type;
  target[at++] = flags;
  return writeUint32(streamId, target, at);
}

export function writeUint32(value: number, target: Uint8Array, at: number): number {
  target[at++] = value >>> 24;
  target[at++] = value >>> 16;
  target[at++] = value >>> 8;
  target[at++] = value;
  return at;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function settingsFrame(settings: readonly (readonly [setting: number, value: number])[]): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + settings.length * 6);
  let at = writeFrameHead(settings.length * 6, FRAME.settings, 0, 0, frame, 0);
  for (const [setting, value] of settings) {
    frame[at++] = 0;
    frame[at++] = setting;
    at = writeUint32(value, frame, at);
  }
  return frame;
}

export function settingsAckFrame(): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES);
  writeFrameHead(0, FRAME.settings, FLAG.ack, 0, frame, 0);
  return frame;
}

/** `opaque`: the 8 bytes of the ping that is answered. */
export function pingAckFrame(opaque: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + 8);
  frame.set(opaque, writeFrameHead(8, FRAME.ping, FLAG.ack, 0, frame, 0));
  return frame;
}

export function goawayFrame(lastStreamId: number, error: number): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + 8);
  const at = writeUint32(lastStreamId, frame, writeFrameHead(8, FRAME.goaway, 0, 0, frame, 0));
  writeUint32(error, frame, at);
  return frame;
}

export function rstStreamFrame(streamId: number, error: number): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + 4);
  writeUint32(error, frame, writeFrameHead(4, FRAME.rstStream, 0, streamId, frame, 0));
  return frame;
}

export function windowUpdateFrame(streamId: number, increment: number): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + 4);
  writeUint32(increment, frame, writeFrameHead(4, FRAME.windowUpdate, 0, streamId, frame, 0));
  return frame;
}
