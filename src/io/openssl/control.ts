// The numbers behind OpenSSL's macros, from the public headers ssl.h, tls1.h, x509_vfy.h of OpenSSL 3.

export const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
export const SSL_CTRL_MODE = 33;
export const SSL_CTRL_SET_SESS_CACHE_MODE = 44;
export const SSL_CTRL_SET_TLSEXT_SERVERNAME_CB = 53;
export const SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG = 54;
export const SSL_CTRL_SET_TLSEXT_TICKET_KEYS = 59;
export const SSL_CTRL_CHAIN_CERT = 89;
export const SSL_CTRL_SET_GROUPS_LIST = 92;
export const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
export const SSL_CTRL_SET_MAX_PROTO_VERSION = 124;

export const SSL_OP_IGNORE_UNEXPECTED_EOF: bigint = 1n << 7n;
export const SSL_OP_NO_TICKET: bigint = 1n << 14n;
export const SSL_OP_NO_COMPRESSION: bigint = 1n << 17n;
export const SSL_OP_CIPHER_SERVER_PREFERENCE: bigint = 1n << 22n;
export const SSL_OP_NO_RENEGOTIATION: bigint = 1n << 30n;

export const SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER = 2n;
export const SSL_MODE_AUTO_RETRY = 4n;
export const SSL_MODE_RELEASE_BUFFERS = 16n;

export const SSL_SESS_CACHE_OFF = 0n;
/** Of servers, looked up by callbacks alone, and never cleared by OpenSSL. */
export const SSL_SESS_CACHE_SERVER_EXTERNAL = 0x0382n;
export const SSL_SESS_CACHE_CLIENT_NO_INTERNAL = 0x0301n;

export const SSL_VERIFY_PEER = 1;
export const SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;

export const SSL_ERROR_WANT_READ = 2;
export const SSL_ERROR_ZERO_RETURN = 6;

export const SSL_TLSEXT_ERR_OK = 0;
export const SSL_TLSEXT_ERR_ALERT_FATAL = 2;
export const SSL_TLSEXT_ERR_NOACK = 3;
export const SSL_CLIENT_HELLO_ERROR = 0;
export const SSL_CLIENT_HELLO_SUCCESS = 1;
export const TLSEXT_TYPE_SERVER_NAME = 0;
export const TLSEXT_NAMETYPE_HOST_NAME = 0;
export const ALERT_UNRECOGNIZED_NAME = 112;

export const X509_V_FLAG_CRL_CHECK = 4n;
export const X509_V_FLAG_CRL_CHECK_ALL = 8n;

export const PROTOCOL_NUMBERS = {
  "TLSv1.0": 0x0301n,
  "TLSv1.1": 0x0302n,
  "TLSv1.2": 0x0303n,
  "TLSv1.3": 0x0304n,
} as const;
