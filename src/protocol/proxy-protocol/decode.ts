// Reads a PROXY header from the first bytes of a connection. Strict, because these bytes decide who the
// client is: whatever is not exactly a header is malformed, and the connection has to be closed. Call it
// again with more bytes as long as it says so; bytes that cannot become a header are refused as soon as they
// show.
import { formatIpAddress, parseIpAddress, type SocketAddress } from "../../base/address.ts";
import { crc32c } from "./crc32c.ts";
import {
  FIELD_ALPN,
  FIELD_AUTHORITY,
  FIELD_CRC32C,
  FIELD_NETWORK_NAMESPACE,
  FIELD_SSL,
  FIELD_SSL_CIPHER,
  FIELD_SSL_COMMON_NAME,
  FIELD_SSL_KEY_ALGORITHM,
  FIELD_SSL_SIGNATURE_ALGORITHM,
  FIELD_SSL_VERSION,
  FIELD_UNIQUE_ID,
  type ProxyAddresses,
  type ProxyFacts,
  type ProxyField,
  type ProxyHeader,
  type ProxySslFacts,
  SIGNATURE,
  SSL_CLIENT_CERTIFICATE_CONNECTION,
  SSL_CLIENT_CERTIFICATE_SESSION,
  SSL_CLIENT_TLS,
  UNIX_PATH_BYTES,
  VERSION_1_BYTES_MAX,
  VERSION_2_BYTES_MAX,
  VERSION_2_FIXED_BYTES,
} from "./proxy-header.ts";

export type ProxyHeaderRead =
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly message: string }
  /** `length` bytes belong to the header; what follows is the connection's own. */
  | { readonly kind: "header"; readonly header: ProxyHeader; readonly length: number };

const INCOMPLETE: ProxyHeaderRead = { kind: "incomplete" };
const NO_FACTS: ProxyFacts = {
  alpn: null,
  authority: null,
  uniqueId: null,
  ssl: null,
  networkNamespace: null,
};
const VERSION_1_PREFIX = Uint8Array.of(0x50, 0x52, 0x4f, 0x58, 0x59, 0x20);
const UNIQUE_ID_BYTES_MAX = 128;

/** Reads a header of either version at the beginning of bytes[start, end). Keeps no reference to `bytes`. */
export function readProxyHeader(bytes: Uint8Array, start: number, end: number): ProxyHeaderRead {
  const piece = bytes.subarray(start, end);
  if (beginsLike(piece, VERSION_1_PREFIX)) return readVersion1(piece);
  if (beginsLike(piece, SIGNATURE)) return readVersion2(piece);
  return malformed("the connection does not begin with a PROXY header");
}

function malformed(message: string): ProxyHeaderRead {
  return { kind: "malformed", message };
}

/** True when `bytes` and `prefix` agree as far as both go. */
function beginsLike(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.subarray(0, prefix.length).every((byte, i) => byte === prefix[i]);
}

function readVersion1(bytes: Uint8Array): ProxyHeaderRead {
  const window = bytes.subarray(0, VERSION_1_BYTES_MAX);
  const lineEnd = window.indexOf(10);
  if (lineEnd < 0) {
    return window.length < VERSION_1_BYTES_MAX
      ? INCOMPLETE
      : malformed("a PROXY line of more than 107 bytes");
  }
  const length = lineEnd + 1;
  const line = latin1(window.subarray(0, length));
  if (!line.endsWith("\r\n")) return malformed("a PROXY line that does not end with CR LF");
  const words = line.slice(0, -2).split(" ");
  if (words[1] === "UNKNOWN") return header1(null, length);
  if ((words[1] !== "TCP4" && words[1] !== "TCP6") || words.length !== 6)
    return malformed("a PROXY line of unknown form");
  const family = words[1] === "TCP4" ? 4 : 6;
  const source = socketAddress(family, words[2]!, words[4]!);
  const destination = socketAddress(family, words[3]!, words[5]!);
  if (source === null || destination === null)
    return malformed("a PROXY line with an invalid address or port");
  return header1({ source, destination }, length);
}

function header1(addresses: ProxyAddresses | null, length: number): ProxyHeaderRead {
  return {
    kind: "header",
    header: { version: 1, addresses, isDatagram: false, fields: [], facts: NO_FACTS },
    length,
  };
}

function socketAddress(family: 4 | 6, host: string, port: string): SocketAddress | null {
  const address = parseIpAddress(host);
  if (address === null || address.family !== family || !/^(0|[1-9]\d{0,4})$/.test(port)) return null;
  return Number(port) > 65535 ? null : { family, host: formatIpAddress(address), port: Number(port) };
}

