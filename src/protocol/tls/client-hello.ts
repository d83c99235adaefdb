// Reads the first flight of a TLS client without ending its TLS: which server name and protocols it asks for,
// so that a raw connection can be routed. Source: RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3, RFC
// 7301. It verifies form, not cryptography; a ClientHello spread over several records is put together. SSLv2
// hellos are "not TLS".

export interface ClientHello {
  /**
   * Highest version offered, as on the wire: 0x0303 is TLS 1.2, 0x0304 TLS 1.3. From supported_versions where
   * sent.
   */
  readonly version: number;
  /** Version of the handshake message itself: 0x0303 for TLS 1.2 and 1.3. */
  readonly legacyVersion: number;
  /** Version in the first record's header, which HAProxy's req.ssl_ver reports. */
  readonly recordVersion: number;
  /** The host name in lower case without a final dot; "" when none was sent. */
  readonly serverName: string;
  /** Protocols in the client's order, as latin1 text; empty when none were sent. */
  readonly alpn: readonly string[];
  /** 0..32. */
  readonly sessionIdLength: number;
  readonly cipherSuites: readonly number[];
  /** Types of all extensions in order. */
  readonly extensions: readonly number[];
  /** It offers to resume a session by ticket or pre-shared key. */
  readonly hasTicket: boolean;
  /** Bytes in its session_ticket extension; null without one. */
  readonly ticketLength: number | null;
}

export type ClientHelloRead =
  | { readonly kind: "incomplete" }
  | { readonly kind: "not-tls" }
  /** TLS records, but no well formed ClientHello in them. */
  | { readonly kind: "malformed"; readonly message: string }
  | { readonly kind: "hello"; readonly hello: ClientHello };

/** Most bytes of a ClientHello; larger ones are malformed. */
const HELLO_BYTES_MAX = 16384;
const RECORD_BYTES_MAX = 16384;
const CONTENT_HANDSHAKE = 22;
const HANDSHAKE_CLIENT_HELLO = 1;
const EXTENSION_SERVER_NAME = 0;
const EXTENSION_ALPN = 16;
const EXTENSION_SESSION_TICKET = 35;
const EXTENSION_PRE_SHARED_KEY = 41;
const EXTENSION_SUPPORTED_VERSIONS = 43;

const INCOMPLETE: ClientHelloRead = { kind: "incomplete" };
const NOT_TLS: ClientHelloRead = { kind: "not-tls" };

/**
 * Reads from the beginning of a connection: bytes[start, end). Call it again with more bytes while it is
 * incomplete.
 */
export function readClientHello(bytes: Uint8Array, start: number, end: number): ClientHelloRead {
  const stream = bytes.subarray(start, end);
  const message: number[] = [];
  let at = 0;
  let length = 4;
  while (message.length < length) {
    const left = stream.length - at;
    if (left > 0 && stream[at] !== CONTENT_HANDSHAKE)
      return at === 0 ? NOT_TLS : malformed("another record in between");
    if (left > 1 && stream[at + 1] !== 3)
      return at === 0 ? NOT_TLS : malformed("a record of another version");
    if (left < 5) return INCOMPLETE;
    const recordLength = (stream[at + 3]! << 8) | stream[at + 4]!;
    if (recordLength === 0 || recordLength > RECORD_BYTES_MAX)
      return at === 0 ? NOT_TLS : malformed("a record of invalid length");
    const recordEnd = Math.min(at + 5 + recordLength, stream.length);
    for (let i = at + 5; i < recordEnd; i++) message.push(stream[i]!);
    if (message.length > 0 && message[0] !== HANDSHAKE_CLIENT_HELLO)
      return malformed("the first message is no ClientHello");
    if (message.length >= 4) length = 4 + ((message[1]! << 16) | (message[2]! << 8) | message[3]!);
    if (length > HELLO_BYTES_MAX) return malformed("a ClientHello of more than 16384 bytes");
    if (message.length < length && recordEnd < at + 5 + recordLength) return INCOMPLETE;
    at = recordEnd;
  }
  const hello = parseHello(Uint8Array.from(message.slice(4, length)), (stream[1]! << 8) | stream[2]!);
  return hello === null ? malformed("a ClientHello of invalid form") : { kind: "hello", hello };
}

function malformed(message: string): ClientHelloRead {
  return { kind: "malformed", message };
}

