// crypt(3) hashes as userlists hold them: MD5 ($1$), SHA-256 ($5$) and SHA-512 ($6$). The algorithms are
// those of Poul-Henning Kamp's md5crypt and of Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512". DES
// and bcrypt are refused.
import { createHash, timingSafeEqual } from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ROUNDS_DEFAULT = 5000;
const ROUNDS_MIN = 1000;
const ROUNDS_MAX = 999_999_999;
const SHA_SALT_LENGTH_MAX = 16;
const MD5_SALT_LENGTH_MAX = 8;
const MD5_ROUNDS = 1000;

/** Why a stored password cannot be used, as a clause; null if it can. */
export function refusePasswordHash(hash: string): string | null {
  if (/^\$(1|5|6)\$/.test(hash)) return null;
  if (/^\$2[abxy]?\$/.test(hash))
    return "bcrypt hashes are not supported, use SHA-256 ($5$) or SHA-512 ($6$)";
  if (/^\$/.test(hash))
    return "this kind of password hash is not supported, use SHA-256 ($5$) or SHA-512 ($6$)";
  return "DES password hashes are not supported, use SHA-256 ($5$) or SHA-512 ($6$), or insecure-password for plain text";
}

/**
 * True if `password` (one character per byte) gives `hash`. Hashes that `refusePasswordHash` refuses never
 * match.
 */
export function verifyPasswordHash(password: string, hash: string): boolean {
  const computed = computeHash(Buffer.from(password, "latin1"), hash);
  return computed !== null && equalConstantTime(computed, hash);
}

/** Compares in a time that tells nothing but whether the lengths agree. */
export function equalConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a, "latin1");
  const right = Buffer.from(b, "latin1");
  return left.length === right.length && timingSafeEqual(left, right);
}

function computeHash(password: Buffer, hash: string): string | null {
  const md5 = /^\$1\$([^$]*)/.exec(hash);
  if (md5 !== null) return md5Crypt(password, md5[1]!.slice(0, MD5_SALT_LENGTH_MAX));
  const sha = /^\$([56])\$(?:rounds=(\d+)\$)?([^$]*)/.exec(hash);
  if (sha === null) return null;
  const rounds = sha[2] === undefined ? null : Math.max(ROUNDS_MIN, Math.min(ROUNDS_MAX, Number(sha[2])));
  return shaCrypt(sha[1] === "5" ? SHA256 : SHA512, password, sha[3]!.slice(0, SHA_SALT_LENGTH_MAX), rounds);
}

function digest(algorithm: string, ...pieces: (Buffer | string)[]): Buffer {
  const hash = createHash(algorithm);
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

/** `source` repeated and cut to `length` bytes. */
function stretch(source: Buffer, length: number): Buffer {
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, source);
}

function md5Crypt(password: Buffer, saltText: string): string {
  const salt = Buffer.from(saltText, "latin1");
  const mixed = digest("md5", password, salt, password);
  const start = createHash("md5")
    .update(password)
    .update("$1$")
    .update(salt)
    .update(stretch(mixed, password.length));
  for (let bits = password.length; bits > 0; bits >>= 1)
    start.update(bits & 1 ? Buffer.of(0) : password.subarray(0, 1));
  let result: Buffer = start.digest();
  for (let round = 0; round < MD5_ROUNDS; round++) result = nextRound("md5", round, result, password, salt);
  return `$1$${saltText}$${encode(result, MD5_ORDER)}`;
}

/** The step that the three algorithms share. */
function nextRound(algorithm: string, round: number, result: Buffer, password: Buffer, salt: Buffer): Buffer {
  const hash = createHash(algorithm);
  hash.update(round & 1 ? password : result);
  if (round % 3 !== 0) hash.update(salt);
  if (round % 7 !== 0) hash.update(password);
  hash.update(round & 1 ? result : password);
  return hash.digest();
}

interface ShaKind {
  readonly algorithm: "sha256" | "sha512";
  readonly prefix: string;
  readonly order: readonly (readonly number[])[];
}

function shaCrypt(kind: ShaKind, password: Buffer, saltText: string, rounds: number | null): string {
  const { algorithm } = kind;
  const salt = Buffer.from(saltText, "latin1");
  const mixed = digest(algorithm, password, salt, password);
  const start = createHash(algorithm).update(password).update(salt).update(stretch(mixed, password.length));
  for (let bits = password.length; bits > 0; bits >>= 1) start.update(bits & 1 ? mixed : password);
  let result: Buffer = start.digest();
  const passwordHash = createHash(algorithm);
  for (let i = 0; i < password.length; i++) passwordHash.update(password);
  const passwordBytes = stretch(passwordHash.digest(), password.length);
  const saltHash = createHash(algorithm);
  for (let i = 0; i < 16 + result[0]!; i++) saltHash.update(salt);
  const saltBytes = stretch(saltHash.digest(), salt.length);
  const count = rounds ?? ROUNDS_DEFAULT;
  for (let round = 0; round < count; round++)
    result = nextRound(algorithm, round, result, passwordBytes, saltBytes);
  const roundsText = rounds === null ? "" : `rounds=${rounds}$`;
  return `${kind.prefix}${roundsText}${saltText}$${encode(result, kind.order)}`;
}

/** Groups of bytes, most significant first, as 6-bit characters from the least significant on. */
function encode(bytes: Buffer, order: readonly (readonly number[])[]): string {
  let text = "";
  for (const group of order) {
    let value = 0;
    for (const index of group) value = (value << 8) | bytes[index]!;
    for (let i = 0; i <= group.length; i++, value >>>= 6) text += ALPHABET[value & 0x3f];
  }
  return text;
}

const MD5_ORDER = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]];

const SHA256: ShaKind = {
  algorithm: "sha256",
  prefix: "$5$",
  order: [
    [0, 10, 20],
    [21, 1, 11],
    [12, 22, 2],
    [3, 13, 23],
    [24, 4, 14],
    [15, 25, 5],
    [6, 16, 26],
    [27, 7, 17],
    [18, 28, 8],
    [9, 19, 29],
    [31, 30],
  ],
};

const SHA512: ShaKind = {
  algorithm: "sha512",
  prefix: "$6$",
  order: [...Array.from({ length: 21 }, (_, i) => rotateLeft([i, i + 21, i + 42], i)), [63]],
};

function rotateLeft(group: readonly number[], by: number): number[] {
  const shift = by % group.length;
  return [...group.slice(shift), ...group.slice(0, shift)];
}
