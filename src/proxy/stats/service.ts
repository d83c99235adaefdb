// Answers requests for the statistics: the page of a proxy with `stats enable` in its other forms (CSV, JSON,
// typed, metrics), the page's form, and the exporter (`http-request use-service prometheus-exporter`).
// Decides by the settings of the proxy that has the request. Builds replies; sends and changes nothing:
// commands of the form go to a callback.
import { VERSION, VERSION_DATE } from "../../base/version.ts";
import type * as model from "../../model/proxy.ts";
import { authReply, contentReply, errorReply, type Reply, type ReplySource } from "../exchange/replies.ts";
import { basicCredentials } from "../rules/authentication.ts";
import { compileCondition } from "../rules/condition.ts";
import type { RuleEnvironment } from "../rules/environment.ts";
import { equalConstantTime } from "../rules/password-hash.ts";
import { compileRules } from "../rules/program.ts";
import type { RuleProgram } from "../rules/programs.ts";
import type { Runtime } from "../runtime.ts";
import type { Stream } from "../stream.ts";
import { readAdminForm } from "./admin-form.ts";
import { formatCsv } from "./csv.ts";
import type { StatisticsRow } from "./fields.ts";
import { collectInfo, type InfoField } from "./info.ts";
import { formatJson, formatPlainJson } from "./json.ts";
import { renderPage } from "./page/page.ts";
import { PAGE_HEADERS } from "./page/style.ts";
import {
  type ExporterOptions,
  formatPrometheus,
  type MetricScope,
  PROMETHEUS_CONTENT_TYPE,
} from "./prometheus.ts";
import { collectRows } from "./rows.ts";
import type { StatisticsView } from "./statistics-view.ts";
import { formatTyped } from "./typed.ts";

/** HAProxy's default, which some clients look for. */
const REALM_DEFAULT = "HAProxy Statistics";
const SCOPES: readonly string[] = [
  "global",
  "frontend",
  "listener",
  "backend",
  "server",
] satisfies MetricScope[];

interface CompiledRules {
  readonly httpRequest: RuleProgram;
  isAdmin(stream: Stream): boolean;
}

interface PageRequest {
  readonly stream: Stream;
  readonly proxy: model.Proxy;
  readonly settings: model.StatsSettings;
  readonly rules: CompiledRules;
  /** What follows the page's address: ";csv", ";up;norefresh". */
  readonly words: string;
}

export class StatisticsService {
  readonly #environment: RuleEnvironment;
  readonly #rules: WeakMap<model.StatsSettings, CompiledRules> = new WeakMap();

  constructor(environment: RuleEnvironment) {
    this.#environment = environment;
  }

  /**
   * Null when the request is not for the statistics. `runCommand` gets commands of the runtime API; their
   * outcome is not waited for. The form of the page is read from `stream.body`: see `needsBody`.
   */
  serveStatistics(stream: Stream, runCommand: (command: string) => void): Reply | null {
    const request = this.#pageRequest(stream);
    if (request === null) return null;
    stream.serviceName = "<STATS>";
    const refusal = this.#authorise(request);
    if (refusal !== null) return refusal;
    return stream.request!.method === "POST" ? this.#submit(request, runCommand) : this.#show(request);
  }

  /** True for a form that the client may send and whose body has not been read: buffer it, then serve. */
  needsBody(stream: Stream): boolean {
    if (stream.body !== null || stream.request?.method !== "POST") return false;
    const request = this.#pageRequest(stream);
    return request !== null && this.#authorise(request) === null && request.rules.isAdmin(stream);
  }

