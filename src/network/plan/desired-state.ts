// What Linux must have for a resolved datacentre: a namespace for each machine, edge and fence, one for the
// switches, one for each network outside, and the programs that run in them. Pure: what the kernel offers and
// where programs are comes in as options.
import { dirname } from "node:path";
import type { NetworkState, ProcessState } from "../../model/network-state.ts";
import type { ResolvedDatacenter, ResolvedEdge, ResolvedMachine } from "../../model/resolved-datacenter.ts";
import { addDhcpClient, dhcpServers } from "./dhcp-programs.ts";
import { addEdge } from "./edge-state.ts";
import { addFence } from "./fence-state.ts";
import { addHost } from "./host-state.ts";
import { namespaceName, safeName } from "./kernel-names.ts";
import { addMachine } from "./machine-state.ts";
import { addMirrors } from "./mirror-sessions.ts";
import { NamespaceDraft } from "./namespace-draft.ts";
import { addOutside } from "./outside-state.ts";
import { addPortSecurity } from "./port-security.ts";
import { addProbes, type Probe } from "./probe-state.ts";
import { addTrafficRules } from "./traffic-rules.ts";
import { addVirtualMachine, programOf } from "./virtual-machine.ts";
import { Wiring } from "./wiring.ts";

export interface DesiredOptions {
  /**
   * Which of the file's hosts this machine is. Null: none of them, so that everything runs here, and nothing
   * is connected to the outside.
   */
  readonly host: string | null;
  /** Whether bridges can filter VLANs; without it each VLAN gets a bridge of its own. */
  readonly isVlanAware: boolean;
  /** Whether there are VLAN devices, by which a bridge gets a VLAN of an uplink. */
  readonly hasVlanDevices: boolean;
  /** Absolute path of the haproxy.cfg of an edge, and a hash of all that it says. */
  readonly loadBalancers: ReadonlyMap<string, { readonly path: string; readonly hash: string }>;
  /** The words that call Sallyport itself. */
  readonly program: readonly string[];
  /** Where what must outlive a reboot is kept: the copies of virtual machines' disks. */
  readonly dataDirectory: string;
  /** A file's path as programs elsewhere find it, from the folder of the file that names it, if any. */
  absolutePath(path: string, namedIn?: string): string;
  /** Names of switches through whose port groups probes shall be sent. */
  readonly probedSwitches?: readonly string[];
  /** Names of switches that were upgraded, and whose LAGs are still those of the version before. */
  readonly unconvertedLags?: readonly string[];
}

export interface Desired {
  readonly state: NetworkState;
  /** What of the file is not carried out here, each with its reason. */
  readonly notes: readonly string[];
  /** Namespaces by the name of the machine, edge or network outside. */
  readonly namespaceOf: ReadonlyMap<string, string>;
  readonly probes: readonly Probe[];
}

export function desiredState(resolved: ResolvedDatacenter, options: DesiredOptions): Desired {
  const drafts = new Drafts(resolved.source.name.value);
  const wiring = new Wiring(resolved, options, drafts);
  const isHere = ({ host }: { readonly host: string | null }) =>
    options.host === null || host === null || host === options.host;
  if (options.host !== null) addHost(options.host, wiring);
  for (const machine of resolved.machines.filter(isHere)) buildMachine(machine, wiring, options);
  for (const edge of resolved.edges.filter(isHere)) buildEdge(edge, wiring, options);
  for (const network of resolved.networks)
    if (network.isExternal && !wiring.hasUplink(network.name)) addOutside(network, wiring);
  const probes = addProbes(wiring, options.probedSwitches ?? []);
  addPortSecurity(wiring);
  addTrafficRules(wiring);
  addMirrors(wiring);
  return { ...drafts.finish(), probes };
}

/** All namespaces and programs so far, and what was left out. */
export class Drafts {
  readonly datacenter: string;
  readonly processes: ProcessState[] = [];
  readonly notes: string[] = [];
  readonly #byName = new Map<string | null, NamespaceDraft>();
  readonly #namespaceOf = new Map<string, string>();

  constructor(datacenter: string) {
    this.datacenter = datacenter;
  }

  /** The namespace of something with a name of its own. */
  namespace(name: string, words: string): NamespaceDraft {
    let kernelName = namespaceName(this.datacenter, name);
    // A machine and a network may have one name.
    if (this.#byName.has(kernelName)) kernelName = namespaceName(this.datacenter, words);
    const draft = new NamespaceDraft(kernelName, words);
    this.#byName.set(kernelName, draft);
    if (!this.#namespaceOf.has(name)) this.#namespaceOf.set(name, kernelName);
    return draft;
  }

  /** The namespace that the program itself is in. */
  own(): NamespaceDraft {
    const draft = this.#byName.get(null) ?? new NamespaceDraft(null, "this machine");
    this.#byName.set(null, draft);
    return draft;
  }

  finish(): Omit<Desired, "probes"> {
    const namespaces = [...this.#byName.values()].map((draft) => draft.finish());
    return {
      state: { namespaces, processes: this.processes },
      notes: this.notes,
      namespaceOf: this.#namespaceOf,
    };
  }
}

function buildMachine(machine: ResolvedMachine, wiring: Wiring, options: DesiredOptions): void {
  const { name, source } = machine;
  const { drafts } = wiring;
  if (machine.cluster !== null && (source.kind.kind === "attach" || source.kind.kind === "qemu"))
    drafts.notes.push(
      `${name} takes part in cluster ${machine.cluster} only if its own Linux runs: sallyport cluster agent FILE ${name}`,
    );
  if (source.kind.kind === "attach") {
    wiring.attach(machine, source.kind.interface.value);
    return;
  }
  if (source.kind.kind === "qemu") {
    addVirtualMachine(machine, source.kind, wiring, options);
    return;
  }
  const draft = addMachine(machine, wiring);
  for (const one of machine.interfaces) if (one.wantsDhcp) addDhcpClient(machine, one, draft, drafts);
  if (source.kind.kind !== "run" || draft.name === null) return;
  drafts.processes.push({
    name: programOf(name),
    words: `the command of ${name}`,
    namespace: draft.name,
    command: ["/bin/sh", "-c", source.kind.command.value],
    workingDirectory: options.absolutePath(dirname(source.kind.command.span.file)),
    isIsolated: true,
    files: [],
    reload: null,
  });
}

function buildEdge(edge: ResolvedEdge, wiring: Wiring, options: DesiredOptions): void {
  const draft = edge.fence === null ? addEdge(edge, wiring) : addFence(edge, edge.fence, wiring);
  const { drafts } = wiring;
  if (draft.name === null) return;
  drafts.processes.push(...dhcpServers(edge, wiring, draft.name));
  const balancer = options.loadBalancers.get(edge.name);
  if (balancer === undefined) return;
  drafts.processes.push({
    name: safeName(`balancer-${edge.name}`),
    words: `the load balancer of ${edge.name}`,
    namespace: draft.name,
    command: [...options.program, "run", balancer.path],
    workingDirectory: options.absolutePath(dirname(balancer.path)),
    isIsolated: false,
    files: [],
    reload: { signal: "HUP", hash: balancer.hash },
  });
}
