// `sallyport cluster`. An agent runs for each member for as long as its machine does: it loads nothing that
// only people need, which is half of its memory.
import { isDatacenterFile } from "./is-datacenter-file.ts";
import type { Terminal } from "./terminal.ts";

export async function cluster(args: readonly string[], terminal: Terminal): Promise<number> {
  const [action, directory, ...rest] = args;
  const isOfApply = action === "agent" && rest.length === 0 && isDirectory(directory ?? "-");
  if (!isOfApply && (action === "agent" || action === "leave"))
    return (await import("./cluster-member.ts")).clusterMember(action, args.slice(1), terminal);
  if (!isOfApply) return (await import("./cluster-orders.ts")).clusterOrders(args, terminal);
  return (await import("../server/cluster/agent.ts")).runAgent(directory ?? "");
}

/** Of the agents that `apply` starts; people name a file and a machine. */
function isDirectory(path: string): boolean {
  return !path.startsWith("-") && !isDatacenterFile(path);
}