  /** The exporter: everything, or what `?scope=` says, without servers in maintenance after `?no-maint`. */
  serveMetrics(stream: Stream): Reply {
    stream.serviceName = "<PROMEX>";
    const { method, target } = stream.request!;
    const source = sourceOf(stream.frontend.definition);
    if (method !== "GET" && method !== "HEAD") return errorReply(405, source);
    const options = exporterOptions(target);
    if (options === null) return errorReply(400, source);
    const view = this.#view(stream.runtime, false);
    return metricsReply(collectRows(view), this.#info(view), options);
  }

  #pageRequest(stream: Stream): PageRequest | null {
    const proxy =
      (stream.backend?.definition.stats ?? null) === null
        ? stream.frontend.definition
        : stream.backend!.definition;
    const settings = proxy.stats;
    const head = stream.request;
    if (settings === null || head === null) return null;
    // Every request is looked at here, and hardly one is for us: no text is made of its target.
    if (head.targetStartsWith("/") && !head.targetStartsWith(settings.uri)) return null;
    if (!/^(GET|HEAD|POST)$/.test(head.method)) return null;
    const target = originForm(head.target);
    if (!target.startsWith(settings.uri)) return null;
    return {
      stream,
      proxy,
      settings,
      rules: this.#rulesOf(settings),
      words: target.slice(settings.uri.length),
    };
  }

  #rulesOf(settings: model.StatsSettings): CompiledRules {
    let rules = this.#rules.get(settings);
    if (rules === undefined) {
      const conditions = settings.adminRules.map((rule) =>
        compileCondition(rule.condition, this.#environment),
      );
      rules = {
        httpRequest: compileRules(settings.httpRequest, this.#environment),
        isAdmin: (stream) => conditions.some((condition) => condition(stream)),
      };
      this.#rules.set(settings, rules);
    }
    return rules;
  }

  #authorise({ stream, proxy, settings, rules }: PageRequest): Reply | null {
    const source = sourceOf(proxy);
    const verdict = rules.httpRequest.isEmpty ? null : rules.httpRequest.run(stream, 0);
    if (verdict?.kind === "deny") return errorReply(verdict.reply.status, source);
    if (verdict?.kind === "auth") return authReply(verdict.realm, false, source);
    if (verdict !== null && verdict.kind !== "done") return errorReply(403, source);
    if (settings.auth.length === 0) return null;
    const credentials = basicCredentials(stream.request!);
    const isKnown = settings.auth.some(
      ({ user, password }) => credentials?.user === user && equalConstantTime(credentials.password, password),
    );
    return isKnown
      ? null
      : authReply((settings.realm ?? REALM_DEFAULT).replace(/["\\]/g, "\\$&"), false, source);
  }

  #submit({ stream, settings, rules, words }: PageRequest, runCommand: (command: string) => void): Reply {
    const outcome = this.#runForm(stream, rules, runCommand);
    const kept = [";up", ";no-maint", ";norefresh"].filter((word) => words.includes(word)).join("");
    const scope = scopeOf(words);
    const view = scope === null ? kept : `${kept};scope=${scope}`;
    const headers = ["cache-control: no-cache", `location: ${settings.uri};st=${outcome}${view}`];
    return contentReply(303, "text/plain", EMPTY, headers);
  }

  #runForm(stream: Stream, rules: CompiledRules, runCommand: (command: string) => void): string {
    // Another site must not make a logged-in administrator's browser send the form.
    if (!rules.isAdmin(stream) || stream.request!.firstValue("sec-fetch-site") === "cross-site")
      return "DENY";
    if (stream.body === null) return "EXCD";
    const form = readAdminForm(Buffer.from(stream.body).toString("latin1"), stream.runtime);
    for (const command of form.commands) runCommand(command);
    return form.outcome;
  }

  #show(request: PageRequest): Reply {
    const { settings, words } = request;
    const view = this.#view(request.stream.runtime, settings.showLegends);
    const rows = visibleRows(collectRows(view), settings.scopes, words);
    const refresh =
      settings.refreshSeconds === null || words.includes(";norefresh")
        ? []
        : [`refresh: ${settings.refreshSeconds}`];
    const headers = ["cache-control: no-cache", ...refresh];
    const reply = (type: string, text: string) => contentReply(200, type, Buffer.from(text), headers);
    if (words.includes(";metrics"))
      return metricsReply(rows, this.#info(view), { scopes: new Set(), isWithoutMaintenance: false });
    if (words.includes(";plain")) return reply("application/json", formatPlainJson(rows));
    if (words.includes(";json")) return reply("application/json", formatJson(rows));
    if (words.includes(";typed")) return reply("text/plain", formatTyped(rows));
    if (words.includes(";csv")) return reply("text/plain", formatCsv(rows));
    const page = Buffer.from(this.#page(request, rows, this.#info(view)));
    return contentReply(200, "text/html; charset=utf-8", page, [...headers, ...PAGE_HEADERS]);
  }

  #page(
    { stream, settings, rules, words }: PageRequest,
    rows: readonly StatisticsRow[],
    info: readonly InfoField[],
  ): string {
    return renderPage(rows, info, {
      uri: settings.uri,
      node: settings.showNode,
      description: settings.showDescription,
      version: settings.hideVersion ? null : VERSION,
      refreshSeconds: settings.refreshSeconds,
      isRefreshing: !words.includes(";norefresh"),
      isAdmin: rules.isAdmin(stream),
      isWithoutDown: words.includes(";up"),
      hasLegends: settings.showLegends,
      outcome: /;st=([A-Z]{4})/.exec(words)?.[1] ?? null,
    });
  }

  #view(runtime: Runtime, hasLegends: boolean): StatisticsView {
    return {
      runtime,
      nowMs: this.#environment.clock.wallClockMs,
      maxconn: runtime.configuration.global.maxconn,
      hasLegends,
      checks: null,
    };
  }

