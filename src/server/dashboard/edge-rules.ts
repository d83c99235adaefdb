// What rules have decided in the network that was applied, as `sallyport status --rules` tells it: the
// command can look into a network of the user's own, and this process keeps nothing of it. All who look share
// what it says for some seconds.
import { fileURLToPath } from "node:url";
import { runCommand } from "../../driver/linux/command.ts";
import type { EdgeRules, EdgeRulesAnswer } from "../../model/dashboard-datacenter.ts";

const LAUNCHER = fileURLToPath(new URL("../../../bin/sallyport", import.meta.url));
const LIFE_MS = 3000;

export class EdgeRulesReader {
  readonly #file: string;
  #kept: { readonly untilMs: number; readonly edges: Promise<readonly EdgeRules[] | string> } | null = null;

  /** `file`: the datacentre's. */
  constructor(file: string) {
    this.#file = file;
  }

  /** `isRootless`: it was applied so. */
  async read(edge: string, isRootless: boolean, nowMs: number): Promise<EdgeRulesAnswer> {
    if (this.#kept === null || this.#kept.untilMs <= nowMs)
      this.#kept = { untilMs: nowMs + LIFE_MS, edges: rulesOfEdges(this.#file, isRootless) };
    const edges = await this.#kept.edges;
    if (typeof edges === "string") return { state: "unknown", text: edges, rules: [] };
    const found = edges.find((one) => one.edge === edge);
    if (found === undefined) return { state: "not-applied", text: "", rules: [] };
    return { state: found.isChanged ? "changed" : "counted", text: "", rules: found.rules };
  }
}

/** A sentence when the command does not tell. */
async function rulesOfEdges(file: string, isRootless: boolean): Promise<readonly EdgeRules[] | string> {
  const words = [LAUNCHER, "status", file, "--rules", "--json", ...(isRootless ? ["--rootless"] : [])];
  const { output, errors } = await runCommand(words);
  try {
    return (JSON.parse(output) as { readonly rules: readonly EdgeRules[] }).rules;
  } catch {
    return errors.split("\n")[0] || "sallyport status cannot be run";
  }
}
