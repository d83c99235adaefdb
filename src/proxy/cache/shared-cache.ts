// One cache, in memory that all workers map: what one has stored any of them delivers, and a POST that one
// has seen makes it old for all. Entries are rows of blocks of 1 KiB, as in HAProxy; when no block is free,
// those that nobody has asked for longest are dropped. No I/O and no clock. Every call takes the cache for
// itself while it works (5 µs, 0.2 ms for a megabyte, which is copied meanwhile), for nobody else's change
// may be seen in it. A process that dies at work leaves a cache in disorder; then it is emptied: it is only a
// cache.
import { type HashSecret, halfSipHash } from "../../base/half-sip-hash.ts";
import type { CacheDefinition } from "../../model/cache.ts";
import { lockTable, takeLockOf, unlockTable } from "../stick-table/table-lock.ts";

const BLOCK_BYTES = 1024;
/** Of the head. Blocks count from 1; 0 is none. The first one is `TABLE.lock`. */
const HEAD = { lock: 0, free: 1, reached: 2, available: 3, oldest: 4, newest: 5 } as const;
const HEAD_BYTES = 64;
/** Int32 cells of a block's record. All but the first are those of an entry, in its first block. */
const RECORD = {
  next: 0,
  chained: 1,
  older: 2,
  newer: 3,
  hash: 4,
  blockCount: 5,
  keyBytes: 6,
  variantBytes: 7,
  headBytes: 8,
  bodyBytes: 9,
} as const;
const RECORD_BYTES = 64;
const RECORD_CELLS = RECORD_BYTES / 4;
/** Float64 cells of a record: when it is no longer fresh, and since when it is as old as it is. Seconds. */
const NUMBER = { expires: 6, born: 7 } as const;
const RECORD_NUMBERS = RECORD_BYTES / 8;

/** A response as it is stored and delivered. */
export interface CachedObject {
  /** Status line and headers, without the empty line. */
  readonly head: Uint8Array;
  /** Without chunk framing. */
  readonly body: Uint8Array;
  /** What it depends on besides its key; empty: nothing. Read by `variant.ts`. */
  readonly variant: Uint8Array;
  /** Seconds since 1970. */
  readonly expiresSeconds: number;
  /** When the server made it, so that its age is the time since then. */
  readonly bornSeconds: number;
}

/** What `show cache` tells of an entry. */
export interface CacheRow {
  readonly block: number;
  readonly hash: number;
  readonly variant: Uint8Array;
  readonly byteCount: number;
  readonly blockCount: number;
  readonly expiresSeconds: number;
}

export interface CachePlace {
  /** All zero at first. */
  readonly buffer: ArrayBuffer;
  readonly blockCount: number;
  /** Of its hash, the same in all processes. */
  readonly secret: HashSecret;
  /** This process's number, from 0. */
  readonly process: number;
}

export function blocksOf(definition: CacheDefinition): number {
  return Math.max(1, Math.floor(definition.totalBytes / BLOCK_BYTES));
}

/** How much memory a cache of so many blocks needs. */
export function cacheBytes(blockCount: number): number {
  return HEAD_BYTES + chainsOf(blockCount) * 4 + blockCount * (RECORD_BYTES + BLOCK_BYTES);
}

function chainsOf(blockCount: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, blockCount)));
}

export class SharedCache {
  readonly definition: CacheDefinition;
  readonly blockCount: number;
  readonly #secret: HashSecret;
  readonly #process: number;
  readonly #head: Int32Array;
  readonly #chains: Int32Array;
  readonly #records: Int32Array;
  readonly #numbers: Float64Array;
  readonly #data: Uint8Array;

