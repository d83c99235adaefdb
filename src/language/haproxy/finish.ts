// Turns drafts into the model when all sections have been read: decides modes, numbers proxies, and checks
// what only shows in the whole: names that refer to each other, modes that do not fit, what a mode makes
// void.

import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type {
  BackendSettings,
  CheckDefinition,
  FrontendSettings,
  ProxyConfiguration,
  Proxy as ProxyModel,
  TlsCommon,
} from "../../model/proxy.ts";
import type { LogFormat } from "../../model/sample.ts";
import { STORED_NAMES, type StickTableDefinition } from "../../model/stick-table.ts";
import { finishDispatch } from "./dispatch-line.ts";
import type { CheckDraft, ProxyDraft } from "./draft.ts";
import { builtInLogFormat } from "./expression/log-formats.ts";
import { checkExternalCheck } from "./external-check-line.ts";
import { finishGlobal } from "./global-section.ts";
import { withRequest } from "./http-check-request.ts";
import { displayText } from "./lexer.ts";
import { finishEmailAlerts } from "./mailers-section.ts";
import { assignNumbers } from "./numbering.ts";
import type { Reading } from "./reading.ts";
import { checkRings } from "./ring-section.ts";

export function finishConfiguration(reading: Reading, drafts: readonly ProxyDraft[]): ProxyConfiguration {
  inferModes(reading, drafts);
  for (const check of reading.deferred) check();
  for (const draft of drafts) {
    checkTracks(reading, drafts, draft);
    checkTargets(reading, drafts, draft);
    checkStats(reading, draft);
    checkExternalCheck(reading, draft);
    warnAboutMode(reading, draft);
    warnAboutMissing(reading, draft);
  }
  const ids = numberProxies(reading, drafts);
  const proxies = drafts.map((draft, i) => finishProxy(reading, draft, ids[i]!));
  checkRings(reading, proxies);
  return {
    global: finishGlobal(reading.global),
    proxies,
    userlists: reading.userlists,
    programs: reading.programs,
    patternLists: reading.patternLists.finish(),
    stickTables: reading.stickTables.map((table) => withServers(reading, table)),
    caches: reading.caches,
    peers: reading.peers,
    resolvers: reading.resolvers,
    rings: reading.rings,
    logForwarders: reading.logForwarders,
    namedServers: [...reading.namedServers],
  };
}

/** What `stick` rules store need not be said. */
function withServers(reading: Reading, table: StickTableDefinition): StickTableDefinition {
  if (!reading.stuckTables.has(table.name)) return table;
  const missing = (["server_id", "server_key"] as const).filter((name) =>
    table.stored.every((one) => one.name !== name),
  );
  const added = missing.map((name) => ({ name, periodMs: 0, count: 1 }));
  const stored = [...table.stored, ...added].sort(
    (a, b) => STORED_NAMES.indexOf(a.name) - STORED_NAMES.indexOf(b.name),
  );
  return { ...table, stored };
}

/**
 * HAProxy's default mode is tcp, in which the rules of 1.5 (`reqadd`, …) mean nothing. A proxy that has
 * such rules and no mode is read as http, and so is what it sends to; HAProxy of today refuses those files,
 * so none changes its meaning.
 */
function inferModes(reading: Reading, drafts: readonly ProxyDraft[]): void {
  const byName = new Map(drafts.map((draft) => [draft.name, draft]));
  const visit = (draft: ProxyDraft): void => {
    if (draft.mode !== null) return;
    draft.mode = "http";
    reading.report.warning(
      "missing-mode",
      draft.nameSpan,
      `\`${displayText(draft.name)}\` has no mode; it is read as \`mode http\` because of the rules of HAProxy 1.5`,
      "Add `mode http`: without it HAProxy takes the default, tcp.",
    );
    for (const name of targetsOf(draft)) {
      const target = byName.get(name);
      if (target !== undefined) visit(target);
    }
  };
  for (const draft of drafts) if (draft.firstLegacyRule !== null) visit(draft);
  for (const draft of drafts) draft.mode ??= "tcp";
}

