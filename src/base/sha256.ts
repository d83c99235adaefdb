// SHA-256, by Node's own OpenSSL as a foreign function: to load node:crypto takes as long as a third
// of Node's start, and each call of the command line that names devices needs the hash.

type Digest = (bytes: Uint8Array) => Uint8Array;

const DIGEST_BYTES = 32;

let digest: Digest | null = null;

/** 64 hexadecimal digits, of bytes or of a text in UTF-8 (FIPS 180-4). */
export function sha256(data: string | Uint8Array): string {
  digest ??= foreignDigest() ?? nodeDigest;
  return Buffer.from(digest(typeof data === "string" ? Buffer.from(data) : data)).toString("hex");
}

/** Null where foreign functions cannot be called, or Node was built without its own OpenSSL. */
function foreignDigest(): Digest | null {
  try {
    const { dlopen } = process.getBuiltinModule("node:ffi");
    const { SHA256 } = dlopen(null, {
      SHA256: { return: "pointer", arguments: ["pointer", "u64", "pointer"] },
    }).functions;
    return (bytes) => {
      const result = new Uint8Array(DIGEST_BYTES);
      SHA256(bytes, BigInt(bytes.length), result);
      return result;
    };
  } catch {
    return null;
  }
}

function nodeDigest(bytes: Uint8Array): Uint8Array {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(bytes).digest();
}
