// For tests in a guest that has no Node: what `apply` would give to iproute2 on a host of a datacentre file,
// worked out beforehand. What is there is taken to be what another text of the file says.
import assert from "node:assert/strict";
import { linesOf } from "../../../src/driver/linux/ip-lines.ts";
import { readDatacenter } from "../../../src/language/datacenter/reader.ts";
import type { NetworkState } from "../../../src/model/network-state.ts";
import { desiredState } from "../../../src/network/plan/desired-state.ts";
import { newLink } from "../../../src/network/plan/namespace-draft.ts";
import { planChanges } from "../../../src/network/plan/plan-changes.ts";
import { resolveDatacenter } from "../../../src/network/resolve/resolve.ts";

/** Lines of `ip -batch`. `before`: a text of the file, or the names of cards where nothing else is there. */
export function hostLines(before: string | readonly string[], after: string, host: string): string {
  const present = typeof before === "string" ? stateOf(before, host) : onlyCards(before);
  const { steps } = planChanges(present, stateOf(after, host));
  const bonds = new Set(
    stateOf(after, host).namespaces.flatMap(({ links }) =>
      links.filter(({ kind }) => kind.kind === "bond").map(({ name }) => name),
    ),
  );
  const lines = steps.flatMap(({ change }) => linesOf(change, (name) => bonds.has(name)).ip);
  return lines.map((line) => `${line}\n`).join("");
}

function stateOf(text: string, host: string): NetworkState {
  const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
  const { datacenter, diagnostics } = readDatacenter([{ name: "datacenter.yaml", text }], environment);
  assert.deepEqual(diagnostics, []);
  return desiredState(resolveDatacenter(datacenter!).resolved, {
    host,
    isVlanAware: true,
    hasVlanDevices: true,
    loadBalancers: new Map(),
    program: ["sallyport"],
    dataDirectory: "/nonexistent",
    absolutePath: (path) => path,
  }).state;
}

function onlyCards(names: readonly string[]): NetworkState {
  const links = names.map((name) => newLink({ name, kind: { kind: "physical" }, alias: null, mtu: 1500 }));
  const empty = { addresses: [], routes: [], rules: [], sysctls: [], tables: [] };
  return { namespaces: [{ name: null, words: "", links, ...empty }], processes: [] };
}
