// Decrypts what a password protects in PKCS#8 and PKCS#12 files: PBES2 (AES, 3DES) and the older PKCS#12
// schemes with 3DES and RC2, which OpenSSL 3 opens only with its legacy provider and IIS still writes.
// Sources: RFC 8018, RFC 7292 appendix B and C. RC2 and the PKCS#12 key derivation come from node-forge, the
// rest from Node's own OpenSSL.
import { createDecipheriv, getCipherInfo, pbkdf2Sync, scryptSync } from "node:crypto";
import forge from "node-forge";
import { failed, type Result, success } from "../../base/failure.ts";
import { type Asn1, childOf, childrenOf, integerOf, MalformedAsn1, octetsOf, oidOf } from "./asn1.ts";

/** Why something protected by a password stays closed. */
export type DecryptionError =
  /** Or the file is damaged: the two look the same. */
  { readonly kind: "wrong-password" } | { readonly kind: "unsupported"; readonly algorithm: string };

/** PKCS#12's own schemes, all with SHA-1: the cipher, and the key's length in bytes. */
const PKCS12_SCHEMES: Readonly<
  Record<string, { readonly cipher: "3des" | "rc2"; readonly keyLength: number }>
> = {
  "1.2.840.113549.1.12.1.3": { cipher: "3des", keyLength: 24 },
  "1.2.840.113549.1.12.1.4": { cipher: "3des", keyLength: 16 },
  "1.2.840.113549.1.12.1.5": { cipher: "rc2", keyLength: 16 },
  "1.2.840.113549.1.12.1.6": { cipher: "rc2", keyLength: 5 },
};

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";
const SCRYPT = "1.3.6.1.4.1.11591.4.11";
/** What `openssl pkcs8 -scrypt -scrypt_N` can ask for; more is a file made to exhaust us. */
const SCRYPT_MEMORY_MAX = 256 * 1024 * 1024;
/** Some 30 seconds of work. Files of today ask for 2 000 to 600 000. */
const ITERATIONS_MAX = 20_000_000;

const PBES2_CIPHERS: Readonly<Record<string, { readonly name: string; readonly keyLength: number }>> = {
  "2.16.840.1.101.3.4.1.2": { name: "aes-128-cbc", keyLength: 16 },
  "2.16.840.1.101.3.4.1.22": { name: "aes-192-cbc", keyLength: 24 },
  "2.16.840.1.101.3.4.1.42": { name: "aes-256-cbc", keyLength: 32 },
  "1.2.840.113549.3.7": { name: "des-ede3-cbc", keyLength: 24 },
};

const PBKDF2_DIGESTS: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.7": "sha1",
  "1.2.840.113549.2.8": "sha224",
  "1.2.840.113549.2.9": "sha256",
  "1.2.840.113549.2.10": "sha384",
  "1.2.840.113549.2.11": "sha512",
};

/**
 * Decrypts `ciphertext` as the AlgorithmIdentifier `algorithm` says. Throws what `asn1.ts` throws when the
 * identifier is malformed.
 */
export function decryptWithPassword(
  algorithm: Asn1,
  ciphertext: Uint8Array,
  password: string,
): Result<Uint8Array, DecryptionError> {
  const oid = oidOf(childOf(algorithm, 0));
  const parameters = childOf(algorithm, 1);
  const scheme = PKCS12_SCHEMES[oid];
  if (scheme !== undefined) return decryptPkcs12Scheme(scheme, parameters, ciphertext, password);
  if (oid === PBES2) return decryptPbes2(parameters, ciphertext, password);
  return failed({ kind: "unsupported", algorithm: oid });
}

/** Decrypts a PKCS#8 EncryptedPrivateKeyInfo to the PrivateKeyInfo in it, in DER. */
export function decryptPrivateKeyInfo(info: Asn1, password: string): Result<Uint8Array, DecryptionError> {
  return decryptWithPassword(childOf(info, 0), octetsOf(childOf(info, 1)), password);
}

/** What a derived key is for (RFC 7292, appendix B.3). */
export type Pkcs12KeyPurpose = "encryption" | "iv" | "mac";
const PURPOSE_NUMBERS: Readonly<Record<Pkcs12KeyPurpose, number>> = { encryption: 1, iv: 2, mac: 3 };

/**
 * The key derivation of RFC 7292, appendix B.2. A null password is the empty byte string, "" is one zero
 * character.
 */
export function derivePkcs12Key(
  digest: "sha1" | "sha256" | "sha384" | "sha512",
  password: string | null,
  salt: Uint8Array,
  purpose: Pkcs12KeyPurpose,
  iterations: number,
  length: number,
): Buffer {
  const saltBytes = forge.util.createBuffer(Buffer.from(salt).toString("latin1"));
  const md = forge.md[digest].create();
  const id = PURPOSE_NUMBERS[purpose] as unknown as forge.Byte;
  const key = forge.pkcs12.generateKey(password, saltBytes, id, checkIterations(iterations), length, md);
  return Buffer.from(key.getBytes(), "latin1");
}

