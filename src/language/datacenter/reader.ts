// datacenter.yaml to the model. Pure: files and variables come with the environment. It reports every fault
// that it can find in one run, and never throws.
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { Datacenter } from "../../model/datacenter.ts";
import { datacenter } from "./datacenter-keys.ts";
import { type DatacenterEnvironment, gatherTree, type SourceFile } from "./gather.ts";
import { Report } from "./report.ts";

export interface DatacenterReading {
  /** What could be read, also when there are errors, so that checks can go on and tell the rest. */
  readonly datacenter: Datacenter;
  readonly diagnostics: readonly Diagnostic[];
  /** Text of each file by its name, in the order in which they were read. */
  readonly sources: ReadonlyMap<string, string>;
}

/** Reads all files, and what they include, as one datacentre. */
export function readDatacenter(
  files: readonly SourceFile[],
  environment: DatacenterEnvironment,
): DatacenterReading {
  const report = new Report();
  const sources = new Map<string, string>();
  const read = datacenter.read(gatherTree(files, environment, report, sources), report)!;
  return { datacenter: read, diagnostics: report.diagnostics, sources };
}
