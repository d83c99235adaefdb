// The 64-bit hashes of the xxHash family over strings of bytes, XXH64 and XXH3, as its specification has them
// (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). They count in BigInt, some microseconds a hash: no
// configuration pays for them that does not name them.

/** As HAProxy gives them: signed. */
export function xxh64(text: string, seed: bigint): bigint {
  const bytes = Buffer.from(text, "latin1");
  const length = bytes.length;
  let at = 0;
  let hash: bigint;
  if (length >= 32) {
    const lanes = [wrap(seed + PRIME1 + PRIME2), wrap(seed + PRIME2), wrap(seed), wrap(seed - PRIME1)];
    for (; at + 32 <= length; at += 32) {
      for (let lane = 0; lane < 4; lane++)
        lanes[lane] = round64(lanes[lane]!, bytes.readBigUInt64LE(at + lane * 8));
    }
    const [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint];
    hash = wrap(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
    for (const lane of lanes) hash = wrap((hash ^ round64(0n, lane)) * PRIME1 + PRIME4);
  } else hash = wrap(seed + PRIME5);
  hash = wrap(hash + BigInt(length));
  for (; at + 8 <= length; at += 8)
    hash = wrap(rotate(hash ^ round64(0n, bytes.readBigUInt64LE(at)), 27n) * PRIME1 + PRIME4);
  for (; at + 4 <= length; at += 4) {
    hash ^= wrap(BigInt(bytes.readUInt32LE(at)) * PRIME1);
    hash = wrap(rotate(hash, 23n) * PRIME2 + PRIME3);
  }
  for (; at < length; at++) hash = wrap(rotate(hash ^ wrap(BigInt(bytes[at]!) * PRIME5), 11n) * PRIME1);
  return BigInt.asIntN(64, avalanche64(hash));
}

/** The 64-bit variant; signed. */
export function xxh3(text: string, seed: bigint): bigint {
  const bytes = Buffer.from(text, "latin1");
  return BigInt.asIntN(64, hash3(bytes, wrap(seed)));
}

const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;
const PRIME32_1 = 0x9e3779b1n;
const PRIME32_2 = 0x85ebca77n;
const PRIME32_3 = 0xc2b2ae3dn;
const PRIME_MX1 = 0x165667919e3779f9n;
const PRIME_MX2 = 0x9fb21c651e98df25n;

/** The specification's default secret. */
const SECRET = Buffer.from(
  "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f7" +
    "43248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dc" +
    "bbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4" +
    "689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e",
  "hex",
);
const STRIPE = 64;
const STRIPES_PER_BLOCK = (SECRET.length - STRIPE) / 8;

function hash3(bytes: Buffer, seed: bigint): bigint {
  const length = bytes.length;
  if (length === 0) return avalanche64(seed ^ secret(56) ^ secret(64));
  if (length <= 3) return ofFewBytes(bytes, seed);
  if (length <= 8) return ofHalves(bytes, seed);
  if (length <= 16) return ofTwoWords(bytes, seed);
  if (length <= 128) return ofMirroredPairs(bytes, seed);
  return length <= 240 ? ofMiddle(bytes, seed) : ofStripes(bytes, seed);
}

function ofFewBytes(bytes: Buffer, seed: bigint): bigint {
  const { length } = bytes;
  const [first, middle, last] = [bytes[0]!, bytes[length >> 1]!, bytes[length - 1]!];
  const combined = BigInt(((first << 16) | (middle << 24) | last | (length << 8)) >>> 0);
  const flip = wrap(BigInt((SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) >>> 0) + seed);
  return avalanche64(combined ^ flip);
}

function ofHalves(bytes: Buffer, seed: bigint): bigint {
  const { length } = bytes;
  const low = seed & 0xffffffffn;
  const mixedSeed = seed ^ (swap(low << 32n) << 32n);
  const flip = wrap((secret(8) ^ secret(16)) - mixedSeed);
  let hash = (BigInt(bytes.readUInt32LE(length - 4)) + (BigInt(bytes.readUInt32LE(0)) << 32n)) ^ flip;
  hash ^= rotate(hash, 49n) ^ rotate(hash, 24n);
  hash = wrap(hash * PRIME_MX2);
  hash ^= (hash >> 35n) + BigInt(length);
  hash = wrap(hash * PRIME_MX2);
  return hash ^ (hash >> 28n);
}

function ofTwoWords(bytes: Buffer, seed: bigint): bigint {
  const low = bytes.readBigUInt64LE(0) ^ wrap((secret(24) ^ secret(32)) + seed);
  const high = bytes.readBigUInt64LE(bytes.length - 8) ^ wrap((secret(40) ^ secret(48)) - seed);
  return avalanche3(wrap(BigInt(bytes.length) + swap(low) + high + fold(low, high)));
}

/** Pairs from both ends inwards, as many as there are. */
function ofMirroredPairs(bytes: Buffer, seed: bigint): bigint {
  const { length } = bytes;
  let sum = BigInt(length) * PRIME1;
  for (let pair = Math.floor((length - 1) / 32); pair >= 0; pair--) {
    sum += mix16(bytes, pair * 16, pair * 32, seed);
    sum += mix16(bytes, length - 16 * (pair + 1), pair * 32 + 16, seed);
  }
  return avalanche3(wrap(sum));
}

function ofMiddle(bytes: Buffer, seed: bigint): bigint {
  const { length } = bytes;
  let sum = BigInt(length) * PRIME1;
  for (let i = 0; i < 8; i++) sum += mix16(bytes, i * 16, i * 16, seed);
  sum = avalanche3(wrap(sum));
  for (let i = 8; i < Math.floor(length / 16); i++) sum += mix16(bytes, i * 16, (i - 8) * 16 + 3, seed);
  return avalanche3(wrap(sum + mix16(bytes, length - 16, 136 - 17, seed)));
}

function ofStripes(bytes: Buffer, seed: bigint): bigint {
  const { length } = bytes;
  const key = secretOf(seed);
  const sums = [PRIME32_3, PRIME1, PRIME2, PRIME3, PRIME4, PRIME32_2, PRIME5, PRIME32_1];
  const stripes = Math.floor((length - 1) / STRIPE);
  for (let i = 0; i < stripes; i++) {
    addStripe(sums, bytes, i * STRIPE, key, (i % STRIPES_PER_BLOCK) * 8);
    if (i % STRIPES_PER_BLOCK === STRIPES_PER_BLOCK - 1) scramble(sums, key);
  }
  addStripe(sums, bytes, length - STRIPE, key, key.length - STRIPE - 7);
  let hash = BigInt(length) * PRIME1;
  for (let i = 0; i < 4; i++)
    hash += fold(
      sums[2 * i]! ^ key.readBigUInt64LE(11 + 16 * i),
      sums[2 * i + 1]! ^ key.readBigUInt64LE(19 + 16 * i),
    );
  return avalanche3(wrap(hash));
}

function addStripe(sums: bigint[], bytes: Buffer, at: number, key: Buffer, keyAt: number): void {
  for (let i = 0; i < 8; i++) {
    const value = bytes.readBigUInt64LE(at + 8 * i);
    const keyed = value ^ key.readBigUInt64LE(keyAt + 8 * i);
    sums[i ^ 1] = wrap(sums[i ^ 1]! + value);
    sums[i] = wrap(sums[i]! + (keyed & 0xffffffffn) * (keyed >> 32n));
  }
}

function scramble(sums: bigint[], key: Buffer): void {
  for (let i = 0; i < 8; i++) {
    const sum = sums[i]!;
    sums[i] = wrap((sum ^ (sum >> 47n) ^ key.readBigUInt64LE(key.length - STRIPE + 8 * i)) * PRIME32_1);
  }
}

function secretOf(seed: bigint): Buffer {
  if (seed === 0n) return SECRET;
  const key = Buffer.alloc(SECRET.length);
  for (let at = 0; at < key.length; at += 16) {
    key.writeBigUInt64LE(wrap(secret(at) + seed), at);
    key.writeBigUInt64LE(wrap(secret(at + 8) - seed), at + 8);
  }
  return key;
}

function mix16(bytes: Buffer, at: number, secretAt: number, seed: bigint): bigint {
  return fold(
    bytes.readBigUInt64LE(at) ^ wrap(secret(secretAt) + seed),
    bytes.readBigUInt64LE(at + 8) ^ wrap(secret(secretAt + 8) - seed),
  );
}

/** Both halves of the 128-bit product in one. */
function fold(a: bigint, b: bigint): bigint {
  const product = a * b;
  return wrap(product) ^ (product >> 64n);
}

function avalanche3(sum: bigint): bigint {
  const hash = wrap((sum ^ (sum >> 37n)) * PRIME_MX1);
  return hash ^ (hash >> 32n);
}

function avalanche64(start: bigint): bigint {
  let hash = wrap((start ^ (start >> 33n)) * PRIME2);
  hash = wrap((hash ^ (hash >> 29n)) * PRIME3);
  return hash ^ (hash >> 32n);
}

function round64(sum: bigint, input: bigint): bigint {
  return wrap(rotate(wrap(sum + input * PRIME2), 31n) * PRIME1);
}

function secret(at: number): bigint {
  return SECRET.readBigUInt64LE(at);
}

function rotate(value: bigint, bits: bigint): bigint {
  return wrap(value << bits) | (value >> (64n - bits));
}

/** The eight bytes in the other order. */
function swap(value: bigint): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE();
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