/** Takes numbers and vectors off a piece of memory; `isShort` once something was missing. */
class Reader {
  isShort = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.isShort || this.#at === this.#bytes.length;
  }

  take(length: number): Uint8Array {
    const from = this.#at;
    if (from + length > this.#bytes.length) {
      this.isShort = true;
      return new Uint8Array(0);
    }
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  /** A big-endian number of 1 to 3 bytes; 0 when it is missing. */
  number(size: number): number {
    return this.take(size).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** A vector whose length is given in `size` bytes before it. */
  vector(size: number): Uint8Array {
    return this.take(this.number(size));
  }
}

function parseHello(body: Uint8Array, recordVersion: number): ClientHello | null {
  const reader = new Reader(body);
  const legacyVersion = reader.number(2);
  reader.take(32);
  const sessionId = reader.vector(1);
  const cipherSuites = numbers(reader.vector(2));
  const compressions = reader.vector(1);
  if (reader.isShort || sessionId.length > 32 || cipherSuites === null || compressions.length === 0)
    return null;
  if (legacyVersion >> 8 !== 3) return null;

  const hello = {
    version: legacyVersion,
    legacyVersion,
    recordVersion,
    serverName: "",
    alpn: [] as string[],
    sessionIdLength: sessionId.length,
    cipherSuites,
    extensions: [] as number[],
    hasTicket: false,
    ticketLength: null as number | null,
  };
  // Before TLS 1.2 a ClientHello could end here.
  if (reader.isAtEnd) return hello;
  const extensions = new Reader(reader.vector(2));
  if (reader.isShort || !reader.isAtEnd) return null;
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    // The same extension twice could be read in two ways.
    if (extensions.isShort || hello.extensions.includes(type)) return null;
    hello.extensions.push(type);
    if (!readExtension(hello, type, data)) return null;
  }
  return hello;
}

interface HelloBeingRead {
  version: number;
  serverName: string;
  alpn: string[];
  hasTicket: boolean;
  ticketLength: number | null;
}

/** False: malformed. */
function readExtension(hello: HelloBeingRead, type: number, data: Uint8Array): boolean {
  switch (type) {
    case EXTENSION_SERVER_NAME: {
      const name = readServerName(data);
      if (name === null) return false;
      hello.serverName = name;
      return true;
    }
    case EXTENSION_ALPN: {
      const protocols = readAlpn(data);
      if (protocols === null) return false;
      hello.alpn = protocols;
      return true;
    }
    case EXTENSION_SUPPORTED_VERSIONS: {
      const reader = new Reader(data);
      const versions = numbers(reader.vector(1));
      if (reader.isShort || !reader.isAtEnd || versions === null) return false;
      // Others are GREASE (RFC 8701) or drafts.
      const known = versions.filter((version) => version >= 0x0300 && version <= 0x0304);
      if (known.length > 0) hello.version = Math.max(...known);
      return true;
    }
    case EXTENSION_SESSION_TICKET:
      if (data.length > 0) hello.hasTicket = true;
      hello.ticketLength = data.length;
      return true;
    case EXTENSION_PRE_SHARED_KEY:
      hello.hasTicket = true;
      return true;
    default:
      return true;
  }
}

function readServerName(data: Uint8Array): string | null {
  const list = new Reader(data);
  const entries = new Reader(list.vector(2));
  if (list.isShort || !list.isAtEnd || entries.isAtEnd) return null;
  let serverName = "";
  while (!entries.isAtEnd) {
    const type = entries.number(1);
    const name = entries.vector(2);
    if (entries.isShort) return null;
    if (type !== 0) continue;
    // One host name only, in ASCII; NUL and the like would end it early for others.
    if (serverName !== "" || name.length === 0 || name.length > 255) return null;
    if (name.some((byte) => byte <= 0x20 || byte >= 0x7f)) return null;
    serverName = String.fromCharCode(...name)
      .toLowerCase()
      .replace(/\.$/, "");
  }
  return serverName;
}

function readAlpn(data: Uint8Array): string[] | null {
  const list = new Reader(data);
  const entries = new Reader(list.vector(2));
  if (list.isShort || !list.isAtEnd || entries.isAtEnd) return null;
  const protocols: string[] = [];
  while (!entries.isAtEnd) {
    const protocol = entries.vector(1);
    if (entries.isShort || protocol.length === 0) return null;
    protocols.push(String.fromCharCode(...protocol));
  }
  return protocols;
}

/** 16-bit numbers; null when there are none or a byte is left over. */
function numbers(bytes: Uint8Array): number[] | null {
  if (bytes.length === 0 || bytes.length % 2 !== 0) return null;
  return Array.from({ length: bytes.length / 2 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
}
