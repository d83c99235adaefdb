// For tests in a guest that has no Node: what `apply` would do on a host of a datacentre file, worked out
// beforehand. What is there is taken to be what another text of the file says.
import assert from "node:assert/strict";
import { linesOf } from "../../../src/driver/linux/ip-lines.ts";
import { readDatacenter } from "../../../src/language/datacenter/reader.ts";
import type { NetworkState } from "../../../src/model/network-state.ts";
import type { ResolvedDatacenter } from "../../../src/model/resolved-datacenter.ts";
import { type Desired, desiredState } from "../../../src/network/plan/desired-state.ts";
import { newLink } from "../../../src/network/plan/namespace-draft.ts";
import type { Step } from "../../../src/network/plan/plan.ts";
import { planChanges } from "../../../src/network/plan/plan-changes.ts";
import { resolveDatacenter } from "../../../src/network/resolve/resolve.ts";

/** A text of the file, or the names of cards where nothing else is there. */
type Before = string | readonly string[];

/** Lines of `ip -batch`, for a file that has nothing but the host itself. */
export function hostLines(before: Before, after: string, host: string): string {
  const isBond = bondsOf(after, host);
  return stepsBetween(before, after, host)
    .flatMap(({ change }) => linesOf(change, isBond).ip)
    .map((line) => `${line}\n`)
    .join("");
}

/**
 * A script of sh, for files with machines and switches too; programs are not started, and for a bond it waits
 * by a function `carries`, which is the caller's. `host` null: everything of the file runs in the guest.
 */
export function hostScript(before: Before, after: string, host: string | null): string {
  return scriptOf(stepsBetween(before, after, host), bondsOf(after, host));
}

/** The same for a state, where nothing is. */
export function stateScript(state: NetworkState): string {
  return scriptOf(planChanges(onlyCards([]), state).steps, () => false);
}

function scriptOf(steps: readonly Step[], isBond: (name: string) => boolean): string {
  return steps
    .flatMap(({ stage, change }): string[] => {
      const namespace = "namespace" in change ? change.namespace : null;
      // Namespaces are made, and cables laid, from outside.
      const isOutside = namespace === null || /namespaces|connect/.test(stage);
      const [ip, bridge] = isOutside ? ["ip", "bridge"] : [`ip -n ${namespace}`, `bridge -n ${namespace}`];
      const at = isOutside ? "" : `nsenter --net=/run/netns/${namespace} `;
      if (change.kind === "put-table") return [`${at}nft -f - <<'TABLE'\n${change.table.text}TABLE`];
      if (change.kind === "set-sysctl")
        return [`${at}sh -c 'echo "${change.sysctl.value}" > /proc/sys/${change.sysctl.key}'`];
      if (change.kind === "await-bond") return [`carries ${change.link.name}`];
      const lines = linesOf(change, isBond);
      return [...lines.ip.map((line) => `${ip} ${line}`), ...lines.bridge.map((line) => `${bridge} ${line}`)];
    })
    .map((line) => `${line}\n`)
    .join("");
}

function stepsBetween(before: Before, after: string, host: string | null): readonly Step[] {
  const present = typeof before === "string" ? stateOf(before, host) : onlyCards(before);
  return planChanges(present, stateOf(after, host)).steps;
}

function bondsOf(text: string, host: string | null): (name: string) => boolean {
  const links = stateOf(text, host).namespaces.flatMap((one) => one.links);
  return (name) => links.some((link) => link.name === name && link.kind.kind === "bond");
}

function stateOf(text: string, host: string | null): NetworkState {
  const { state, notes } = desiredOnHost(resolvedText(text), host);
  assert.deepEqual(notes, []);
  return state;
}

export function resolvedText(text: string): ResolvedDatacenter {
  const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
  const { datacenter, diagnostics } = readDatacenter([{ name: "datacenter.yaml", text }], environment);
  assert.deepEqual(diagnostics, []);
  return resolveDatacenter(datacenter!).resolved;
}

/** In the guest's kernel, which has everything unless `isVlanAware` says otherwise. */
export function desiredOnHost(
  resolved: ResolvedDatacenter,
  host: string | null,
  isVlanAware: boolean = true,
): Desired {
  return desiredState(resolved, {
    host,
    isVlanAware,
    hasVlanDevices: true,
    loadBalancers: new Map(),
    program: ["sallyport"],
    dataDirectory: "/nonexistent",
    absolutePath: (path) => path,
  });
}

/** A machine with these cards, and nothing done to them. */
export function onlyCards(names: readonly string[]): NetworkState {
  if (names.length === 0) return { namespaces: [], processes: [] };
  const links = names.map((name) => newLink({ name, kind: { kind: "physical" }, alias: null, mtu: 1500 }));
  const empty = { addresses: [], routes: [], rules: [], sysctls: [], tables: [] };
  return { namespaces: [{ name: null, words: "", links, ...empty }], processes: [] };
}
