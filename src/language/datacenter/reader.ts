// datacenter.yaml to the model. Pure: files and variables come with the environment. It reports every fault
// that it can find in one run, and never throws.
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { Datacenter } from "../../model/datacenter.ts";
import { datacenter, ownersOfKey } from "./datacenter-keys.ts";
import { type DatacenterEnvironment, gatherTree, type SourceFile } from "./gather.ts";
import { Reading } from "./reading.ts";

export interface DatacenterReading {
  /** What could be read, also when there are errors, so that checks can go on. Null: nothing could. */
  readonly datacenter: Datacenter | null;
  /** In the order of the files and lines. */
  readonly diagnostics: readonly Diagnostic[];
  /** Text of each file by its name, in the order in which they were read. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Reads all files, and what they include, as one datacentre. */
export function readDatacenter(
  files: readonly SourceFile[],
  environment: DatacenterEnvironment,
): DatacenterReading {
  const reading = new Reading(ownersOfKey);
  const { tree, sources } = gatherTree(files, environment, reading);
  const read = tree === null ? undefined : datacenter.read(tree, reading);
  return {
    datacenter: read ?? null,
    diagnostics: reading.inFileOrder([...sources.keys()]),
    sources,
  };
}
