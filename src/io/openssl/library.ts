// Node's own OpenSSL, reached through node:ffi: the functions that TLS needs, and two memory BIOs that all
// connections of the process share. Sharing works because input is handed over and output taken away within
// one call of ours: no bytes stay in a BIO from one connection to the next. Everything OpenSSL keeps a
// pointer to lies in native memory.
import { failed, failure, type Result, success } from "../../base/failure.ts";
import { type Mapping, type Native, openNative } from "../native.ts";

type Ffi = typeof import("node:ffi");
type Bound<T extends import("node:ffi").FunctionDefinitions> =
  import("node:ffi").WrappedFunctionsFromDefinitions<T>;

// Many of OpenSSL's setters are macros around the *_ctrl functions; see control.ts for their numbers.
const FUNCTIONS = {
  TLS_server_method: { return: "pointer", arguments: [] },
  TLS_client_method: { return: "pointer", arguments: [] },
  SSL_CTX_new: { return: "pointer", arguments: ["pointer"] },
  SSL_CTX_free: { return: "void", arguments: ["pointer"] },
  SSL_CTX_ctrl: { return: "i64", arguments: ["pointer", "i32", "i64", "pointer"] },
  SSL_CTX_callback_ctrl: { return: "i64", arguments: ["pointer", "i32", "pointer"] },
  SSL_CTX_set_options: { return: "u64", arguments: ["pointer", "u64"] },
  SSL_CTX_set_num_tickets: { return: "i32", arguments: ["pointer", "u64"] },
  SSL_CTX_use_certificate: { return: "i32", arguments: ["pointer", "pointer"] },
  SSL_CTX_use_PrivateKey: { return: "i32", arguments: ["pointer", "pointer"] },
  SSL_CTX_check_private_key: { return: "i32", arguments: ["pointer"] },
  SSL_CTX_set_cipher_list: { return: "i32", arguments: ["pointer", "pointer"] },
  SSL_CTX_set_ciphersuites: { return: "i32", arguments: ["pointer", "pointer"] },
  SSL_CTX_set_alpn_protos: { return: "i32", arguments: ["pointer", "pointer", "u32"] },
  SSL_CTX_set_alpn_select_cb: { return: "void", arguments: ["pointer", "pointer", "pointer"] },
  SSL_CTX_set_client_hello_cb: { return: "void", arguments: ["pointer", "pointer", "pointer"] },
  SSL_CTX_set_session_id_context: { return: "i32", arguments: ["pointer", "pointer", "u32"] },
  SSL_CTX_set_verify: { return: "void", arguments: ["pointer", "i32", "pointer"] },
  SSL_CTX_get_cert_store: { return: "pointer", arguments: ["pointer"] },
  SSL_CTX_add_client_CA: { return: "i32", arguments: ["pointer", "pointer"] },
  SSL_CTX_sess_set_new_cb: { return: "void", arguments: ["pointer", "pointer"] },
  SSL_CTX_sess_set_get_cb: { return: "void", arguments: ["pointer", "pointer"] },
  SSL_CTX_sess_set_remove_cb: { return: "void", arguments: ["pointer", "pointer"] },
  SSL_CTX_set_timeout: { return: "i64", arguments: ["pointer", "i64"] },
  SSL_SESSION_get_id: { return: "pointer", arguments: ["pointer", "pointer"] },
  i2d_SSL_SESSION: { return: "i32", arguments: ["pointer", "pointer"] },
  d2i_SSL_SESSION: { return: "pointer", arguments: ["pointer", "pointer", "i64"] },
  X509_STORE_add_cert: { return: "i32", arguments: ["pointer", "pointer"] },
  X509_STORE_add_crl: { return: "i32", arguments: ["pointer", "pointer"] },
  X509_STORE_set_flags: { return: "i32", arguments: ["pointer", "u64"] },
  X509_free: { return: "void", arguments: ["pointer"] },
  X509_CRL_free: { return: "void", arguments: ["pointer"] },
  EVP_PKEY_free: { return: "void", arguments: ["pointer"] },
  PEM_read_bio_X509: { return: "pointer", arguments: ["pointer", "pointer", "pointer", "pointer"] },
  PEM_read_bio_X509_CRL: { return: "pointer", arguments: ["pointer", "pointer", "pointer", "pointer"] },
  PEM_read_bio_PrivateKey: { return: "pointer", arguments: ["pointer", "pointer", "pointer", "pointer"] },
  PEM_read_bio_Parameters: { return: "pointer", arguments: ["pointer", "pointer"] },
  SSL_CTX_set0_tmp_dh_pkey: { return: "i32", arguments: ["pointer", "pointer"] },
  SSL_new: { return: "pointer", arguments: ["pointer"] },
  SSL_free: { return: "void", arguments: ["pointer"] },
  SSL_set_bio: { return: "void", arguments: ["pointer", "pointer", "pointer"] },
  SSL_set_accept_state: { return: "void", arguments: ["pointer"] },
  SSL_set_connect_state: { return: "void", arguments: ["pointer"] },
  SSL_do_handshake: { return: "i32", arguments: ["pointer"] },
  SSL_read: { return: "i32", arguments: ["pointer", "pointer", "i32"] },
  SSL_write: { return: "i32", arguments: ["pointer", "pointer", "i32"] },
  SSL_shutdown: { return: "i32", arguments: ["pointer"] },
  SSL_pending: { return: "i32", arguments: ["pointer"] },
  SSL_get_error: { return: "i32", arguments: ["pointer", "i32"] },
  SSL_ctrl: { return: "i64", arguments: ["pointer", "i32", "i64", "pointer"] },
  SSL_set_SSL_CTX: { return: "pointer", arguments: ["pointer", "pointer"] },
  SSL_client_hello_get0_ext: { return: "i32", arguments: ["pointer", "u32", "pointer", "pointer"] },
  SSL_CTX_get_verify_mode: { return: "i32", arguments: ["pointer"] },
  SSL_CTX_get_verify_callback: { return: "pointer", arguments: ["pointer"] },
  SSL_set_verify: { return: "void", arguments: ["pointer", "i32", "pointer"] },
  SSL_CTX_get_client_CA_list: { return: "pointer", arguments: ["pointer"] },
  SSL_dup_CA_list: { return: "pointer", arguments: ["pointer"] },
  SSL_set_client_CA_list: { return: "void", arguments: ["pointer", "pointer"] },
  X509_STORE_CTX_get_error: { return: "i32", arguments: ["pointer"] },
  X509_STORE_CTX_get_error_depth: { return: "i32", arguments: ["pointer"] },
  SSL_get_version: { return: "pointer", arguments: ["pointer"] },
  SSL_get_current_cipher: { return: "pointer", arguments: ["pointer"] },
  SSL_CIPHER_get_name: { return: "pointer", arguments: ["pointer"] },
  SSL_get_servername: { return: "pointer", arguments: ["pointer", "i32"] },
  SSL_get0_alpn_selected: { return: "void", arguments: ["pointer", "pointer", "pointer"] },
  SSL_session_reused: { return: "i32", arguments: ["pointer"] },
  SSL_get0_peer_certificate: { return: "pointer", arguments: ["pointer"] },
  SSL_get_peer_cert_chain: { return: "pointer", arguments: ["pointer"] },
  SSL_get_certificate: { return: "pointer", arguments: ["pointer"] },
  OPENSSL_sk_num: { return: "i32", arguments: ["pointer"] },
  OPENSSL_sk_value: { return: "pointer", arguments: ["pointer", "i32"] },
  SSL_get_verify_result: { return: "i64", arguments: ["pointer"] },
  SSL_get0_param: { return: "pointer", arguments: ["pointer"] },
  SSL_set_session: { return: "i32", arguments: ["pointer", "pointer"] },
  SSL_SESSION_free: { return: "void", arguments: ["pointer"] },
  X509_VERIFY_PARAM_set1_host: { return: "i32", arguments: ["pointer", "pointer", "u64"] },
  X509_VERIFY_PARAM_set1_ip_asc: { return: "i32", arguments: ["pointer", "pointer"] },
  X509_verify_cert_error_string: { return: "pointer", arguments: ["i64"] },
  i2d_X509: { return: "i32", arguments: ["pointer", "pointer"] },
  BIO_new: { return: "pointer", arguments: ["pointer"] },
  BIO_s_mem: { return: "pointer", arguments: [] },
  BIO_new_mem_buf: { return: "pointer", arguments: ["pointer", "i32"] },
  BIO_free: { return: "i32", arguments: ["pointer"] },
  BIO_up_ref: { return: "i32", arguments: ["pointer"] },
  BIO_ctrl: { return: "i64", arguments: ["pointer", "i32", "i64", "pointer"] },
  BIO_read: { return: "i32", arguments: ["pointer", "pointer", "i32"] },
  BIO_write: { return: "i32", arguments: ["pointer", "pointer", "i32"] },
  ERR_get_error: { return: "u64", arguments: [] },
  ERR_peek_error: { return: "u64", arguments: [] },
  ERR_reason_error_string: { return: "pointer", arguments: ["u64"] },
  ERR_clear_error: { return: "void", arguments: [] },
} as const;

