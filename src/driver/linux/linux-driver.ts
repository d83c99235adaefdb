// The driver for the kernel that this program runs on, as root or as root of a user namespace.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { NetworkState } from "../../model/network-state.ts";
import { aliasPrefix, namespacePrefix } from "../../network/plan/kernel-names.ts";
import { STAGES, type Step } from "../../network/plan/plan.ts";
import type { NamespaceDoor } from "../../transport/namespace-door.ts";
import type { Driver, Lack, ReadOutcome, RunOutcome } from "../contract.ts";
import { untilCarrying } from "./await-bond.ts";
import { BatchRunner } from "./batch.ts";
import { findLacks } from "./preflight.ts";
import { type Listings, readNamespaces } from "./read-state.ts";
import type { LoadedTables, Recognised, RecognisedTables } from "./recognised-tables.ts";
import { readRecord, writeRecord } from "./records.ts";
import { Supervisor } from "./supervisor.ts";

export class LinuxDriver implements Driver {
  readonly #datacenter: string;
  readonly #directory: string;
  readonly #listings: Listings;
  readonly #recognised: Recognised;
  readonly #door: NamespaceDoor | null;
  readonly #loaded: LoadedTables = new Map();
  readonly supervisor: Supervisor;
  #bonds: ReadonlySet<string> = new Set();

  /** `directory`: the state directory of the datacentre. */
  constructor(datacenter: string, directory: string, door: NamespaceDoor | null) {
    this.#door = door;
    this.#datacenter = datacenter;
    this.#directory = directory;
    this.supervisor = new Supervisor(join(directory, "programs"));
    const entries = readRecord<[string, { listing: string; hash: string }][]>(this.#listingsPath());
    this.#listings = new Map(entries ?? []);
    this.#recognised = new Map(readRecord<[string, RecognisedTables][]>(this.#recognisedPath()) ?? []);
  }

  preflight(desired: NetworkState, applied: NetworkState): Promise<readonly Lack[]> {
    return findLacks(desired, applied, namespacePrefix(this.#datacenter));
  }

  async read(known: NetworkState): Promise<ReadOutcome> {
    try {
      return await this.#read(known);
    } catch (error) {
      return { ok: false, message: withoutRoom(error) };
    }
  }

  async #read(known: NetworkState): Promise<ReadOutcome> {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const links = known.namespaces.flatMap((one) => one.links);
    this.#bonds = new Set(links.filter(({ kind }) => kind.kind === "bond").map(({ name }) => name));
    const reading = {
      known,
      aliasPrefix: aliasPrefix(this.#datacenter),
      listings: this.#listings,
      loaded: this.#loaded,
      door: this.#door,
      recognised: this.#recognised,
    };
    const hadLoaded = this.#loaded.size > 0;
    const namespaces = await readNamespaces(reading, this.#directory);
    if ("message" in namespaces) return { ok: false, message: namespaces.message };
    if (hadLoaded) this.#writeMemory();
    const processes = this.supervisor.running(known.processes.map(({ name }) => name));
    // Of the machine's own namespace only what is ours is there; without that it is not ours at all.
    const ours = namespaces.filter(
      ({ name, links, tables }) => name !== null || links.length + tables.length > 0,
    );
    return { ok: true, state: { namespaces: ours, processes } };
  }

  /** Without it tables are loaded once more, so that a full disk is no reason to fail. */
  #writeMemory(): void {
    const [listings, recognised] = [this.#listingsPath(), this.#recognisedPath()];
    try {
      writeRecord(listings, [...this.#listings]);
      writeRecord(recognised, [...this.#recognised]);
    } catch {
      for (const path of [listings, recognised]) rmSync(path, { force: true });
    }
  }

  async run(steps: readonly Step[], progress: (done: number) => void): Promise<RunOutcome> {
    try {
      return await this.#run(steps, progress);
    } catch (error) {
      return { ok: false, step: null, message: withoutRoom(error) };
    }
  }

  async #run(steps: readonly Step[], progress: (done: number) => void): Promise<RunOutcome> {
    this.supervisor.endOrphans();
    const runner = new BatchRunner(this.#directory, this.#door);
    let done = 0;
    const count = (more: number) => {
      done += more;
      progress(done);
    };
    try {
      for (const stage of STAGES) {
        const ofStage = steps.filter((step) => step.stage === stage);
        if (ofStage.length === 0) continue;
        const vain = await awaitBonds(ofStage);
        if (vain !== null) return vain;
        const outcome = /^(stop|start)$/.test(stage)
          ? await this.#runPrograms(ofStage, count)
          : await runner.run(stage, ofStage, (name) => this.#bonds.has(name), count);
        if (!outcome.ok) return outcome;
        this.#remember(ofStage);
      }
      return { ok: true };
    } finally {
      runner.close();
    }
  }

  async #runPrograms(steps: readonly Step[], count: (more: number) => void): Promise<RunOutcome> {
    const outcomes = await Promise.all(
      steps.map(async (step): Promise<RunOutcome> => {
        const { change } = step;
        if (!("process" in change)) return { ok: true };
        const message =
          change.kind === "stop-process"
            ? await this.supervisor.stop(change.process.name)
            : change.kind === "start-process"
              ? this.supervisor.start(change.process)
              : this.supervisor.reload(change.process);
        count(1);
        return message === null ? { ok: true } : { ok: false, step, message };
      }),
    );
    return outcomes.find(({ ok }) => !ok) ?? { ok: true };
  }

  #remember(steps: readonly Step[]): void {
    for (const { change } of steps) {
      if (change.kind !== "put-table") continue;
      const { family, name } = change.table;
      this.#loaded.set(`${change.namespace ?? ""} ${family} ${name}`, change.table);
    }
  }

  #recognisedPath(): string {
    return join(this.#directory, "recognised.json");
  }

  #listingsPath(): string {
    return join(this.#directory, "listings.json");
  }
}

/** Of node:fs, at the files that are handed to programs. */
function withoutRoom(error: unknown): string {
  return `the state directory cannot be written: ${(error as Error).message}`;
}

/** Null, or which of the bonds that a stage waits for carries nothing. */
async function awaitBonds(steps: readonly Step[]): Promise<RunOutcome | null> {
  for (const step of steps) {
    if (step.change.kind !== "await-bond") continue;
    const message = await untilCarrying(step.change.link.name);
    if (message !== null) return { ok: false, step, message };
  }
  return null;
}
