// Users of the portal and of the dashboard in a file: one line each, `name:scrypt:N:r:p:salt:hash:role`, salt
// and hash in Base64 for URLs (RFC 7914). The portal asks for no role, and a line may leave it out. A name
// that is not there costs as much as a wrong password.
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { ROLES, type Role } from "../../model/dashboard-api.ts";

interface PasswordHash {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
  /** What he may do in the dashboard. */
  readonly role: Role;
}

/** 64 MiB and about a tenth of a second. */
const COST = 2 ** 16;
const BLOCK_SIZE = 8;
const HASH_BYTES = 32;
/** Of a line: all that stands before the role. */
const HASH_FIELDS = 7;
const MEMORY_MAX = 256 * 2 ** 20;

/** Null for a good one. */
export function userNameFault(name: string): string | null {
  return /^[\w.@-]{1,64}$/.test(name) ? null : "a name has letters, digits and . _ @ - only, 64 at most";
}

/** Whether the file has the user with this password. Throws like node:fs. */
export async function checkPassword(path: string, name: string, password: string): Promise<boolean> {
  const known = readUsers(path).get(name);
  const expected = known ?? NOBODY;
  const actual = await hashWith(expected, password);
  return timingSafeEqual(actual, expected.hash) && known !== undefined;
}

/** Null: there is no such user. Throws like node:fs. */
export function roleOf(path: string, name: string): Role | null {
  return readUsers(path).get(name)?.role ?? null;
}

/**
 * Adds the user, or gives him a new password and, unless null, another role. Throws like node:fs.
 */
export async function setPassword(
  path: string,
  name: string,
  password: string,
  role: Role | null = null,
): Promise<void> {
  const before = readUsers(path).get(name)?.role ?? ROLE_DEFAULT;
  const kept = readLines(path).filter((line) => !line.startsWith(`${name}:`));
  const fresh = { ...NOBODY, salt: randomBytes(16) };
  const hash = await hashWith(fresh, password);
  const line = [
    name,
    "scrypt",
    COST,
    BLOCK_SIZE,
    1,
    fresh.salt.toString("base64url"),
    hash.toString("base64url"),
    role ?? before,
  ].join(":");
  writeLines(path, [...kept, line]);
}

/** Keeps the password. False when there is no such user. Throws like node:fs. */
export function setRole(path: string, name: string, role: Role): boolean {
  const lines = readLines(path);
  const changed = lines.map((line) =>
    line.startsWith(`${name}:`) ? [...line.split(":").slice(0, HASH_FIELDS), role].join(":") : line,
  );
  if (lines.every((line) => !line.startsWith(`${name}:`))) return false;
  writeLines(path, changed);
  return true;
}

/** False when there is no such user. Throws like node:fs. */
export function removeUser(path: string, name: string): boolean {
  const lines = readLines(path);
  const kept = lines.filter((line) => !line.startsWith(`${name}:`));
  if (kept.length === lines.length) return false;
  writeLines(path, kept);
  return true;
}

export function readUsers(path: string): ReadonlyMap<string, PasswordHash> {
  const users = new Map<string, PasswordHash>();
  for (const line of readLines(path)) {
    const [name, scheme, cost, blockSize, parallelization, salt, hash, role] = line.split(":");
    if (name === undefined || scheme !== "scrypt" || hash === undefined) continue;
    const bytes = Buffer.from(hash, "base64url");
    if (bytes.length !== HASH_BYTES) continue;
    users.set(name, {
      cost: Number(cost),
      blockSize: Number(blockSize),
      parallelization: Number(parallelization),
      salt: Buffer.from(salt!, "base64url"),
      hash: bytes,
      role: ROLES.find((one) => one === role) ?? ROLE_DEFAULT,
    });
  }
  return users;
}

const ROLE_DEFAULT: Role = "viewer";

const NOBODY: PasswordHash = {
  cost: COST,
  blockSize: BLOCK_SIZE,
  parallelization: 1,
  salt: Buffer.alloc(16),
  hash: Buffer.alloc(HASH_BYTES),
  role: ROLE_DEFAULT,
};

function hashWith(
  { cost, blockSize, parallelization, salt }: Omit<PasswordHash, "role">,
  password: string,
): Promise<Buffer> {
  const options = { N: cost, r: blockSize, p: parallelization, maxmem: MEMORY_MAX };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, HASH_BYTES, options, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function writeLines(path: string, lines: readonly string[]): void {
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
  renameSync(draft, path);
}
