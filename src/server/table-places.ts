// Where stick tables are in the memory that all processes share: the master gives each its place, for as long
// as its definition stays the same, so that tables live through reloads.
import type { HashSecret } from "../base/half-sip-hash.ts";
import type { SharedFile } from "../io/shared-file.ts";
import type { StickTableDefinition } from "../model/stick-table.ts";
import { layoutOf } from "../proxy/stick-table/layout.ts";
import { StickTable } from "../proxy/stick-table/stick-table.ts";
import { CacheMaps } from "./cache-places.ts";
import { newSecret } from "./new-secret.ts";
import type { SharedRoom } from "./shared-room.ts";

export interface TablePlace {
  readonly offset: number;
  readonly capacity: number;
  readonly secret: HashSecret;
}

export class TablePlaces {
  readonly #room: SharedRoom;
  readonly #processCount: number;
  readonly #report: (text: string) => void;
  readonly #places: Map<string, TablePlace> = new Map();

  constructor(room: SharedRoom, processCount: number, report: (text: string) => void) {
    this.#room = room;
    this.#processCount = processCount;
    this.#report = report;
  }

  /** By name; a sentence when there is no room. */
  placesOf(definitions: readonly StickTableDefinition[]): Readonly<Record<string, TablePlace>> | string {
    const places: Record<string, TablePlace> = {};
    for (const definition of definitions) {
      const key = JSON.stringify({ ...definition, span: null });
      const place = this.#places.get(key) ?? this.#add(definition);
      if (typeof place === "string") return place;
      this.#places.set(key, place);
      places[definition.name] = place;
    }
    return places;
  }

  #add(definition: StickTableDefinition): TablePlace | string {
    const capacity = this.#capacityOf(definition);
    const { byteLength } = layoutOf(definition, capacity, this.#processCount);
    const offset = this.#room.take(byteLength);
    if (!offset.ok) return `the stick table ${definition.name} cannot be made: ${offset.error.message}`;
    return { offset: offset.value, capacity, secret: newSecret() };
  }

  /** As many as it is to have, unless those could not all be kept in memory. */
  #capacityOf(definition: StickTableDefinition): number {
    const { bytesMax } = this.#room;
    const { byteLength } = layoutOf(definition, definition.size, this.#processCount);
    if (byteLength <= bytesMax) return definition.size;
    const capacity = Math.max(1, Math.floor((definition.size * bytesMax) / byteLength));
    this.#report(
      `the stick table ${definition.name} has room for ${capacity} entries instead of ${definition.size}: ` +
        "there is no more shared memory",
    );
    return capacity;
  }
}

/**
 * The tables and caches of one process, which it maps once. Where memory cannot be mapped there is one
 * worker, and its tables are its own: the runtime API sees none of it.
 */
export class TableMaps {
  readonly caches: CacheMaps;
  readonly #file: SharedFile | null;
  readonly #process: number;
  readonly #processCount: number;
  readonly #tables: Map<string, StickTable> = new Map();
  /** Clocks count from the start of their process. */
  readonly #clockOffsetMs: number = Number(process.hrtime.bigint()) / 1e6 - performance.now();

  /** Without a file there is one process that needs them, and each table is its own. */
  constructor(file: SharedFile | null, process: number, processCount: number) {
    this.caches = new CacheMaps(file, process);
    this.#file = file;
    this.#process = process;
    this.#processCount = processCount;
  }

  get all(): readonly StickTable[] {
    return [...this.#tables.values()];
  }

  tablesOf(
    definitions: readonly StickTableDefinition[],
    places: Readonly<Record<string, TablePlace>>,
  ): ReadonlyMap<string, StickTable> {
    return new Map(
      definitions.map((definition) => [definition.name, this.#open(definition, places[definition.name])]),
    );
  }

  #open(definition: StickTableDefinition, place: TablePlace | undefined): StickTable {
    const key = `${place?.offset} ${JSON.stringify({ ...definition, span: null })}`;
    let table = this.#tables.get(key);
    if (table === undefined) {
      table = this.#map(definition, place);
      this.#tables.set(key, table);
    }
    return table;
  }

  #map(definition: StickTableDefinition, place: TablePlace | undefined): StickTable {
    if (place === undefined) return StickTable.alone(definition, newSecret());
    const { offset, capacity, secret } = place;
    const { byteLength } = layoutOf(definition, capacity, this.#processCount);
    const buffer = this.#file?.map(offset, byteLength) ?? new ArrayBuffer(byteLength);
    return new StickTable(definition, {
      buffer,
      capacity,
      secret,
      process: this.#process,
      processCount: this.#processCount,
      clockOffsetMs: this.#clockOffsetMs,
    });
  }
}
