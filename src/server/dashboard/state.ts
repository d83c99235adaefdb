// Everything that the dashboard's routes work on, made once: what is kept, and what is asked.
import type { Overview } from "../../model/dashboard-api.ts";
import type { AuditLog } from "../console/audit-log.ts";
import type { EndedRequest } from "../messages.ts";
import type { SourceText } from "../prepare.ts";
import type { AuditTail } from "./audit-tail.ts";
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
import { TrafficSampler } from "./traffic-sampler.ts";

export class DashboardState {
  readonly settings: DashboardSettings;
  readonly source: DashboardSource;
  readonly auditTail: AuditTail;
  readonly history: TrafficHistory = new TrafficHistory();
  readonly requests: RequestLog = new RequestLog();
  readonly sticky: StickyClients = new StickyClients();
  readonly explainer: RequestExplainer = new RequestExplainer();
  readonly events: EventHub;
  readonly serverActions: ServerActions;
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
    this.#sampler = new TrafficSampler(source);
    this.#overview = this.#sampler.sample(source.actions.nowMs).overview;
  }

  get audit(): AuditLog {
    return this.auditTail.write;
  }

  get hasConsoles(): boolean {
    return false;
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
    // With thousands of servers the rows are the most work of all, so only when somebody looks.
    if (this.events.readerCount === 0) return;
    const servers = this.#changes.take(serverRows(actions, this.sticky));
    if (servers.length > 0) this.events.send("servers", { atMs: actions.nowMs, servers });
  }

  close(): void {
    this.events.close("the program ends");
  }

  handleReload(sources: readonly SourceText[]): void {
    const { nowMs, runtime } = this.source.actions;
    this.sources = sources;
    this.loadedMs = nowMs;
    this.events.send("reload", { generation: runtime.generation });
  }

  handleRequests(ended: readonly EndedRequest[], endedCount: number): void {
    this.sticky.note(ended);
    const requests = this.requests.add(ended, endedCount, this.source.actions.nowMs);
    if (requests.length > 0) this.events.send("requests", { requests, kept: this.requests.kept });
  }
}
