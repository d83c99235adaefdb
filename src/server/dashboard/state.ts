// Everything that the dashboard's routes work on, made once: what is kept, and what is asked.
import type { Overview, RequestRecord } from "../../model/dashboard-api.ts";
import type { AuditLog } from "../console/audit-log.ts";
import { type ConsoleDesk, readConsoleDesk } from "../console/configuration.ts";
import { virtualConsoles } from "../datacenter/virtual-consoles.ts";
import { RememberedProxyFixes } from "../fixes/proxy-fixes.ts";
import type { EndedRequest } from "../messages.ts";
import type { SourceText } from "../prepare.ts";
import type { AuditTail } from "./audit-tail.ts";
import { DatacenterFile } from "./datacenter-file.ts";
import { EventHub } from "./events.ts";
import { TrafficHistory } from "./history.ts";
import { RequestExplainer } from "./request-explanation.ts";
import { RequestLog } from "./request-log.ts";
import { ServerActions } from "./server-actions.ts";
import { ServerChanges } from "./server-changes.ts";
import { serverRows } from "./server-rows.ts";
import type { DashboardSettings } from "./settings.ts";
import type { DashboardSource } from "./source.ts";
import { StickyClients } from "./sticky-clients.ts";
import { TopologyStateReader } from "./topology-state.ts";
import { TrafficSampler } from "./traffic-sampler.ts";

/** Between two times that browsers are told. */
const UNTOLD_MAX = 2000;

export class DashboardState {
  readonly settings: DashboardSettings;
  readonly source: DashboardSource;
  readonly auditTail: AuditTail;
  readonly history: TrafficHistory = new TrafficHistory();
  readonly requests: RequestLog = new RequestLog();
  readonly sticky: StickyClients = new StickyClients();
  readonly proxyFixes: RememberedProxyFixes = new RememberedProxyFixes();
  readonly explainer: RequestExplainer = new RequestExplainer();
  readonly events: EventHub;
  readonly serverActions: ServerActions;
  /** Null: none was named. */
  readonly datacenter: DatacenterFile | null;
  readonly topologyState: TopologyStateReader | null;
  #consoles: { readonly version: string; readonly desk: ConsoleDesk | null } | null = null;
  #datacenterVersion = "";
  #untold: RequestRecord[] = [];
  readonly #changes = new ServerChanges();
  readonly #sampler: TrafficSampler;
  #overview: Overview;
  /** As they were when the configuration that serves was read. */
  sources: readonly SourceText[] = [];
  loadedMs = 0;

  constructor(settings: DashboardSettings, source: DashboardSource, auditTail: AuditTail) {
    this.settings = settings;
    this.source = source;
    this.auditTail = auditTail;
    this.events = new EventHub(source.startedMs.toString(36));
    this.serverActions = new ServerActions(source.actions, this.sticky);
    const { datacenterFile } = settings;
    this.datacenter = datacenterFile === null ? null : new DatacenterFile(datacenterFile, source.environment);
    this.topologyState =
      this.datacenter === null
        ? null
        : new TopologyStateReader(this.datacenter, source.actions, source.files, settings.isDemo);
    this.#sampler = new TrafficSampler(source);
    const first = this.#sampler.sample(source.actions.nowMs);
    this.#overview = first.overview;
    this.history.add(first);
  }

  get audit(): AuditLog {
    return this.auditTail.write;
  }

  get hasConsoles(): boolean {
    return this.consoleDesk() !== null;
  }

  /** Null: there are none. Read again when the file has changed. */
  consoleDesk(): ConsoleDesk | null {
    const { datacenter } = this;
    if (datacenter === null) return null;
    const { version, loaded, path } = datacenter;
    if (this.#consoles?.version !== version) {
      const { datacenter: source, resolved } = loaded;
      const desk =
        source === null || resolved === null
          ? null
          : readConsoleDesk(source, path, virtualConsoles(resolved));
      this.#consoles = { version, desk };
    }
    return this.#consoles.desk;
  }

  get overview(): Overview {
    return this.#overview;
  }

  /** Once a second. */
  tick(): void {
    const { actions } = this.source;
    const sample = this.#sampler.sample(actions.nowMs);
    this.#overview = sample.overview;
    this.history.add(sample);
    this.events.send("overview", sample.overview);
    this.events.dismissStrangers();
    if (this.events.readerCount > 0) this.#watchDatacenter();
    // With thousands of servers the rows are the most work of all, so only when somebody looks at them.
    if (!this.events.isWanted("servers")) return;
    const servers = this.#changes.take(serverRows(actions, this.sticky));
    if (servers.length > 0) this.events.send("servers", { atMs: actions.nowMs, servers });
  }

  #watchDatacenter(): void {
    const version = this.datacenter?.version ?? "";
    if (version !== this.#datacenterVersion && this.#datacenterVersion !== "")
      this.events.send("datacenter", { version });
    this.#datacenterVersion = version;
  }

  close(): void {
    this.topologyState?.close();
    this.events.close("the program ends");
  }

  handleReload(sources: readonly SourceText[]): void {
    const { nowMs, runtime } = this.source.actions;
    this.sources = sources;
    this.loadedMs = nowMs;
    this.events.send("reload", { generation: runtime.generation });
  }

  handleRequests(ended: readonly EndedRequest[], endedCount: number): void {
    const { nowMs } = this.source.actions;
    this.sticky.note(ended, nowMs);
    const records = this.requests.add(ended, endedCount, nowMs);
    if (this.events.isWanted("requests")) this.#untold.push(...records);
    if (this.#untold.length > UNTOLD_MAX) this.#untold = this.#untold.slice(-UNTOLD_MAX);
  }

  /** Several times a second. */
  tellRequests(): void {
    if (this.#untold.length === 0) return;
    const requests = this.#untold;
    this.#untold = [];
    this.events.send("requests", { requests, kept: this.requests.kept });
  }
}