  constructor(definition: CacheDefinition, { buffer, blockCount, secret, process }: CachePlace) {
    this.definition = definition;
    this.blockCount = blockCount;
    this.#secret = secret;
    this.#process = process;
    const chainCount = chainsOf(blockCount);
    const recordsAt = HEAD_BYTES + chainCount * 4;
    this.#head = new Int32Array(buffer, 0, HEAD_BYTES / 4);
    this.#chains = new Int32Array(buffer, HEAD_BYTES, chainCount);
    // Blocks count from 1: the record and the bytes of 0 would be in front.
    this.#records = new Int32Array(buffer, recordsAt, blockCount * RECORD_CELLS);
    this.#numbers = new Float64Array(buffer, recordsAt, blockCount * RECORD_NUMBERS);
    this.#data = new Uint8Array(buffer, recordsAt + blockCount * RECORD_BYTES, blockCount * BLOCK_BYTES);
  }

  /** Memory of one process alone. */
  static alone(definition: CacheDefinition, secret: HashSecret = [0, 0]): SharedCache {
    // Nobody wants gigabytes to see what a rule does.
    const blockCount = Math.min(blocksOf(definition), 4096);
    return new SharedCache(definition, {
      buffer: new ArrayBuffer(cacheBytes(blockCount)),
      blockCount,
      secret,
      process: 0,
    });
  }

  /** Likewise, by name. */
  static allAlone(definitions: readonly CacheDefinition[]): ReadonlyMap<string, SharedCache> {
    return new Map(definitions.map((definition) => [definition.name, SharedCache.alone(definition)]));
  }

  get name(): string {
    return this.definition.name;
  }