function targetsOf(draft: ProxyDraft): string[] {
  const used = draft.useBackend.map((rule) => rule.backend).filter((name) => typeof name === "string");
  return draft.defaultBackend === null ? used : [...used, draft.defaultBackend.name];
}

function checkTargets(reading: Reading, drafts: readonly ProxyDraft[], draft: ProxyDraft): void {
  const check = (name: string, span: ProxyDraft["span"]): void => {
    const target = drafts.find((one) => one.name === name && one.kind !== "frontend");
    if (
      target === undefined ||
      target.mode === draft.mode ||
      (draft.mode === "tcp" && target.mode === "http")
    )
      return;
    const message = `\`${displayText(draft.name)}\` is in mode ${draft.mode} and cannot use \`${displayText(name)}\`, which is in mode ${target.mode}`;
    reading.report.error(
      "mode-mismatch",
      span,
      message,
      `Add \`mode ${draft.mode}\` to \`${displayText(name)}\`, or to the defaults.`,
      [{ span: target.span, message: "the backend is here" }],
    );
  };
  if (draft.kind === "backend") return;
  if (draft.defaultBackend !== null) check(draft.defaultBackend.name, draft.defaultBackend.span);
  for (const rule of draft.useBackend) if (typeof rule.backend === "string") check(rule.backend, rule.span);
}

function checkTracks(reading: Reading, drafts: readonly ProxyDraft[], draft: ProxyDraft): void {
  for (const server of draft.servers) {
    if (server.track === null) continue;
    if (server.check !== null || server.agent !== null) {
      reading.report.error(
        "conflict",
        server.span,
        "a server is either checked or tracks another",
        "Remove `check`, or `track`.",
      );
      continue;
    }
    const { backend, server: name } = server.track;
    const target = drafts
      .find((one) => one.name === backend && one.kind !== "frontend")
      ?.servers.find((one) => one.name === name);
    const shown = displayText(`${backend}/${name}`);
    if (target === undefined) {
      const help = suggestWord(`${backend}/${name}`, reading.names.servers);
      reading.report.error("unknown-server", server.span, `there is no server \`${shown}\` to track`, help);
    } else if (target === server)
      reading.report.error("conflict", server.span, "a server cannot track itself");
    else if (target.check === null && target.agent === null && target.track === null) {
      reading.report.error(
        "conflict",
        server.span,
        `\`${shown}\` cannot be tracked: it is not checked`,
        "Add `check` to that server.",
        [{ span: target.span, message: "the server is here" }],
      );
    }
  }
}

function checkStats(reading: Reading, draft: ProxyDraft): void {
  const { stats } = draft;
  if (stats === null || stats.httpRequest.length === 0 || (stats.auth.length === 0 && stats.realm === null))
    return;
  const message = "`stats http-request` excludes `stats auth` and `stats realm`";
  reading.report.error(
    "conflict",
    stats.httpRequest[0]!.span,
    message,
    "Use `stats http-request auth` with a userlist.",
  );
}

/** Its connections begin in mode tcp, and what stands there about requests is for later. */
function switchesToHttp({ tcpRequestContent }: ProxyDraft): boolean {
  return tcpRequestContent.some(({ action }) => action.kind === "switch-mode");
}

function warnAboutMode(reading: Reading, draft: ProxyDraft): void {
  if (draft.mode === "http" || switchesToHttp(draft)) return;
  for (const use of draft.httpOnly) {
    reading.report.warning(
      "needs-http-mode",
      use.span,
      `\`${use.what}\` is ignored: \`${displayText(draft.name)}\` is in mode tcp`,
      "Add `mode http` if these are HTTP servers.",
    );
  }
}

