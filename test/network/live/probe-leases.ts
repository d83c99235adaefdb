// Addresses that machines of a datacentre that is running have got by DHCP, held against those that the model
// has for them.
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { ResolvedDatacenter } from "../../../src/model/resolved-datacenter.ts";
import type { Desired } from "../../../src/network/plan/desired-state.ts";
import { deviceOf } from "../../../src/network/plan/machine-state.ts";
import type { Verdict } from "./probe-topology.ts";

/** A client tries once a second, and the cable may be younger than the first try. */
const [LOOKS_MAX, LOOK_MS] = [400, 50];

export async function probeLeases(
  { machines, networks }: ResolvedDatacenter,
  { namespaceOf }: Desired,
): Promise<{ readonly count: number; readonly verdicts: readonly Verdict[] }> {
  const verdicts: Verdict[] = [];
  const asking = machines.flatMap(({ name, interfaces }) =>
    interfaces.filter(({ wantsDhcp }) => wantsDhcp).map((one) => ({ name, one })),
  );
  for (const { name, one } of asking) {
    const network = networks.find((candidate) => candidate.name === one.network);
    const router = network?.gateways.find((ip) => !ip.includes(":")) ?? "no router";
    const explained = `${one.addresses.map(({ ip }) => ip).join(", ")} by ${router}`;
    const captured = await given(namespaceOf.get(name)!, deviceOf(one));
    if (captured !== explained)
      verdicts.push({
        question: `${name} asks by DHCP`,
        explained,
        disagreements: [{ explained, captured }],
      });
  }
  return { count: asking.length, verdicts };
}

/** "10.0.0.50 by 10.0.0.1" */
async function given(namespace: string, device: string): Promise<string> {
  const ip = (...words: string[]) =>
    spawnSync("nsenter", [`--net=/run/netns/${namespace}`, "ip", "-4", ...words], { encoding: "utf8" })
      .stdout;
  for (let look = 0; look < LOOKS_MAX; look++) {
    const [, address] = /inet ([\d.]+)\//.exec(ip("address", "show", "dev", device)) ?? [];
    const [, router] = /default via ([\d.]+)/.exec(ip("route")) ?? [];
    if (address !== undefined && router !== undefined) return `${address} by ${router}`;
    await sleep(LOOK_MS);
  }
  return "nothing";
}
