// The datacentre file as it is now: read again when it, or a file that it includes, has changed.
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { compileNetwork, type Network } from "../../network/explain/explain.ts";
import { type Finding, findAll } from "../datacenter/find-all.ts";
import { type LoadedDatacenter, loadDatacenter } from "../datacenter/load-datacenter.ts";
import type { DashboardSource } from "./source.ts";

/**
 * Where thousands of machines are, working all of it out takes part of a second: done once for each version.
 */
interface Present {
  readonly loaded: LoadedDatacenter;
  readonly version: string;
  /** Times and sizes of its files. */
  readonly stamp: string;
  network: Network | null;
  findings: readonly Finding[] | null;
}

export class DatacenterFile {
  readonly path: string;
  readonly #environment: DashboardSource["environment"];
  #present: Present | null = null;

  constructor(path: string, environment: DashboardSource["environment"]) {
    this.path = path;
    this.#environment = environment;
  }

  get loaded(): LoadedDatacenter {
    return this.#read().loaded;
  }

  /** Another one for every other content. */
  get version(): string {
    return this.#read().version;
  }

  /** False: there are errors, by which `explain` and `apply` would refuse it. */
  get isUsable(): boolean {
    const { resolved, diagnostics } = this.loaded;
    return resolved !== null && diagnostics.every(({ severity }) => severity !== "error");
  }

  /** Null: too little of it could be read. */
  get network(): Network | null {
    const present = this.#read();
    const { resolved, loadBalancerBinds } = present.loaded;
    if (resolved !== null) present.network ??= compileNetwork(resolved, loadBalancerBinds);
    return present.network;
  }

  get findings(): readonly Finding[] {
    const present = this.#read();
    present.findings ??= findAll(present.loaded);
    return present.findings;
  }

  #read(): Present {
    const present = this.#present;
    if (present !== null && present.stamp === this.#stampOf(present.loaded)) return present;
    const loaded = loadDatacenter(this.path, this.#environment);
    const hash = createHash("sha256");
    for (const { name, text } of loaded.sources) hash.update(name).update("\0").update(text).update("\0");
    const version = hash.digest("hex").slice(0, 16);
    // Taken after reading: what is written in between is seen the next time.
    this.#present = { loaded, version, stamp: this.#stampOf(loaded), network: null, findings: null };
    return this.#present;
  }

  #stampOf({ sources }: LoadedDatacenter): string {
    return [this.path, ...sources.map(({ name }) => name)].map(stampOf).join(" ");
  }
}

export function stampOf(path: string): string {
  const facts = statSync(path, { throwIfNoEntry: false });
  return facts === undefined ? "-" : `${facts.mtimeMs}:${facts.size}:${facts.ino}`;
}
