// Where caches are in the memory that all processes share: beside the stick tables, in the same file, and for
// as long as their sections stay the same, so that a reload leaves them full.
import type { HashSecret } from "../base/half-sip-hash.ts";
import type { SharedFile } from "../io/shared-file.ts";
import type { CacheDefinition } from "../model/cache.ts";
import { blocksOf, cacheBytes, SharedCache } from "../proxy/cache/shared-cache.ts";
import { newSecret } from "./new-secret.ts";
import type { SharedRoom } from "./shared-room.ts";

export interface CacheLocation {
  readonly offset: number;
  readonly blockCount: number;
  readonly secret: HashSecret;
}

export class CachePlaces {
  readonly #room: SharedRoom;
  readonly #report: (text: string) => void;
  readonly #places: Map<string, CacheLocation> = new Map();

  constructor(room: SharedRoom, report: (text: string) => void) {
    this.#room = room;
    this.#report = report;
  }

  /** By name; a sentence when there is no room. */
  placesOf(definitions: readonly CacheDefinition[]): Readonly<Record<string, CacheLocation>> | string {
    const places: Record<string, CacheLocation> = {};
    for (const definition of definitions) {
      const key = keyOf(definition);
      const place = this.#places.get(key) ?? this.#add(definition);
      if (typeof place === "string") return place;
      this.#places.set(key, place);
      places[definition.name] = place;
    }
    return places;
  }

  /** What could not all be kept in memory would be the end of the worker that writes there. */
  #add(definition: CacheDefinition): CacheLocation | string {
    const wanted = blocksOf(definition);
    const share = this.#room.bytesMax / cacheBytes(wanted);
    const blockCount = share >= 1 ? wanted : Math.max(1, Math.floor(wanted * share));
    if (blockCount < wanted)
      this.#report(
        `the cache ${definition.name} has ${Math.floor(blockCount / 1024)} MiB instead of ${wanted / 1024}: ` +
          "there is no more shared memory",
      );
    const offset = this.#room.take(cacheBytes(blockCount));
    return offset.ok
      ? { offset: offset.value, blockCount, secret: newSecret() }
      : `the cache ${definition.name} cannot be made: ${offset.error.message}`;
  }
}

/** The caches of one process, which it maps once. */
export class CacheMaps {
  readonly #file: SharedFile | null;
  readonly #process: number;
  readonly #caches: Map<string, SharedCache> = new Map();

  constructor(file: SharedFile | null, process: number) {
    this.#file = file;
    this.#process = process;
  }

  get all(): readonly SharedCache[] {
    return [...this.#caches.values()];
  }

  cachesOf(
    definitions: readonly CacheDefinition[],
    places: Readonly<Record<string, CacheLocation>>,
  ): ReadonlyMap<string, SharedCache> {
    return new Map(definitions.map((one) => [one.name, this.#open(one, places[one.name])]));
  }

  #open(definition: CacheDefinition, place: CacheLocation | undefined): SharedCache {
    const key = `${place?.offset} ${keyOf(definition)}`;
    const cache = this.#caches.get(key) ?? this.#map(definition, place);
    this.#caches.set(key, cache);
    return cache;
  }

  #map(definition: CacheDefinition, place: CacheLocation | undefined): SharedCache {
    if (place === undefined) return SharedCache.alone(definition, newSecret());
    const { offset, blockCount, secret } = place;
    const byteLength = cacheBytes(blockCount);
    const buffer = this.#file?.map(offset, byteLength) ?? new ArrayBuffer(byteLength);
    return new SharedCache(definition, { buffer, blockCount, secret, process: this.#process });
  }
}

function keyOf(definition: CacheDefinition): string {
  return JSON.stringify({ ...definition, span: null });
}