  /** A fresh object with this key that `suits` by what it varies on, copied; null: none. */
  find(key: Uint8Array, suits: (variant: Uint8Array) => boolean, nowSeconds: number): CachedObject | null {
    return this.#alone(() => {
      for (let block = this.#first(key); block !== 0; block = this.#following(block, key)) {
        if (this.#expires(block) <= nowSeconds) continue;
        const variant = this.#part(
          block,
          this.#cell(block, RECORD.keyBytes),
          this.#cell(block, RECORD.variantBytes),
        );
        if (!suits(variant)) continue;
        this.#unlist(block);
        this.#list(block);
        return this.#read(block, variant);
      }
      return null;
    });
  }

  /**
   * Keeps an object in place of the one with the same key and variant. False: it is too large, or there are
   * enough variants with this key.
   */
  store(key: Uint8Array, object: CachedObject, nowSeconds: number): boolean {
    const { head, body, variant } = object;
    const byteCount = key.length + variant.length + head.length + body.length;
    const needed = Math.ceil(byteCount / BLOCK_BYTES);
    if (needed > this.blockCount) return false;
    return this.#alone(() => {
      let variants = 0;
      for (let block = this.#first(key); block !== 0; ) {
        const next = this.#following(block, key);
        const isSame = this.#has(block, this.#cell(block, RECORD.keyBytes), RECORD.variantBytes, variant);
        if (isSame || this.#expires(block) <= nowSeconds) this.#drop(block);
        else variants++;
        block = next;
      }
      if (variants >= (variant.length === 0 ? 1 : this.definition.variantsMax)) return false;
      while (this.#available < needed) this.#dropOldest();
      this.#write(key, object, needed);
      return true;
    });
  }

  /** Drops all objects with this key. */
  invalidate(key: Uint8Array): void {
    this.#alone(() => {
      for (let block = this.#first(key); block !== 0; ) {
        const next = this.#following(block, key);
        this.#drop(block);
        block = next;
      }
    });
  }

  /** All entries, from the newest, and how many blocks can be had without dropping what is fresh. */
  rows(): CacheRow[] {
    return this.#alone(() => {
      const rows: CacheRow[] = [];
      for (let block = this.#head[HEAD.newest]!; block !== 0; block = this.#cell(block, RECORD.older)) {
        const keyBytes = this.#cell(block, RECORD.keyBytes);
        const variantBytes = this.#cell(block, RECORD.variantBytes);
        rows.push({
          block,
          hash: this.#cell(block, RECORD.hash) >>> 0,
          variant: this.#part(block, keyBytes, variantBytes),
          byteCount:
            keyBytes +
            variantBytes +
            this.#cell(block, RECORD.headBytes) +
            this.#cell(block, RECORD.bodyBytes),
          blockCount: this.#cell(block, RECORD.blockCount),
          expiresSeconds: this.#expires(block),
        });
      }
      return rows;
    });
  }

  /** A process has died. */
  forgetProcess(dead: number): void {
    if (!takeLockOf(this.#head, dead, this.#process)) return;
    this.#empty();
    unlockTable(this.#head);
  }

  #alone<T>(work: () => T): T {
    if (!lockTable(this.#head, this.#process)) this.#empty();
    const result = work();
    unlockTable(this.#head);
    return result;
  }

  #empty(): void {
    this.#chains.fill(0);
    for (const cell of [HEAD.free, HEAD.reached, HEAD.available, HEAD.oldest, HEAD.newest])
      this.#head[cell] = 0;
  }

  /** Those that were given back, and those that have never been touched. */
  get #available(): number {
    return this.#head[HEAD.available]! + this.blockCount - this.#head[HEAD.reached]!;
  }

  #cell(block: number, cell: number): number {
    return this.#records[(block - 1) * RECORD_CELLS + cell]!;
  }

  #set(block: number, cell: number, value: number): void {
    this.#records[(block - 1) * RECORD_CELLS + cell] = value;
  }

  #expires(block: number): number {
    return this.#numbers[(block - 1) * RECORD_NUMBERS + NUMBER.expires]!;
  }

  #first(key: Uint8Array): number {
    const hash = halfSipHash(key, key.length, this.#secret);
    return this.#matching(this.#chains[hash & (this.#chains.length - 1)]!, hash, key);
  }

  /** The next one with the same key. */
  #following(block: number, key: Uint8Array): number {
    return this.#matching(this.#cell(block, RECORD.chained), this.#cell(block, RECORD.hash), key);
  }

  #matching(from: number, hash: number, key: Uint8Array): number {
    let block = from;
    while (block !== 0) {
      if (this.#cell(block, RECORD.hash) === hash && this.#has(block, 0, RECORD.keyBytes, key)) return block;
      block = this.#cell(block, RECORD.chained);
    }
    return 0;
  }

  /** The part of an entry from `at` on, whose length is in a cell, is `wanted`. */
  #has(block: number, at: number, lengthCell: number, wanted: Uint8Array): boolean {
    if (this.#cell(block, lengthCell) !== wanted.length) return false;
    return Buffer.compare(this.#part(block, at, wanted.length), wanted) === 0;
  }

  #read(block: number, variant: Uint8Array): CachedObject {
    const headBytes = this.#cell(block, RECORD.headBytes);
    const headAt = this.#cell(block, RECORD.keyBytes) + variant.length;
    return {
      variant,
      head: this.#part(block, headAt, headBytes),
      body: this.#part(block, headAt + headBytes, this.#cell(block, RECORD.bodyBytes)),
      expiresSeconds: this.#expires(block),
      bornSeconds: this.#numbers[(block - 1) * RECORD_NUMBERS + NUMBER.born]!,
    };
  }

  /** A copy of some of an entry's bytes, which are one behind the other in its row of blocks. */
  #part(first: number, at: number, byteCount: number): Uint8Array {
    const copy = new Uint8Array(byteCount);
    let block = first;
    for (let i = Math.floor(at / BLOCK_BYTES); i > 0; i--) block = this.#cell(block, RECORD.next);
    let inside = at % BLOCK_BYTES;
    for (let done = 0; done < byteCount; ) {
      const start = (block - 1) * BLOCK_BYTES + inside;
      const taken = Math.min(byteCount - done, BLOCK_BYTES - inside);
      copy.set(this.#data.subarray(start, start + taken), done);
      done += taken;
      inside = 0;
      block = this.#cell(block, RECORD.next);
    }
    return copy;
  }

  #write(key: Uint8Array, object: CachedObject, needed: number): void {
    const { variant, head, body } = object;
    const first = this.#takeBlocks(needed);
    let block = first;
    let inside = 0;
    for (const part of [key, variant, head, body]) {
      for (let done = 0; done < part.length; ) {
        if (inside === BLOCK_BYTES) {
          block = this.#cell(block, RECORD.next);
          inside = 0;
        }
        const taken = Math.min(part.length - done, BLOCK_BYTES - inside);
        this.#data.set(part.subarray(done, done + taken), (block - 1) * BLOCK_BYTES + inside);
        done += taken;
        inside += taken;
      }
    }
    const hash = halfSipHash(key, key.length, this.#secret);
    this.#set(first, RECORD.hash, hash);
    this.#set(first, RECORD.blockCount, needed);
    this.#set(first, RECORD.keyBytes, key.length);
    this.#set(first, RECORD.variantBytes, variant.length);
    this.#set(first, RECORD.headBytes, head.length);
    this.#set(first, RECORD.bodyBytes, body.length);
    this.#numbers[(first - 1) * RECORD_NUMBERS + NUMBER.expires] = object.expiresSeconds;
    this.#numbers[(first - 1) * RECORD_NUMBERS + NUMBER.born] = object.bornSeconds;
    const chain = hash & (this.#chains.length - 1);
    this.#set(first, RECORD.chained, this.#chains[chain]!);
    this.#chains[chain] = first;
    this.#list(first);
  }

  /** A row of blocks; there are enough. */
  #takeBlocks(count: number): number {
    let row = 0;
    for (let i = 0; i < count; i++) {
      let block = this.#head[HEAD.free]!;
      if (block !== 0) {
        this.#head[HEAD.free] = this.#cell(block, RECORD.next);
        this.#head[HEAD.available] = this.#head[HEAD.available]! - 1;
      } else {
        block = this.#head[HEAD.reached]! + 1;
        this.#head[HEAD.reached] = block;
      }
      this.#set(block, RECORD.next, row);
      row = block;
    }
    return row;
  }

  #dropOldest(): void {
    const oldest = this.#head[HEAD.oldest]!;
    if (oldest === 0) this.#empty();
    else this.#drop(oldest);
  }

  #drop(block: number): void {
    const chain = this.#cell(block, RECORD.hash) & (this.#chains.length - 1);
    const next = this.#cell(block, RECORD.chained);
    let before = this.#chains[chain]!;
    if (before === block) this.#chains[chain] = next;
    else {
      while (this.#cell(before, RECORD.chained) !== block) before = this.#cell(before, RECORD.chained);
      this.#set(before, RECORD.chained, next);
    }
    this.#unlist(block);
    this.#head[HEAD.available] = this.#head[HEAD.available]! + this.#cell(block, RECORD.blockCount);
    let last = block;
    while (this.#cell(last, RECORD.next) !== 0) last = this.#cell(last, RECORD.next);
    this.#set(last, RECORD.next, this.#head[HEAD.free]!);
    this.#head[HEAD.free] = block;
  }

  /** In the order of use, as the newest. */
  #list(block: number): void {
    const newest = this.#head[HEAD.newest]!;
    this.#set(block, RECORD.older, newest);
    this.#set(block, RECORD.newer, 0);
    if (newest === 0) this.#head[HEAD.oldest] = block;
    else this.#set(newest, RECORD.newer, block);
    this.#head[HEAD.newest] = block;
  }

  #unlist(block: number): void {
    const older = this.#cell(block, RECORD.older);
    const newer = this.#cell(block, RECORD.newer);
    if (older === 0) this.#head[HEAD.oldest] = newer;
    else this.#set(older, RECORD.newer, newer);
    if (newer === 0) this.#head[HEAD.newest] = older;
    else this.#set(newer, RECORD.older, older);
  }
}