function decryptPkcs12Scheme(
  scheme: { readonly cipher: "3des" | "rc2"; readonly keyLength: number },
  parameters: Asn1,
  ciphertext: Uint8Array,
  password: string,
): Result<Uint8Array, DecryptionError> {
  const salt = octetsOf(childOf(parameters, 0));
  const iterations = integerOf(childOf(parameters, 1));
  // Writers disagree on what an empty password is: RFC 7292 says one zero character, some write no bytes at
  // all.
  for (const form of password === "" ? ["", null] : [password]) {
    const key = derivePkcs12Key("sha1", form, salt, "encryption", iterations, scheme.keyLength);
    const iv = derivePkcs12Key("sha1", form, salt, "iv", iterations, 8);
    const plain =
      scheme.cipher === "rc2" ? decryptRc2(key, iv, ciphertext) : decryptTripleDes(key, iv, ciphertext);
    if (plain !== null) return success(plain);
  }
  return failed({ kind: "wrong-password" });
}

function decryptPbes2(
  parameters: Asn1,
  ciphertext: Uint8Array,
  password: string,
): Result<Uint8Array, DecryptionError> {
  const [derivation, encryption] = [childOf(parameters, 0), childOf(parameters, 1)];
  const cipherOid = oidOf(childOf(encryption, 0));
  const cipher = PBES2_CIPHERS[cipherOid];
  if (cipher === undefined) return failed({ kind: "unsupported", algorithm: cipherOid });
  const key = derivePbes2Key(derivation, password, cipher.keyLength);
  if (!key.ok) return key;
  const plain = decrypt(cipher.name, key.value, octetsOf(childOf(encryption, 1)), ciphertext);
  return plain === null ? failed({ kind: "wrong-password" }) : success(plain);
}

function derivePbes2Key(
  derivation: Asn1,
  password: string,
  keyLength: number,
): Result<Buffer, DecryptionError> {
  const oid = oidOf(childOf(derivation, 0));
  const parameters = childrenOf(childOf(derivation, 1));
  const salt = octetsOf(parameters[0]);
  if (oid === SCRYPT) {
    const [cost, blockSize, parallelization] = [1, 2, 3].map((i) => integerOf(parameters[i]));
    const memory = { N: cost!, r: blockSize!, p: parallelization!, maxmem: SCRYPT_MEMORY_MAX };
    return success(scryptSync(password, salt, keyLength, memory));
  }
  if (oid !== PBKDF2) return failed({ kind: "unsupported", algorithm: oid });
  const iterations = checkIterations(integerOf(parameters[1]));
  // An optional key length may stand before the pseudo-random function, whose default is HMAC-SHA1.
  const last = parameters.at(-1);
  const digestOid = parameters.length > 2 && Array.isArray(last?.value) ? oidOf(childOf(last, 0)) : null;
  const digest = digestOid === null ? "sha1" : PBKDF2_DIGESTS[digestOid];
  if (digest === undefined) return failed({ kind: "unsupported", algorithm: digestOid ?? "" });
  return success(pbkdf2Sync(password, salt, iterations, keyLength, digest));
}

function checkIterations(iterations: number): number {
  if (iterations < 1 || iterations > ITERATIONS_MAX)
    throw new RangeError(`${iterations} iterations of a key derivation`);
  return iterations;
}

function decryptTripleDes(key: Buffer, iv: Buffer, ciphertext: Uint8Array): Uint8Array | null {
  // Two-key 3DES is three-key 3DES whose third key is the first again.
  return decrypt("des-ede3-cbc", Buffer.concat([key, key]).subarray(0, 24), iv, ciphertext);
}

/** Null when the padding is wrong, which is how a wrong key shows. */
function decrypt(cipherName: string, key: Buffer, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | null {
  if (iv.length !== getCipherInfo(cipherName)?.ivLength)
    throw new MalformedAsn1("an initialization vector has the wrong length");
  const decipher = createDecipheriv(cipherName, key, iv);
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    return null;
  }
}

function decryptRc2(key: Buffer, iv: Buffer, ciphertext: Uint8Array): Uint8Array | null {
  const cipher = forge.rc2.createDecryptionCipher(key.toString("latin1"), key.length * 8);
  cipher.start(iv.toString("latin1"));
  cipher.update(forge.util.createBuffer(Buffer.from(ciphertext).toString("latin1")));
  if (ciphertext.length === 0 || ciphertext.length % 8 !== 0 || !cipher.finish()) return null;
  return Buffer.from(cipher.output.getBytes(), "latin1");
}
