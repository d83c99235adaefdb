// The messages of a viewer (RFC 6143, section 7.5, and the extensions that noVNC and QEMU have), found by
// their lengths: to leave out keyboard, mouse and clipboard of who may only look, and to know when somebody
// last did something. A message that nobody knows ends the reading, for its length would be a guess.

export interface FilteredMessages {
  /** What goes to the server, in order. */
  readonly forward: Buffer;
  /** Whether a key was pressed, the mouse moved or text pasted. */
  readonly hasInput: boolean;
}

const SET_ENCODINGS = 2;
const ENCODINGS_MAX = 1024;
/** With these the viewer would send messages whose length depends on what the server has said. */
const UNREADABLE_ENCODINGS: readonly number[] = [
  -305, // gii
  -316, // extended mouse buttons
];

interface MessageKind {
  /** Bytes that must be there to know the length. */
  readonly headBytes: number;
  readonly isInput: boolean;
  length(head: Buffer): number;
}

const fixed = (length: number, isInput: boolean): MessageKind => ({
  headBytes: 1,
  isInput,
  length: () => length,
});

const KINDS: ReadonlyMap<number, MessageKind> = new Map<number, MessageKind>([
  [0, fixed(20, false)], // SetPixelFormat
  [3, fixed(10, false)], // FramebufferUpdateRequest
  [4, fixed(8, true)], // KeyEvent
  [5, fixed(6, true)], // PointerEvent
  // ClientCutText; a negative length is that of the extended clipboard.
  [6, { headBytes: 8, isInput: true, length: (head) => 8 + Math.abs(head.readInt32BE(4)) }],
  [150, fixed(10, false)], // EnableContinuousUpdates
  [248, { headBytes: 9, isInput: false, length: (head) => 9 + head[8]! }], // ClientFence
  [250, fixed(4, true)], // xvp: shutdown, reboot, reset
  [251, { headBytes: 8, isInput: true, length: (head) => 8 + 16 * head[6]! }], // SetDesktopSize
]);

/** QEMU's messages have a kind of their own in the second byte. */
const QEMU = 255;
const QEMU_KINDS: ReadonlyMap<number, MessageKind> = new Map<number, MessageKind>([
  [0, fixed(12, true)], // extended key event
  [1, { headBytes: 4, isInput: false, length: (head) => (head[3] === 2 ? 10 : 4) }], // audio
]);

export class ClientMessageFilter {
  readonly #isViewOnly: boolean;
  #head: Buffer = Buffer.alloc(0);
  /** Of the present message, once its length is known. */
  #left = 0;
  #isDropping = false;

  constructor(isViewOnly: boolean) {
    this.#isViewOnly = isViewOnly;
  }

  /** Null: the viewer sent something that is no message known here. */
  receive(bytes: Uint8Array): FilteredMessages | null {
    const forward: Buffer[] = [];
    let hasInput = false;
    let rest = Buffer.concat([this.#head, bytes]);
    this.#head = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#left === 0) {
        const message = beginningOf(rest);
        if (message === null) return null;
        if (message === "more") {
          this.#head = rest;
          break;
        }
        if (message.kind === "encodings") {
          forward.push(readableEncodings(rest.subarray(0, message.length)));
          rest = rest.subarray(message.length);
          continue;
        }
        this.#left = message.length;
        this.#isDropping = this.#isViewOnly && message.isInput;
        hasInput ||= message.isInput && !this.#isDropping;
      }
      const taken = rest.subarray(0, this.#left);
      if (!this.#isDropping) forward.push(taken);
      this.#left -= taken.length;
      rest = rest.subarray(taken.length);
    }
    return { forward: Buffer.concat(forward), hasInput };
  }
}

type Beginning =
  | { readonly kind: "message"; readonly length: number; readonly isInput: boolean }
  /** Whole. */
  | { readonly kind: "encodings"; readonly length: number };

function beginningOf(bytes: Buffer): Beginning | "more" | null {
  const type = bytes[0]!;
  if (type === SET_ENCODINGS) {
    if (bytes.length < 4) return "more";
    const count = bytes.readUInt16BE(2);
    if (count > ENCODINGS_MAX) return null;
    const length = 4 + 4 * count;
    return bytes.length < length ? "more" : { kind: "encodings", length };
  }
  if (type === QEMU && bytes.length < 2) return "more";
  const kind = type === QEMU ? QEMU_KINDS.get(bytes[1]!) : KINDS.get(type);
  if (kind === undefined) return null;
  if (bytes.length < kind.headBytes) return "more";
  return { kind: "message", length: kind.length(bytes), isInput: kind.isInput };
}

function readableEncodings(message: Buffer): Buffer {
  const encodings: number[] = [];
  for (let at = 4; at < message.length; at += 4) encodings.push(message.readInt32BE(at));
  const kept = encodings.filter((one) => !UNREADABLE_ENCODINGS.includes(one));
  const result = Buffer.alloc(4 + 4 * kept.length);
  result[0] = SET_ENCODINGS;
  result.writeUInt16BE(kept.length, 2);
  kept.forEach((one, i) => {
    result.writeInt32BE(one, 4 + 4 * i);
  });
  return result;
}
