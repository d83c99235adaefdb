// For tests: applies one file after the other, as the command line does but in one process, and says how many
// steps each took.
import process from "node:process";
import { apply } from "../../../src/driver/apply.ts";
import { openNetwork } from "../../../src/server/datacenter/live-network.ts";
import { loadDatacenter } from "../../../src/server/datacenter/load-datacenter.ts";

for (const file of process.argv.slice(2)) {
  const { resolved, loadBalancers } = loadDatacenter(file, {});
  const { desired, driver, store } = await openNetwork(resolved!, loadBalancers, null);
  const outcome = await apply({ desired: desired.state, file }, driver, store, { phase() {}, steps() {} });
  if (outcome.kind !== "done") throw new Error(`${file}: ${JSON.stringify(outcome)}`);
  console.log(`${file}: ${outcome.plan.steps.length} steps done`);
}