export type OpenSslFunctions = Bound<typeof FUNCTIONS>;

const BIO_C_GET_BUF_MEM_PTR = 115;
const BIO_C_SET_BUF_MEM_EOF_RETURN = 130;
const WORD = 4294967296;
const TEXT_BYTES = 4 * 1024 * 1024;
/** Plain bytes gathered for one record. */
export const GATHER_BYTES = 16384;

let opened: Result<OpenSsl> | null = null;

/** OpenSSL, bound at the first call. Fails where the process does not show its symbols. */
export function openOpenSsl(): Result<OpenSsl> {
  opened ??= bindOpenSsl();
  return opened;
}

function bindOpenSsl(): Result<OpenSsl> {
  const native = openNative();
  if (!native.ok) return native;
  const unusable = (why: string) =>
    failed(failure("unsupported", "proxy", `OpenSSL cannot be used through node:ffi: ${why}`));
  try {
    const library = native.value.ffi.dlopen(null, FUNCTIONS);
    const openSsl = new OpenSsl(native.value, library.functions, library.lib);
    return openSsl.isSound() ? success(openSsl) : unusable("its memory BIOs are not as expected");
  } catch (error) {
    return unusable((error as Error).message);
  }
}

export interface SessionReceiver {
  rememberSession(session: bigint): boolean;
}

