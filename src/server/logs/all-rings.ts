// The rings of what serves. They are the master's, one for all workers: lines of all of them in one order,
// one connection to each server, and what is in them outlives workers and reloads.
import type { RingDefinition, RingServer } from "../../model/log-forward.ts";
import { Ring } from "../../proxy/log/ring.ts";
import type { Engine } from "../../transport/contract.ts";
import { clientContextOf } from "../generation.ts";
import type { RingWriter } from "../log-sinks.ts";
import type { FromWorker, PreparedConfiguration } from "../messages.ts";
import { RingLink } from "./ring-link.ts";

export class AllRings implements RingWriter {
  readonly #engine: Engine;
  readonly #report: (text: string) => void;
  #rings: Map<string, Ring> = new Map();
  #links: Map<string, RingLink> = new Map();

  constructor(engine: Engine, report: (text: string) => void) {
    this.#engine = engine;
    this.#report = report;
  }

  get all(): readonly Ring[] {
    return [...this.#rings.values()];
  }

  find(name: string): Ring | null {
    return this.#rings.get(name) ?? null;
  }

  write(name: string, bytes: Uint8Array, start: number, end: number): boolean {
    const ring = this.#rings.get(name);
    ring?.append(bytes, start, end);
    return ring !== undefined;
  }

  takeEvents({ ring, bytes, lengths }: Extract<FromWorker, { kind: "ring-events" }>): void {
    let at = 0;
    for (const length of lengths) {
      this.write(ring, bytes, at, at + length);
      at += length;
    }
  }

  /** A ring keeps what is in it; a server whose lines stay the same keeps its connection. */
  follow(prepared: PreparedConfiguration): void {
    const { rings } = prepared.configuration;
    const before = this.#rings;
    this.#rings = new Map(rings.map((definition) => [definition.name, ringOf(definition, before)]));
    const links = this.#links;
    this.#links = new Map();
    const wanted = rings.flatMap((definition) =>
      definition.servers.map((server) => ({ definition, server, key: keyOf(definition, server, prepared) })),
    );
    const keys = new Set(wanted.map(({ key }) => key));
    // Who takes over from a connection goes on where it ended.
    const unsent = new Map<string, number>();
    for (const [key, link] of links) {
      if (keys.has(key)) continue;
      link.close();
      unsent.set(link.name, link.unsentCount);
    }
    for (const { definition, server, key } of wanted) {
      const link = links.get(key) ?? this.#open(definition, server, prepared, unsent);
      if (link !== null) this.#links.set(key, link);
    }
  }

  #open(
    definition: RingDefinition,
    one: RingServer,
    prepared: PreparedConfiguration,
    unsent: ReadonlyMap<string, number>,
  ): RingLink | null {
    const tls = clientContextOf(one.server, prepared, this.#engine);
    if (tls?.ok === false) {
      this.#report(`ring ${definition.name}: server ${one.server.name}: ${tls.error.message}`);
      return null;
    }
    const ring = this.#rings.get(definition.name)!;
    const count = unsent.get(`${definition.name}/${one.server.name}`) ?? ring.count;
    return new RingLink(this.#engine, ring, definition, one, tls?.value ?? null, this.#report, count);
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }
}

function ringOf(definition: RingDefinition, before: ReadonlyMap<string, Ring>): Ring {
  const known = before.get(definition.name);
  const { description, lengthMax, sizeBytes } = definition;
  const present = known?.definition;
  const isSame =
    present?.lengthMax === lengthMax &&
    present.sizeBytes === sizeBytes &&
    present.description === description;
  if (known !== undefined && isSame) return known;
  const ring = new Ring(definition);
  if (known !== undefined) ring.copyFrom(known);
  return ring;
}

/** What they say, wherever it stands, and what their files contain. */
function keyOf(definition: RingDefinition, one: RingServer, prepared: PreparedConfiguration): string {
  const { tls } = one.server;
  const material = [
    tls?.certificate == null ? null : prepared.certificates[tls.certificate],
    tls?.caFile == null ? null : prepared.trust[tls.caFile],
    tls?.crlFile == null ? null : prepared.trust[tls.crlFile],
  ];
  const { servers: _, ...settings } = definition;
  return JSON.stringify([settings, one, material], (name, value: unknown) =>
    name === "span" ? null : value,
  );
}
