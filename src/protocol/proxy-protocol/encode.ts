// Writes PROXY headers, to stand before everything else on a connection to a server. As HAProxy does,
// addresses of different families are both written as IPv6.
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
  type ProxySslFacts,
  SIGNATURE,
  SSL_CLIENT_CERTIFICATE_CONNECTION,
  SSL_CLIENT_CERTIFICATE_SESSION,
  SSL_CLIENT_TLS,
  UNIX_PATH_BYTES,
  VERSION_2_FIXED_BYTES,
} from "./proxy-header.ts";

/** Version 1. `null`, unix sockets and hosts that are no IP addresses give "PROXY UNKNOWN". */
export function encodeProxyHeaderV1(addresses: ProxyAddresses | null): Uint8Array {
  const pair = addresses === null ? null : ipPair(addresses);
  if (pair === null) return new TextEncoder().encode("PROXY UNKNOWN\r\n");
  const { source, destination, family } = pair;
  const ports = `${addresses!.source.port} ${addresses!.destination.port}`;
  return new TextEncoder().encode(
    `PROXY TCP${family} ${ipText(source, family)} ${ipText(destination, family)} ${ports}\r\n`,
  );
}

/**
 * Version 2, for a stream. `null` gives LOCAL, which takes no fields. Fields that would make the header
 * longer than 65535 bytes are left out. `withChecksum` adds a CRC32C field.
 */
export function encodeProxyHeaderV2(
  addresses: ProxyAddresses | null,
  fields: readonly ProxyField[] = [],
  withChecksum = false,
): Uint8Array {
  if (addresses === null) return Uint8Array.of(...SIGNATURE, 0x20, 0, 0, 0);
  const [familyByte, addressBytes] = encodeAddresses(addresses);
  const parts: Uint8Array[] = [addressBytes];
  let length = addressBytes.length + (withChecksum ? 7 : 0);
  for (const field of familyByte === 0 ? [] : fields) {
    if (length + 3 + field.value.length > 65535) continue;
    parts.push(encodeField(field));
    length += 3 + field.value.length;
  }
  const hasChecksum = withChecksum && familyByte !== 0;
  if (hasChecksum) parts.push(encodeField({ type: FIELD_CRC32C, value: new Uint8Array(4) }));
  const body = concatenate(parts);
  const header = new Uint8Array(VERSION_2_FIXED_BYTES + body.length);
  header.set(SIGNATURE);
  header[12] = 0x21;
  header[13] = familyByte;
  header[14] = body.length >> 8;
  header[15] = body.length & 255;
  header.set(body, VERSION_2_FIXED_BYTES);
  if (hasChecksum) new DataView(header.buffer).setUint32(header.length - 4, crc32c(header));
  return header;
}

/** The fields that say these facts, in ascending order of their types. */
export function encodeProxyFacts(facts: Partial<ProxyFacts>): ProxyField[] {
  const fields: ProxyField[] = [];
  pushText(fields, FIELD_ALPN, facts.alpn);
  pushText(fields, FIELD_AUTHORITY, facts.authority);
  if (facts.uniqueId) fields.push({ type: FIELD_UNIQUE_ID, value: facts.uniqueId });
  if (facts.ssl) fields.push({ type: FIELD_SSL, value: encodeSsl(facts.ssl) });
  pushText(fields, FIELD_NETWORK_NAMESPACE, facts.networkNamespace);
  return fields;
}

function encodeSsl(ssl: ProxySslFacts): Uint8Array {
  const fields: ProxyField[] = [];
  pushText(fields, FIELD_SSL_VERSION, ssl.version);
  pushText(fields, FIELD_SSL_COMMON_NAME, ssl.commonName);
  pushText(fields, FIELD_SSL_CIPHER, ssl.cipher);
  pushText(fields, FIELD_SSL_SIGNATURE_ALGORITHM, ssl.signatureAlgorithm);
  pushText(fields, FIELD_SSL_KEY_ALGORITHM, ssl.keyAlgorithm);
  const fixed = new Uint8Array(5);
  if (ssl.isTls) fixed[0]! |= SSL_CLIENT_TLS;
  if (ssl.hasCertificate) fixed[0]! |= SSL_CLIENT_CERTIFICATE_CONNECTION;
  if (ssl.hadCertificate) fixed[0]! |= SSL_CLIENT_CERTIFICATE_SESSION;
  new DataView(fixed.buffer).setUint32(1, ssl.verifyResult);
  return concatenate([fixed, ...fields.map(encodeField)]);
}

function pushText(fields: ProxyField[], type: number, text: string | null | undefined): void {
  if (text !== null && text !== undefined) fields.push({ type, value: new TextEncoder().encode(text) });
}

function encodeField(field: ProxyField): Uint8Array {
  const bytes = new Uint8Array(3 + field.value.length);
  bytes[0] = field.type;
  bytes[1] = field.value.length >> 8;
  bytes[2] = field.value.length & 255;
  bytes.set(field.value, 3);
  return bytes;
}

/**
 * The byte for family and transport, and the address block; 0 and nothing when the addresses have no common
 * form.
 */
function encodeAddresses(addresses: ProxyAddresses): [familyByte: number, bytes: Uint8Array] {
  const { source, destination } = addresses;
  if (source.family === "unix" && destination.family === "unix") {
    const block = new Uint8Array(2 * UNIX_PATH_BYTES);
    block.set(unixPath(source), 0);
    block.set(unixPath(destination), UNIX_PATH_BYTES);
    return [0x31, block];
  }
  const pair = ipPair(addresses);
  if (pair === null) return [0, new Uint8Array(0)];
  const ports = Uint8Array.of(
    source.port >> 8,
    source.port & 255,
    destination.port >> 8,
    destination.port & 255,
  );
  return [pair.family === 4 ? 0x11 : 0x21, concatenate([pair.source, pair.destination, ports])];
}

function unixPath(address: SocketAddress): Uint8Array {
  return Uint8Array.from(address.host.slice(0, UNIX_PATH_BYTES), (char) => char.charCodeAt(0) & 255);
}

function ipPair(
  addresses: ProxyAddresses,
): { source: Uint8Array; destination: Uint8Array; family: 4 | 6 } | null {
  const source = parseIpAddress(addresses.source.host);
  const destination = parseIpAddress(addresses.destination.host);
  if (source === null || destination === null) return null;
  if (source.family === destination.family) {
    return { source: source.bytes, destination: destination.bytes, family: source.family };
  }
  return { source: asIpv6(source.bytes), destination: asIpv6(destination.bytes), family: 6 };
}

function asIpv6(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 16) return bytes;
  const mapped = new Uint8Array(16);
  mapped[10] = mapped[11] = 0xff;
  mapped.set(bytes, 12);
  return mapped;
}

function ipText(bytes: Uint8Array, family: 4 | 6): string {
  return formatIpAddress({ kind: "ip", family, bytes });
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