function warnAboutMissing(reading: Reading, draft: ProxyDraft): void {
  if (draft.isDisabled) return;
  const { report } = reading;
  const name = displayText(draft.name);
  if (draft.kind === "frontend" && draft.binds.length === 0 && !reading.report.hasErrors) {
    report.warning(
      "missing-bind",
      draft.nameSpan,
      `the frontend \`${name}\` listens nowhere`,
      "Add a `bind` line.",
    );
  }
  const { clientMs, connectMs, serverMs } = draft.timeouts;
  const missing: string[] = [];
  if (draft.kind !== "backend" && clientMs === null && draft.binds.length > 0) missing.push("client");
  if (draft.kind !== "frontend" && (draft.servers.length > 0 || draft.dispatch !== null)) {
    if (connectMs === null) missing.push("connect");
    if (serverMs === null) missing.push("server");
  }
  if (missing.length === 0) return;
  const lines = missing.map((one) => `timeout ${one} ${one === "connect" ? "5s" : "50s"}`).join("\n");
  report.warning(
    "missing-timeout",
    draft.nameSpan,
    `\`${name}\` has no ${missing.map((one) => `\`timeout ${one}\``).join(" and no ")}, so stuck connections stay for ever`,
    lines,
  );
}

/** HAProxy keeps number 1 for its own stats sockets, when there are any. */
function numberProxies(reading: Reading, drafts: readonly ProxyDraft[]): number[] {
  const used = new Map<number, ProxyDraft>();
  for (const draft of drafts) {
    if (draft.id === null) continue;
    const first = used.get(draft.id);
    if (first !== undefined) {
      reading.report.error(
        "duplicate-id",
        draft.idSpan ?? draft.span,
        `the id ${draft.id} is taken`,
        "Choose another number.",
        [{ span: first.idSpan ?? first.span, message: "it is taken here" }],
      );
    }
    used.set(draft.id, draft);
  }
  const start = reading.global.statsSockets.length > 0 ? 2 : 1;
  return assignNumbers(
    drafts.map((draft) => draft.id),
    start,
  );
}

function finishProxy(reading: Reading, draft: ProxyDraft, id: number): ProxyModel {
  const isHttp = draft.mode === "http" || switchesToHttp(draft);
  const logs = draft.usesGlobalLogs ? [...reading.global.logs, ...draft.logs] : draft.logs;
  return {
    kind: draft.kind as ProxyModel["kind"],
    name: draft.name,
    id,
    mode: draft.mode ?? "tcp",
    isDisabled: draft.isDisabled,
    description: draft.description,
    span: draft.span,
    places: draft.places,
    frontend: draft.kind === "backend" ? null : finishFrontend(draft),
    backend: draft.kind === "frontend" ? null : finishBackend(reading, draft),
    timeouts: draft.timeouts,
    logs,
    logFormat: draft.kind === "backend" || logs.length === 0 ? null : resolveLogFormat(reading, draft),
    errorLogFormat: draft.errorLogFormat,
    logFormatData: draft.logFormatData,
    logTag: draft.logTag,
    emailAlerts: finishEmailAlerts(reading, draft),
    options: isHttp ? draft.options : { ...draft.options, forwardFor: null, originalTo: null },
    errorReplies: draft.errorReplies,
    stats: isHttp ? draft.stats : null,
    tcpRequestConnection: draft.tcpRequestConnection,
    tcpRequestSession: draft.tcpRequestSession,
    tcpRequestContent: draft.tcpRequestContent,
    tcpResponseContent: draft.tcpResponseContent,
    inspectDelayMs: draft.inspectDelayMs,
    responseInspectDelayMs: draft.responseInspectDelayMs,
    httpRequest: isHttp ? requestRules(draft) : [],
    httpResponse: isHttp
      ? [...draft.httpResponse, ...draft.legacyResponseRules, ...draft.legacyResponseAdds]
      : [],
    httpAfterResponse: isHttp ? draft.httpAfterResponse : [],
    compression: isHttp ? draft.compression : null,
    uniqueId:
      draft.uniqueIdFormat === null ? null : { format: draft.uniqueIdFormat, header: draft.uniqueIdHeader },
  };
}

/**
 * HAProxy 1.5 ran `block` first, then http-request, the req… rules, `reqadd`, and `redirect` last, as it
 * still does.
 */
function requestRules(draft: ProxyDraft): ProxyModel["httpRequest"] {
  const { blockRules, httpRequest, legacyRequestRules, legacyRequestAdds, redirectRules } = draft;
  return [...blockRules, ...httpRequest, ...legacyRequestRules, ...legacyRequestAdds, ...redirectRules];
}

function resolveLogFormat(reading: Reading, draft: ProxyDraft): LogFormat {
  const choice = draft.logFormat;
  if (choice === null) return builtInLogFormat(draft.mode === "http" ? "connection-http" : "connection-tcp");
  if (choice.kind === "custom") return choice.format;
  if (draft.mode === "tcp" && choice.kind !== "tcplog") {
    reading.report.warning(
      "needs-http-mode",
      choice.span,
      `\`option ${choice.kind}\` needs \`mode http\`; \`${displayText(draft.name)}\` gets \`option tcplog\``,
      "Write `option tcplog` there.",
    );
    return builtInLogFormat("tcplog");
  }
  return builtInLogFormat(choice.kind);
}

