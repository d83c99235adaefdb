// What a PROXY header says, apart from how it is written. Source: HAProxy's "The PROXY protocol", versions 1
// & 2.
import type { SocketAddress } from "../../base/address.ts";

export interface ProxyHeader {
  readonly version: 1 | 2;
  /**
   * Null: the sender speaks for itself or does not know (LOCAL, UNKNOWN, AF_UNSPEC): use the socket's
   * addresses.
   */
  readonly addresses: ProxyAddresses | null;
  readonly isDatagram: boolean;
  /**
   * Additional fields in the order they came, those that are decoded in `facts` included. Always empty in
   * version 1.
   */
  readonly fields: readonly ProxyField[];
  readonly facts: ProxyFacts;
}

export interface ProxyAddresses {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
}

/** A type-length-value field of version 2. */
export interface ProxyField {
  /** 0..255. */
  readonly type: number;
  /** At most 65535 bytes. */
  readonly value: Uint8Array;
}

export interface ProxyFacts {
  /** Protocol negotiated by ALPN, such as "h2"; null when not said. */
  readonly alpn: string | null;
  /** The host name that the client asked for (SNI). */
  readonly authority: string | null;
  /** At most 128 bytes. */
  readonly uniqueId: Uint8Array | null;
  readonly ssl: ProxySslFacts | null;
  readonly networkNamespace: string | null;
}

export interface ProxySslFacts {
  /** The client came over TLS. */
  readonly isTls: boolean;
  /** It presented a certificate on this connection, or at least once in its session. */
  readonly hasCertificate: boolean;
  readonly hadCertificate: boolean;
  /** 0: the certificate was verified successfully (or there was none). */
  readonly verifyResult: number;
  /** "TLSv1.3". */
  readonly version: string | null;
  readonly commonName: string | null;
  readonly cipher: string | null;
  readonly signatureAlgorithm: string | null;
  readonly keyAlgorithm: string | null;
}

export const FIELD_ALPN = 0x01;
export const FIELD_AUTHORITY = 0x02;
export const FIELD_CRC32C = 0x03;
export const FIELD_NOOP = 0x04;
export const FIELD_UNIQUE_ID = 0x05;
export const FIELD_SSL = 0x20;
export const FIELD_SSL_VERSION = 0x21;
export const FIELD_SSL_COMMON_NAME = 0x22;
export const FIELD_SSL_CIPHER = 0x23;
export const FIELD_SSL_SIGNATURE_ALGORITHM = 0x24;
export const FIELD_SSL_KEY_ALGORITHM = 0x25;
export const FIELD_NETWORK_NAMESPACE = 0x30;

export const SSL_CLIENT_TLS = 0x01;
export const SSL_CLIENT_CERTIFICATE_CONNECTION = 0x02;
export const SSL_CLIENT_CERTIFICATE_SESSION = 0x04;

/** Opens every header of version 2. */
export const SIGNATURE: Uint8Array = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);
/** The longest header of version 1, CRLF included. */
export const VERSION_1_BYTES_MAX = 107;
/** The longest header of version 2 that is read: what fits into one of HAProxy's buffers. */
export const VERSION_2_BYTES_MAX = 16384;
/** Signature, command, family, length. */
export const VERSION_2_FIXED_BYTES = 16;
/** Bytes of a path in an AF_UNIX address. */
export const UNIX_PATH_BYTES = 108;