  #info(view: StatisticsView): InfoField[] {
    const { global } = view.runtime.configuration;
    return collectInfo(view, {
      version: VERSION,
      releaseDate: VERSION_DATE,
      pid: this.#environment.pid,
      workerCount: this.#environment.workerCount,
      fileDescriptorLimit: 0,
      node: global.node ?? this.#environment.hostname,
      description: global.description,
    });
  }
}

const EMPTY = new Uint8Array(0);

function metricsReply(
  rows: readonly StatisticsRow[],
  info: readonly InfoField[],
  options: ExporterOptions,
): Reply {
  const body = Buffer.from(formatPrometheus(rows, info, options));
  return contentReply(200, PROMETHEUS_CONTENT_TYPE, body, ["cache-control: no-cache"]);
}

/** Null for a scope that there is not. `scope=*` and no scope are all; `scope=` is none. */
function exporterOptions(target: string): ExporterOptions | null {
  const query = new URLSearchParams(target.includes("?") ? target.slice(target.indexOf("?") + 1) : "");
  const words = query.getAll("scope");
  if (words.some((word) => word !== "*" && word !== "" && !SCOPES.includes(word))) return null;
  const named = words.includes("*") ? [] : words;
  return { scopes: new Set(named as MetricScope[]), isWithoutMaintenance: query.has("no-maint") };
}

/** ";scope=web": only proxies with that in their names. */
function scopeOf(words: string): string | null {
  return /[;?&]scope=([A-Za-z0-9_.:-]{1,20})/.exec(words)?.[1] ?? null;
}

/** What `stats scope`, ";scope=…", ";up" and ";no-maint" leave. */
function visibleRows(
  rows: readonly StatisticsRow[],
  scopes: readonly string[],
  words: string,
): readonly StatisticsRow[] {
  const wanted = scopeOf(words)?.toLowerCase() ?? "";
  return rows.filter(({ kind, proxy, fields }) => {
    if (!proxy.name.toLowerCase().includes(wanted)) return false;
    if (scopes.length > 0 && !scopes.includes(proxy.name)) return false;
    if (kind !== "server") return true;
    const status = `${fields.status}`;
    return (
      !(words.includes(";up") && /^DOWN/.test(status)) &&
      !(words.includes(";no-maint") && /^MAINT/.test(status))
    );
  });
}

function originForm(target: string): string {
  return target.replace(/^https?:\/\/[^/]*/i, "");
}

/** Error pages of a proxy need no formats of a stream. */
function sourceOf(proxy: model.Proxy): ReplySource {
  return { errorReplies: proxy.errorReplies, evaluate: () => "" };
}
