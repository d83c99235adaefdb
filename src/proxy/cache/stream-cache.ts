// What `cache-use` and `cache-store` do for one stream: look for the response in the cache, and keep the
// server's while it is passed on. Nothing is stored before the whole response is here, so nobody is ever
// given a part of one; until then it takes memory of this process, at most `max-object-size`.
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import { isResponseCacheable } from "../persistence/cacheability.ts";
import type { Stream } from "../stream.ts";
import { ageOf, asksForFresh, freshSeconds } from "./freshness.ts";
import type { CachedObject, SharedCache } from "./shared-cache.ts";
import { suitsVariant, variantOf } from "./variant.ts";

/** Of one stream that `cache-use` was for. */
export interface StreamCache {
  readonly cache: SharedCache;
  readonly key: Uint8Array;
  /** It was looked for. */
  readonly isLookedUp: boolean;
  /** The response came from the cache. */
  isHit: boolean;
  /** Collects the server's response; null: it is not kept. */
  fill: CacheFill | null;
}

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

/** `cache-use`: the object to deliver; null: the server is asked. */
export function useCache(stream: Stream, cache: SharedCache, nowSeconds: number): CachedObject | null {
  const request = stream.request!;
  const isSafe = SAFE_METHODS.has(request.method);
  // What others change counts whoever they are.
  if (isSafe && (request.versionMinor === 0 || request.has("authorization"))) return null;
  const key = Buffer.from(`${request.firstValue("host") ?? ""}\n${request.target}`, "latin1");
  const isLookedUp = (request.method === "GET" || request.method === "HEAD") && !asksForFresh(request);
  stream.cache = { cache, key, isLookedUp, isHit: false, fill: null };
  if (!isLookedUp) return null;
  const { processesVary } = cache.definition;
  const suits = (variant: Uint8Array) =>
    variant.length === 0 || (processesVary && suitsVariant(request, variant));
  const found = cache.find(key, suits, nowSeconds);
  stream.cache.isHit = found !== null;
  return found;
}

/** `cache-store`, with the response's headers as they are now. */
export function storeInCache(stream: Stream, cache: SharedCache, nowSeconds: number): void {
  const use = stream.cache;
  const response = stream.response;
  const request = stream.request;
  if (use === null || use.isHit || response === null || request === null) return;
  if (!SAFE_METHODS.has(request.method)) {
    // What it has changed is old now, wherever it is kept (RFC 9111 section 4.4).
    if (response.status >= 200 && response.status < 400) cache.invalidate(use.key);
    return;
  }
  if (request.method !== "GET" || response.status !== 200) return;
  const cacheability = isResponseCacheable(request, response, response.status);
  if (!cacheability.response || !cacheability.cookies) return;
  const { maxAgeSeconds, processesVary } = cache.definition;
  const seconds = freshSeconds(response, maxAgeSeconds, nowSeconds);
  const variant = processesVary || !response.has("vary") ? variantOf(request, response) : null;
  if (seconds <= 0 || variant === null) return;
  const fill = new CacheFill(cache, use.key, {
    head: storedHead(response),
    body: EMPTY,
    variant,
    expiresSeconds: nowSeconds + seconds,
    bornSeconds: nowSeconds - (ageOf(response) ?? 0),
  });
  use.fill = fill.hasRoomFor(Math.max(0, response.contentLength)) ? fill : null;
}

const EMPTY = new Uint8Array(0);

/** Without its age, which is another when it is delivered, and without the empty line. */
function storedHead(response: MessageHead): Uint8Array {
  const bytes = Buffer.alloc(response.encodedLengthMax());
  const text = bytes.subarray(0, response.encodeInto(bytes, 0)).toString("latin1");
  return Buffer.from(text.replace(/\r\nage:[^\r]*/gi, "").slice(0, -2), "latin1");
}

/** A response on its way to the client, and into the cache. */
export class CacheFill {
  readonly #cache: SharedCache;
  readonly #key: Uint8Array;
  readonly #object: CachedObject;
  #parts: Uint8Array[] = [];
  #byteCount: number;
  #isOver = false;

  /** `object` lacks its body. */
  constructor(cache: SharedCache, key: Uint8Array, object: CachedObject) {
    this.#cache = cache;
    this.#key = key;
    this.#object = object;
    this.#byteCount = object.head.length;
  }

  hasRoomFor(byteCount: number): boolean {
    return this.#byteCount + byteCount <= this.#cache.definition.objectBytesMax;
  }

  /** More of the body, which is copied. */
  take(parts: readonly Uint8Array[]): void {
    if (this.#isOver) return;
    for (const part of parts) {
      if (!this.hasRoomFor(part.length)) {
        this.#isOver = true;
        this.#parts = [];
        return;
      }
      this.#byteCount += part.length;
      this.#parts.push(new Uint8Array(part));
    }
  }

  /** The body has been whole. */
  finish(nowSeconds: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cache.store(this.#key, { ...this.#object, body: Buffer.concat(this.#parts) }, nowSeconds);
    this.#parts = [];
  }
}