export class OpenSsl {
  readonly native: Native;
  readonly ffi: Ffi;
  readonly calls: OpenSslFunctions;
  readonly library: InstanceType<Ffi["DynamicLibrary"]>;
  /** A place to gather small pieces for one record. */
  readonly gather: Mapping;
  readonly gatherBytes: Uint8Array;
  /** Where OpenSSL stores results: three pointers. */
  readonly results: Mapping;
  readonly resultWords: BigUint64Array;
  /** TLS connections that have not been freed. */
  sessionCount = 0;
  /** Our own certificates by their X509, which live as long as the process does: each is encoded once. */
  readonly ownCertificates: Map<bigint, Uint8Array> = new Map();
  /** The connection at work: what OpenSSL calls back belongs to it. */
  receiver: SessionReceiver | null = null;
  readonly #constants = new Map<bigint, string>();
  readonly #input: bigint;
  readonly #output: bigint;
  /** `struct buf_mem_st { size_t length; char *data; size_t max; ... }` of the two BIOs. */
  readonly #inputWords: Uint32Array;
  readonly #outputWords: Uint32Array;
  readonly #text: Mapping;
  readonly #textBytes: Uint8Array;

  constructor(native: Native, calls: OpenSslFunctions, library: InstanceType<Ffi["DynamicLibrary"]>) {
    this.native = native;
    this.ffi = native.ffi;
    this.calls = calls;
    this.library = library;
    this.gather = native.map(GATHER_BYTES);
    this.gatherBytes = new Uint8Array(this.gather.buffer);
    this.results = native.map(4096);
    this.resultWords = new BigUint64Array(this.results.buffer);
    this.#text = native.map(TEXT_BYTES);
    this.#textBytes = new Uint8Array(this.#text.buffer);
    // A BIO over given memory is read in place: input costs neither a call nor a copy, only three stores.
    this.#input = calls.BIO_new_mem_buf(this.gather.pointer, 0);
    this.#output = calls.BIO_new(calls.BIO_s_mem());
    for (const bio of [this.#input, this.#output]) calls.BIO_ctrl(bio, BIO_C_SET_BUF_MEM_EOF_RETURN, -1n, 0n);
    this.#inputWords = this.#bufferWords(this.#input);
    this.#outputWords = this.#bufferWords(this.#output);
  }

  /** Makes `length` bytes at `address` the input of the next calls. They must stay as they are meanwhile. */
  setInput(address: number, length: number): void {
    const words = this.#inputWords;
    words[0] = length;
    words[2] = address;
    words[3] = address / WORD;
    words[4] = length;
  }

  /** Bytes of the input that no call has taken yet. */
  get inputLength(): number {
    return this.#inputWords[0]!;
  }

  get outputLength(): number {
    return this.#outputWords[0]!;
  }

  /** Moves all output, `outputLength` bytes, to `pointer`. */
  takeOutput(pointer: bigint): void {
    const length = this.#outputWords[0]!;
    this.calls.BIO_read(this.#output, pointer, length);
    // Reading leaves the length as it was until the next write; zero lets us tell that there was none.
    this.#outputWords[0] = 0;
  }

  dropOutput(): void {
    while (this.calls.BIO_read(this.#output, this.gather.pointer, GATHER_BYTES) > 0);
    this.#outputWords[0] = 0;
  }

  /** Gives an SSL the two BIOs. It takes over a reference to each. */
  attachBios(ssl: bigint): void {
    this.calls.BIO_up_ref(this.#input);
    this.calls.BIO_up_ref(this.#output);
    this.calls.SSL_set_bio(ssl, this.#input, this.#output);
  }

  /**
   * A zero-terminated copy of the text, valid until the next call of this function. Texts have at most 4 MiB.
   */
  text(value: string): { readonly pointer: bigint; readonly length: number } {
    const bytes = Buffer.from(value);
    if (bytes.length >= TEXT_BYTES) throw new RangeError("the text has more than 4 MiB");
    this.#textBytes.set(bytes);
    this.#textBytes[bytes.length] = 0;
    return { pointer: this.#text.pointer, length: bytes.length };
  }

  string(pointer: bigint): string {
    return pointer === 0n ? "" : (this.ffi.toString(pointer) ?? "");
  }

  /** Like `string`, for texts that never change: names of ciphers and versions. */
  constantString(pointer: bigint): string {
    let text = this.#constants.get(pointer);
    if (text === undefined) {
      text = this.string(pointer);
      this.#constants.set(pointer, text);
    }
    return text;
  }

  /**
   * The text of the oldest error in OpenSSL's queue, which is emptied: no later call may take it for its own.
   */
  takeError(): string {
    const code = this.calls.ERR_get_error();
    const reason = code === 0n ? "" : this.string(this.calls.ERR_reason_error_string(code));
    this.calls.ERR_clear_error();
    return reason === "" ? "unknown error" : reason;
  }

  /** Checks that the BIOs behave as this file supposes, before any peer's bytes go through them. */
  isSound(): boolean {
    const { calls, gather, gatherBytes, results } = this;
    gatherBytes.set([1, 2, 3, 4, 5]);
    this.setInput(gather.address + 1, 3);
    const bytes = new Uint8Array(results.buffer);
    const taken = calls.BIO_read(this.#input, results.pointer, 2);
    if (taken !== 2 || bytes[0] !== 2 || bytes[1] !== 3 || this.inputLength !== 1) return false;
    if (
      calls.BIO_read(this.#input, results.pointer, 9) !== 1 ||
      calls.BIO_read(this.#input, results.pointer, 9) !== -1
    )
      return false;
    for (const length of [5, 3]) {
      calls.BIO_write(this.#output, gather.pointer, length);
      if (this.outputLength !== length) return false;
      this.takeOutput(results.pointer);
      if (bytes[length - 1] !== length || this.outputLength !== 0) return false;
    }
    return true;
  }

  #bufferWords(bio: bigint): Uint32Array {
    this.calls.BIO_ctrl(bio, BIO_C_GET_BUF_MEM_PTR, 0n, this.results.pointer);
    return new Uint32Array(this.ffi.toArrayBuffer(this.resultWords[0]!, 24, false));
  }
}
