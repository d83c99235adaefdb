// Opens PKCS#12 files (.pfx, .p12; RFC 7292) as Windows, OpenSSL and Java write them. It takes out keys and
// certificates as they are, in DER; which belongs to which is not its business. node-forge's own PKCS#12
// reader is not used because it knows RSA keys only and spells passwords beyond ASCII wrongly for AES.
import { createHmac, timingSafeEqual } from "node:crypto";
import { failed, type Result, success } from "../../base/failure.ts";
import {
  type Asn1,
  childOf,
  childrenOf,
  integerOf,
  MalformedAsn1,
  octetsOf,
  oidOf,
  parseAsn1,
  toDer,
} from "./asn1.ts";
import {
  type DecryptionError,
  decryptPrivateKeyInfo,
  decryptWithPassword,
  derivePkcs12Key,
} from "./password-encryption.ts";

export interface Pkcs12Contents {
  /** PKCS#8 PrivateKeyInfo in DER, in the file's order. */
  readonly keys: readonly Uint8Array[];
  /** X.509 in DER, in the file's order. */
  readonly certificates: readonly Uint8Array[];
}

export type Pkcs12Error = DecryptionError | { readonly kind: "malformed"; readonly reason: string };

const DATA = "1.2.840.113549.1.7.1";
const ENCRYPTED_DATA = "1.2.840.113549.1.7.6";
const KEY_BAG = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3";
const SAFE_CONTENTS_BAG = "1.2.840.113549.1.12.10.1.6";
const X509_CERTIFICATE = "1.2.840.113549.1.9.22.1";
/** Bags within bags: nobody nests them, so this only bounds a hostile file. */
const NESTING_MAX = 4;

const MAC_DIGESTS: Readonly<Record<string, "sha1" | "sha256" | "sha384" | "sha512">> = {
  "1.3.14.3.2.26": "sha1",
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};
const MAC_LENGTHS = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 } as const;

/** Whether bytes can be a PKCS#12 file: a sequence that begins with the version 3. */
export function looksLikePkcs12(bytes: Uint8Array): boolean {
  try {
    const version = childOf(parseAsn1(bytes), 0);
    return integerOf(version) === 3;
  } catch {
    return false;
  }
}

/** Opens a file. "" is a password too, and the one of files exported without. */
export function openPkcs12(bytes: Uint8Array, password: string): Result<Pkcs12Contents, Pkcs12Error> {
  try {
    const file = parseAsn1(bytes);
    const content = childOf(file, 1);
    if (oidOf(childOf(content, 0)) !== DATA)
      return failed({ kind: "unsupported", algorithm: oidOf(childOf(content, 0)) });
    const safes = octetsOf(childOf(childOf(content, 1), 0));
    const mac = childrenOf(file)[2];
    if (mac !== undefined && !verifyMac(mac, safes, password)) return failed({ kind: "wrong-password" });
    return collectSafes(parseAsn1(safes), password);
  } catch (error) {
    if (error instanceof MalformedAsn1 || error instanceof RangeError)
      return failed({ kind: "malformed", reason: error.message });
    throw error;
  }
}

/**
 * Whether the file's MAC agrees. True also for a MAC of an unknown kind (PBMAC1): what it would tell, the
 * decryption tells too.
 */
function verifyMac(mac: Asn1, content: Uint8Array, password: string): boolean {
  const digestInfo = childOf(mac, 0);
  const digest = MAC_DIGESTS[oidOf(childOf(childOf(digestInfo, 0), 0))];
  if (digest === undefined) return true;
  const expected = octetsOf(childOf(digestInfo, 1));
  const salt = octetsOf(childOf(mac, 1));
  const iterationsNode = childrenOf(mac)[2];
  const iterations = iterationsNode === undefined ? 1 : integerOf(iterationsNode);
  return (password === "" ? ["", null] : [password]).some((form) => {
    const key = derivePkcs12Key(digest, form, salt, "mac", iterations, MAC_LENGTHS[digest]);
    const found = createHmac(digest, key).update(content).digest();
    return found.length === expected.length && timingSafeEqual(found, expected);
  });
}

interface Collection {
  readonly keys: Uint8Array[];
  readonly certificates: Uint8Array[];
}

function collectSafes(safes: Asn1, password: string): Result<Pkcs12Contents, Pkcs12Error> {
  const collection: Collection = { keys: [], certificates: [] };
  for (const safe of childrenOf(safes)) {
    const plain = openSafe(safe, password);
    if (!plain.ok) return plain;
    if (isEncrypted(safe) && !isAsn1(plain.value)) return failed({ kind: "wrong-password" });
    const error = collectBags(parseAsn1(plain.value), password, collection, 0);
    if (error !== null) return failed(error);
  }
  return success(collection);
}

function openSafe(safe: Asn1, password: string): Result<Uint8Array, Pkcs12Error> {
  const type = oidOf(childOf(safe, 0));
  const content = childOf(childOf(safe, 1), 0);
  if (type === DATA) return success(octetsOf(content));
  if (type !== ENCRYPTED_DATA) return failed({ kind: "unsupported", algorithm: type });
  const encrypted = childOf(content, 1);
  return decryptWithPassword(childOf(encrypted, 1), octetsOf(childOf(encrypted, 2)), password);
}

function isEncrypted(safe: Asn1): boolean {
  return oidOf(childOf(safe, 0)) === ENCRYPTED_DATA;
}

/** A wrong password passes the padding check once in 256 times, and then gives noise. */
function isAsn1(plain: Uint8Array): boolean {
  try {
    parseAsn1(plain);
    return true;
  } catch {
    return false;
  }
}

function collectBags(
  bags: Asn1,
  password: string,
  collection: Collection,
  depth: number,
): Pkcs12Error | null {
  if (depth > NESTING_MAX) return { kind: "malformed", reason: "bags are nested too deeply" };
  for (const bag of childrenOf(bags)) {
    const value = childOf(childOf(bag, 1), 0);
    const error = collectBag(oidOf(childOf(bag, 0)), value, password, collection, depth);
    if (error !== null) return error;
  }
  return null;
}

function collectBag(
  type: string,
  value: Asn1,
  password: string,
  collection: Collection,
  depth: number,
): Pkcs12Error | null {
  if (type === SAFE_CONTENTS_BAG) return collectBags(value, password, collection, depth + 1);
  if (type === CERTIFICATE_BAG) {
    // Other kinds of certificate (SDSI) and of bag (revocation lists, secrets) are of no use to TLS.
    if (oidOf(childOf(value, 0)) === X509_CERTIFICATE)
      collection.certificates.push(octetsOf(childOf(childOf(value, 1), 0)));
  } else if (type === SHROUDED_KEY_BAG) {
    const key = decryptPrivateKeyInfo(value, password);
    if (!key.ok) return key.error;
    if (!isAsn1(key.value)) return { kind: "wrong-password" };
    collection.keys.push(key.value);
  } else if (type === KEY_BAG) {
    collection.keys.push(toDer(value));
  }
  return null;
}
