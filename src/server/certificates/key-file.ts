// Opens the private keys and certificates in the bytes of one file, whatever its format: PEM, PKCS#12, or a
// bare certificate in DER. Knows no paths and no passwords but the one it is given.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { failed, type Result, success } from "../../base/failure.ts";
import { MalformedAsn1, parseAsn1 } from "./asn1.ts";
import { decryptPrivateKeyInfo } from "./password-encryption.ts";
import {
  isCertificateBlock,
  isEncryptedKeyBlock,
  isKeyBlock,
  type PemBlock,
  pemToDer,
  splitPem,
} from "./pem.ts";
import { looksLikePkcs12, openPkcs12 } from "./pkcs12.ts";

export interface KeyFile {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly X509Certificate[];
  /** Of ephemeral Diffie-Hellman; null without them. */
  readonly dhPem?: string | null;
}

export type KeyFileError =
  | { readonly kind: "password-needed" }
  | { readonly kind: "wrong-password" }
  | { readonly kind: "unsupported"; readonly algorithm: string }
  | { readonly kind: "malformed"; readonly reason: string };

/**
 * Opens a file. `password` null means that none is known; files exported with an empty password open all the
 * same.
 */
export function openKeyFile(bytes: Uint8Array, password: string | null): Result<KeyFile, KeyFileError> {
  if (looksLikePkcs12(bytes)) return openPkcs12File(bytes, password);
  const blocks = splitPem(Buffer.from(bytes).toString("latin1"));
  if (blocks.length === 0 && bytes[0] === 0x30) return parseCertificates([bytes], []);
  return openPemFile(blocks, password);
}

/** Whether a file that failed to open with this error would open with another password. */
export function isPasswordError(error: KeyFileError): boolean {
  return error.kind === "password-needed" || error.kind === "wrong-password";
}

function openPkcs12File(bytes: Uint8Array, password: string | null): Result<KeyFile, KeyFileError> {
  let opened = openPkcs12(bytes, password ?? "");
  // A password known for other files must not keep an unprotected one closed.
  if (!opened.ok && opened.error.kind === "wrong-password" && password !== null && password !== "") {
    const unprotected = openPkcs12(bytes, "");
    if (unprotected.ok) opened = unprotected;
  }
  if (!opened.ok) {
    const isUnknown = opened.error.kind === "wrong-password" && password === null;
    return failed(isUnknown ? { kind: "password-needed" } : opened.error);
  }
  const keys: KeyObject[] = [];
  for (const key of opened.value.keys) {
    const parsed = parseKey(Buffer.from(key));
    if (!parsed.ok) return parsed;
    keys.push(parsed.value);
  }
  return parseCertificates(opened.value.certificates, keys);
}

function openPemFile(blocks: readonly PemBlock[], password: string | null): Result<KeyFile, KeyFileError> {
  const keys: KeyObject[] = [];
  for (const block of blocks.filter(isKeyBlock)) {
    const key = openPemKey(block, password);
    if (!key.ok) return key;
    keys.push(key.value);
  }
  const certificates = blocks.filter(isCertificateBlock).map((block) => block.text);
  const parsed = parseCertificates(certificates, keys);
  const dhPem = blocks.find(({ label }) => label === "DH PARAMETERS")?.text ?? null;
  return parsed.ok ? success({ ...parsed.value, dhPem }) : parsed;
}

function parseCertificates(
  encoded: readonly (string | Uint8Array)[],
  keys: readonly KeyObject[],
): Result<KeyFile, KeyFileError> {
  try {
    return success({ keys, certificates: encoded.map((certificate) => new X509Certificate(certificate)) });
  } catch {
    return failed({ kind: "malformed", reason: "a certificate in it is damaged" });
  }
}

function openPemKey(block: PemBlock, password: string | null): Result<KeyObject, KeyFileError> {
  if (!isEncryptedKeyBlock(block)) return parseKey(block.text);
  if (password === null) return failed({ kind: "password-needed" });
  // PKCS#8 goes our way, which knows the old schemes too; OpenSSL's own older format goes OpenSSL's.
  return block.label === "ENCRYPTED PRIVATE KEY"
    ? openPkcs8(pemToDer(block), password)
    : parseKey(block.text, password);
}

function openPkcs8(der: Uint8Array, password: string): Result<KeyObject, KeyFileError> {
  try {
    const key = decryptPrivateKeyInfo(parseAsn1(der), password);
    if (!key.ok) return key;
    const parsed = parseKey(Buffer.from(key.value));
    // A wrong password passes the padding check once in 256 times, and then gives noise.
    return parsed.ok ? parsed : failed({ kind: "wrong-password" });
  } catch (error) {
    if (!(error instanceof MalformedAsn1 || error instanceof RangeError)) throw error;
    return failed({ kind: "malformed", reason: "the private key in it is damaged" });
  }
}

function parseKey(key: string | Buffer, password?: string): Result<KeyObject, KeyFileError> {
  try {
    if (typeof key !== "string") return success(createPrivateKey({ key, format: "der", type: "pkcs8" }));
    return success(createPrivateKey(password === undefined ? key : { key, passphrase: password }));
  } catch {
    // A wrong password passes the padding check once in 256 times, and then the noise is damaged or unknown.
    if (password !== undefined) return failed({ kind: "wrong-password" });
    return failed({
      kind: "malformed",
      reason: "the private key in it is damaged or of a kind that OpenSSL does not know",
    });
  }
}