function readVersion2(bytes: Uint8Array): ProxyHeaderRead {
  if (bytes.length > 12 && bytes[12] !== 0x20 && bytes[12] !== 0x21) {
    return malformed("a PROXY header of unknown version or command");
  }
  if (bytes.length < VERSION_2_FIXED_BYTES) return INCOMPLETE;
  const length = VERSION_2_FIXED_BYTES + ((bytes[14]! << 8) | bytes[15]!);
  if (length > VERSION_2_BYTES_MAX) return malformed("a PROXY header of more than 16384 bytes");
  if (bytes.length < length) return INCOMPLETE;
  const header = bytes.slice(0, length);
  const family = header[13]! >> 4;
  const transport = header[13]! & 15;
  if (family > 3 || transport > 2)
    return malformed("a PROXY header with an unknown address family or transport");
  const isKnown = family !== 0 && transport !== 0;
  const addressBytes = isKnown ? [0, 12, 36, 2 * UNIX_PATH_BYTES][family]! : 0;
  if (length < VERSION_2_FIXED_BYTES + addressBytes)
    return malformed("a PROXY header too short for its addresses");
  const isLocal = header[12] === 0x20;
  // Behind addresses of an unknown form nobody can tell where the fields begin; LOCAL says that all is to be
  // ignored.
  const fields = isKnown && !isLocal ? readFields(header, VERSION_2_FIXED_BYTES + addressBytes) : [];
  if (fields === null) return malformed("a PROXY header with a field that goes beyond its end");
  if (!isChecksumRight(header, fields)) return malformed("a PROXY header whose checksum is wrong");
  const facts = readFacts(fields);
  if (facts === null) return malformed("a PROXY header with an invalid SSL or unique-id field");
  const addresses = isKnown && !isLocal ? readAddresses(header, family) : null;
  return {
    kind: "header",
    header: { version: 2, addresses, isDatagram: transport === 2, fields, facts },
    length,
  };
}

function readAddresses(header: Uint8Array, family: number): ProxyAddresses {
  const at = VERSION_2_FIXED_BYTES;
  if (family === 3) {
    const unix = (from: number): SocketAddress => {
      const path = header.subarray(from, from + UNIX_PATH_BYTES);
      // An abstract name begins with NUL; a path ends at the first.
      const end = path.indexOf(0, path[0] === 0 ? 1 : 0);
      const isUnnamed = path[0] === 0 && path[1] === 0;
      return {
        family: "unix",
        host: isUnnamed ? "" : latin1(path.subarray(0, end < 0 ? path.length : end)),
        port: 0,
      };
    };
    return { source: unix(at), destination: unix(at + UNIX_PATH_BYTES) };
  }
  const size = family === 1 ? 4 : 16;
  const ip = (from: number, portAt: number): SocketAddress => ({
    family: size === 4 ? 4 : 6,
    host: formatIpAddress({
      kind: "ip",
      family: size === 4 ? 4 : 6,
      bytes: header.subarray(from, from + size),
    }),
    port: (header[portAt]! << 8) | header[portAt + 1]!,
  });
  return { source: ip(at, at + 2 * size), destination: ip(at + size, at + 2 * size + 2) };
}

/** Null when a field goes beyond the end. Values are views of `bytes`. */
function readFields(bytes: Uint8Array, at: number): ProxyField[] | null {
  const fields: ProxyField[] = [];
  while (at < bytes.length) {
    if (at + 3 > bytes.length) return null;
    const valueEnd = at + 3 + ((bytes[at + 1]! << 8) | bytes[at + 2]!);
    if (valueEnd > bytes.length) return null;
    fields.push({ type: bytes[at]!, value: bytes.subarray(at + 3, valueEnd) });
    at = valueEnd;
  }
  return fields;
}

/** The checksum is that of the header with zeros in its place. */
function isChecksumRight(header: Uint8Array, fields: readonly ProxyField[]): boolean {
  const checksums = fields.filter((field) => field.type === FIELD_CRC32C);
  if (checksums.length === 0) return true;
  const { value } = checksums[0]!;
  if (checksums.length > 1 || value.length !== 4) return false;
  const expected = readUint32(value, 0);
  const zeroed = header.slice();
  zeroed.fill(0, value.byteOffset - header.byteOffset, value.byteOffset - header.byteOffset + 4);
  return crc32c(zeroed) === expected;
}

function readFacts(fields: readonly ProxyField[]): ProxyFacts | null {
  const uniqueId = find(fields, FIELD_UNIQUE_ID);
  if (uniqueId !== null && uniqueId.length > UNIQUE_ID_BYTES_MAX) return null;
  const sslField = find(fields, FIELD_SSL);
  const ssl = sslField === null ? null : readSsl(sslField);
  if (sslField !== null && ssl === null) return null;
  return {
    alpn: text(fields, FIELD_ALPN),
    authority: text(fields, FIELD_AUTHORITY),
    uniqueId,
    ssl,
    networkNamespace: text(fields, FIELD_NETWORK_NAMESPACE),
  };
}

function readSsl(value: Uint8Array): ProxySslFacts | null {
  if (value.length < 5) return null;
  const fields = readFields(value, 5);
  if (fields === null) return null;
  const client = value[0]!;
  return {
    isTls: (client & SSL_CLIENT_TLS) !== 0,
    hasCertificate: (client & SSL_CLIENT_CERTIFICATE_CONNECTION) !== 0,
    hadCertificate: (client & SSL_CLIENT_CERTIFICATE_SESSION) !== 0,
    verifyResult: readUint32(value, 1),
    version: text(fields, FIELD_SSL_VERSION),
    commonName: text(fields, FIELD_SSL_COMMON_NAME),
    cipher: text(fields, FIELD_SSL_CIPHER),
    signatureAlgorithm: text(fields, FIELD_SSL_SIGNATURE_ALGORITHM),
    keyAlgorithm: text(fields, FIELD_SSL_KEY_ALGORITHM),
  };
}

function find(fields: readonly ProxyField[], type: number): Uint8Array | null {
  return fields.find((field) => field.type === type)?.value ?? null;
}

function text(fields: readonly ProxyField[], type: number): string | null {
  const value = find(fields, type);
  return value === null ? null : new TextDecoder().decode(value);
}

function readUint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
