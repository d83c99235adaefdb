// Names of the DNS as they stand in messages (RFC 1035, 3.1 and 4.1.4). As text they are in lower case and
// without the dot at the end, so that two of them are the same name if they are the same text; the root is
// "".

/** Length of a name in a message, its lengths and the end included. */
const NAME_BYTES_MAX = 255;
const LABEL_BYTES_MAX = 63;
const POINTER = 0xc0;

export interface NameInMessage {
  readonly name: string;
  /** Behind the name, where it stands. */
  readonly end: number;
}

/**
 * Reads the name at `start`; null when it is none. A pointer may only lead back, before everything that was
 * read of the name until then, so that none can go round in circles.
 */
export function decodeName(message: Uint8Array, start: number): NameInMessage | null {
  let text = "";
  let length = 1;
  let at = start;
  let lowest = start;
  let end = -1;
  for (;;) {
    const size = message[at];
    if (size === undefined) return null;
    if (size === 0) return { name: text, end: end < 0 ? at + 1 : end };
    if ((size & POINTER) === POINTER) {
      if (at + 1 >= message.length) return null;
      if (end < 0) end = at + 2;
      at = ((size & ~POINTER) << 8) | message[at + 1]!;
      if (at >= lowest) return null;
      lowest = at;
      continue;
    }
    // What begins with 01 or 10 was never given a meaning that lasted.
    if (size > LABEL_BYTES_MAX || at + 1 + size > message.length) return null;
    length += 1 + size;
    if (length > NAME_BYTES_MAX) return null;
    text += `${text === "" ? "" : "."}${decodeLabel(message, at + 1, size)}`;
    at += 1 + size;
  }
}

/** A dot inside of a label is no border between two: written with a backslash, as in master files. */
function decodeLabel(message: Uint8Array, start: number, size: number): string {
  const label = String.fromCharCode(...message.subarray(start, start + size));
  // Letters of ASCII only: the others have no case here.
  return label.replace(/[A-Z.\\]/g, (found) =>
    found >= "A" && found <= "Z" ? found.toLowerCase() : `\\${found}`,
  );
}

/** As bytes of a message; null when no message can have such a name. */
export function encodeName(text: string): Uint8Array | null {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  if (name.length + 2 > NAME_BYTES_MAX) return null;
  const bytes = new Uint8Array(name === "" ? 1 : name.length + 2);
  let at = 0;
  for (const label of name === "" ? [] : name.split(".")) {
    if (label === "" || label.length > LABEL_BYTES_MAX) return null;
    bytes[at++] = label.length;
    for (let i = 0; i < label.length; i++) {
      const code = label.charCodeAt(i);
      if (code <= 0x20 || code > 0x7e || code === 0x5c) return null;
      bytes[at++] = code;
    }
  }
  return bytes;
}

/** The text by which names are compared. */
export function canonicalName(text: string): string {
  return (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
}
