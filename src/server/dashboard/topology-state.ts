// What of the datacentre is alive: machines that are servers of the running load balancer, by its checks and
// counters, and what `apply` has made on this machine, with what its ports and services count.
import { resolve } from "node:path";
import type { ServiceCount } from "../../driver/linux/service-counters.ts";
import type { EdgeRulesAnswer, TopologyState } from "../../model/dashboard-datacenter.ts";
import type { AdminActions } from "../admin/actions.ts";
import type { LoadedDatacenter } from "../datacenter/load-datacenter.ts";
import { AppliedNetworkReader } from "./applied-network.ts";
import type { DatacenterFile } from "./datacenter-file.ts";
import { EdgeRulesReader } from "./edge-rules.ts";
import { viewOf } from "./server-rows.ts";
import { balancedNodes, balancedTraffic, balancerCounters } from "./topology-balancer.ts";
import { cardTraffic, portTraffic, withHost, withPorts, withServices } from "./topology-ports.ts";
import { TrafficMeter } from "./traffic-meter.ts";

/** Reading the kernel takes some milliseconds, so all who look share one answer for so long. */
const LIFE_MS = 3000;

export class TopologyStateReader {
  readonly #datacenter: DatacenterFile;
  readonly #actions: AdminActions;
  readonly #files: readonly string[];
  readonly #isDemo: boolean;
  readonly #applied: AppliedNetworkReader;
  readonly #rules: EdgeRulesReader;
  readonly #meter = new TrafficMeter();
  #kept: { readonly untilMs: number; readonly answer: Promise<TopologyState> } | null = null;

  /**
   * `files`: of the running load balancer. `isDemo`: all servers are on loopback, and are those machines that
   * have their names.
   */
  constructor(datacenter: DatacenterFile, actions: AdminActions, files: readonly string[], isDemo: boolean) {
    this.#datacenter = datacenter;
    this.#actions = actions;
    this.#files = files;
    this.#isDemo = isDemo;
    this.#applied = new AppliedNetworkReader(datacenter.path);
    this.#rules = new EdgeRulesReader(datacenter.path);
  }

  read(): Promise<TopologyState> {
    const { nowMs } = this.#actions;
    if (this.#kept === null || this.#kept.untilMs <= nowMs)
      this.#kept = { untilMs: nowMs + LIFE_MS, answer: this.#readNow() };
    return this.#kept.answer;
  }

  async rulesOf(edge: string): Promise<EdgeRulesAnswer> {
    const { applied, isRootless, drift } = await this.read();
    if (applied === "no") return { state: "not-applied", text: "", rules: [] };
    if (applied === "unknown") return { state: "unknown", text: drift[0] ?? "", rules: [] };
    return this.#rules.read(edge, this.#datacenter.version, isRootless);
  }

  close(): void {
    this.#applied.close();
    this.#rules.close();
  }

  async #readNow(): Promise<TopologyState> {
    const { loaded } = this.#datacenter;
    const { resolved } = loaded;
    if (resolved === null) {
      const { nowMs } = this.#actions;
      return { atMs: nowMs, applied: "unknown", isRootless: false, drift: [], nodes: {}, links: {} };
    }
    const { counted, ...applied } = await this.#applied.read(resolved.source.name.value);
    const { nowMs } = this.#actions;
    const view = viewOf(this.#actions);
    const served = balancedNodes(resolved, view, this.#isDemo);
    const made = withHost(withPorts(served, resolved, counted.ports), counted);
    const nodes = withServices(made, resolved, [
      ...counted.services,
      ...balancerCounters(
        this.#servedEdges(loaded).filter((edge) => !isServed(edge, counted.services)),
        view,
      ),
    ]);
    const byKernel = [...portTraffic(resolved, counted.ports), ...cardTraffic(resolved, counted)];
    const isCounted = new Set(byKernel.map(({ link }) => link));
    const byBalancer = balancedTraffic(resolved, view, this.#isDemo);
    const links = this.#meter.receive(
      [...byKernel, ...byBalancer.filter(({ link }) => !isCounted.has(link))],
      nowMs,
    );
    return { atMs: nowMs, ...applied, nodes, links };
  }

  /** Edges whose load balancer is the one that runs here. */
  #servedEdges({ loadBalancers }: LoadedDatacenter): string[] {
    const running = new Set(this.#files.map((file) => resolve(file)));
    return loadBalancers
      .filter(({ path }) => this.#isDemo || running.has(resolve(path)))
      .map(({ edge }) => edge);
  }
}

/** `apply` has started a load balancer there, which has been asked. */
function isServed(edge: string, services: readonly ServiceCount[]): boolean {
  return services.some(({ owner, kind }) => owner === edge && kind === "sessions");
}
