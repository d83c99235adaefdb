// `sallyport cluster`. An agent runs for each member for as long as its machine does: it loads nothing that
// only people need, which is half of its memory.
import { complainOfUsage } from "./command-line.ts";
import type { Terminal } from "./terminal.ts";

export async function cluster(args: readonly string[], terminal: Terminal): Promise<number> {
  const [action, directory, ...rest] = args;
  if (action !== "agent" || directory?.startsWith("-") === true)
    return (await import("./cluster-orders.ts")).clusterOrders(args, terminal);
  if (directory === undefined || rest.length > 0)
    return complainOfUsage(terminal, "cluster", "in which directory?", "apply starts agents by itself.");
  return (await import("../server/cluster/agent.ts")).runAgent(directory);
}
