// What rules have decided in the network that was applied, as `sallyport status --rules` tells it: the
// command can look into a network of the user's own, and this process keeps nothing of it. One command serves
// all who look, while they do.
import { launcher } from "../../base/program-files.ts";
import type { EdgeRules, EdgeRulesAnswer } from "../../model/dashboard-datacenter.ts";
import { StatusWatch } from "./status-watch.ts";

/**
 * A look costs 0.03 s of CPU time for 17 namespaces; a start, which is needed once, 0.4 s (the company).
 */
const EVERY_SECONDS = 3;

export class EdgeRulesReader {
  readonly #file: string;
  #version = "";
  #isRootless = false;
  #watch: StatusWatch<readonly EdgeRules[]> | null = null;

  /** `file`: the datacentre's. */
  constructor(file: string) {
    this.#file = file;
  }

  /** `version`: of the file, which the command reads when it starts. `isRootless`: it was applied so. */
  async read(edge: string, version: string, isRootless: boolean): Promise<EdgeRulesAnswer> {
    if (version !== this.#version || isRootless !== this.#isRootless) this.close();
    this.#version = version;
    this.#isRootless = isRootless;
    this.#watch ??= watchRules(this.#file, isRootless);
    const edges = await this.#watch.read();
    if (typeof edges === "string") return { state: "unknown", text: edges, rules: [] };
    const found = edges.find((one) => one.edge === edge);
    if (found === undefined) return { state: "not-applied", text: "", rules: [] };
    return { state: found.isChanged ? "changed" : "counted", text: "", rules: found.rules };
  }

  close(): void {
    this.#watch?.close();
    this.#watch = null;
  }
}

function watchRules(file: string, isRootless: boolean): StatusWatch<readonly EdgeRules[]> {
  const words = [launcher(), "status", file, "--json", "--rules", "--watch", "--every", `${EVERY_SECONDS}`];
  return new StatusWatch(async () => {
    if (!isRootless) return { words, environment: process.env };
    const { wordsInside } = await import("../../driver/linux/rootless.ts");
    return wordsInside(words) ?? "the network of one's own has ended";
  }, readLine);
}

/** Null: it is something else that the program has said. */
function readLine(text: string): readonly EdgeRules[] | null {
  try {
    return (JSON.parse(text) as { readonly rules?: readonly EdgeRules[] }).rules ?? null;
  } catch {
    return null;
  }
}