/** Fills in the numbers that no `id` gave. */
function numbered<T extends { readonly id: number }>(items: readonly T[]): T[] {
  const ids = assignNumbers(
    items.map((item) => (item.id === 0 ? null : item.id)),
    1,
  );
  return items.map((item, i) => ({ ...item, id: ids[i]! }));
}

/** In HTTP mode a server must not choose a protocol that is not spoken to it. */
function withoutHttp2<T extends { readonly tls: TlsCommon | null; readonly span: Span }>(
  reading: Reading,
  draft: ProxyDraft,
  item: T,
): T {
  if (draft.mode !== "http" || item.tls === null || !item.tls.alpn.includes("h2")) return item;
  reading.report.notice(
    "no-effect",
    item.span,
    "`h2` is not offered: HTTP/2 is not spoken to servers yet",
    "They are spoken to in HTTP/1.1 meanwhile.",
  );
  return { ...item, tls: { ...item.tls, alpn: item.tls.alpn.filter((name) => name !== "h2") } };
}

function finishFrontend(draft: ProxyDraft): FrontendSettings {
  const {
    maxconn,
    backlog,
    useBackend,
    defaultBackend,
    rateLimitSessions,
    requestCaptures,
    responseCaptures,
    cookieCapture,
  } = draft;
  return {
    binds: numbered(draft.binds),
    maxconn,
    backlog,
    useBackend,
    defaultBackend,
    rateLimitSessions,
    keepAlive: draft.options.clitcpka ? draft.clientProbes : null,
    requestCaptures,
    responseCaptures,
    cookieCapture,
    grace: null,
  };
}

function finishBackend(reading: Reading, draft: ProxyDraft): BackendSettings {
  const {
    balance,
    hashType,
    hashBalanceFactor,
    dynamicCookieKey,
    useServer,
    persistRules,
    retries,
    fullconn,
  } = draft;
  const { httpReuse, sendNameHeader, source } = draft;
  return {
    balance,
    hashType,
    hashBalanceFactor,
    cookie: draft.mode === "http" ? draft.cookie : null,
    dynamicCookieKey,
    servers: numbered(draft.servers).map((server) => withoutHttp2(reading, draft, server)),
    dispatch: finishDispatch(reading, draft),
    useServer,
    persistRules,
    stickRules: draft.stickRules,
    retries,
    retryOn: draft.retryOn,
    keepAlive: draft.options.srvtcpka ? draft.serverProbes : null,
    fullconn,
    httpReuse,
    check: finishCheck(draft.check),
    sendNameHeader,
    rdpCookieName: draft.mode === "tcp" ? draft.rdpCookieName : null,
    source,
  };
}

function finishCheck(check: CheckDraft): CheckDefinition {
  switch (check.kind) {
    case "http":
      return { kind: "http", rules: withRequest(check.httpRules, check.optionRequest) };
    case "tcp":
      return { kind: "tcp", rules: check.tcpRules };
    case "smtp":
      return { kind: "smtp", hello: check.hello, domain: check.domain };
    case "mysql":
      return { kind: "mysql", user: check.user };
    case "pgsql":
      return { kind: "pgsql", user: check.user ?? "" };
    case "external":
      return { kind: "external", command: check.command?.text ?? "", path: check.path?.text ?? "" };
    default:
      return { kind: check.kind };
  }
}
