// A server that the runtime API adds (`add server`, management manual 9.3): the words of a `server` line, a
// subset of them, without `default-server`. What stands against it is said in HAProxy's words, since programs
// read them; only the values of a word are judged as in a file.
import { nearestWord } from "../../diagnostic/nearest-word.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { ProxyConfiguration, Proxy as ProxyModel, Server } from "../../model/proxy.ts";
import { Cursor } from "./cursor.ts";
import { copyDraft, newDefaults, type ProxyDraft } from "./draft.ts";
import type { ReaderEnvironment } from "./environment.ts";
import { newGlobal } from "./global-section.ts";
import { SERVER_KEYWORDS } from "./keywords-line.ts";
import { type ProxyLine, Reading } from "./reading.ts";
import { Report } from "./report.ts";
import { newServerDraft, type ServerDraft } from "./server-draft.ts";
import { buildServer, readServerAddress, readServerWord, toServerAddress } from "./server-line.ts";
import { wordAt } from "./word.ts";

/** The words of HAProxy 2.6's list that are known here at all. */
const ALLOWED: ReadonlySet<string> = new Set([
  "addr", "agent-addr", "agent-check", "agent-inter", "agent-port", "agent-send", "alpn", "backup", "ca-file", "check",
  "check-alpn", "check-proto", "check-send-proxy", "check-sni", "check-ssl", "ciphers", "ciphersuites", "crl-file", "crt",
  "disabled", "downinter", "enabled", "error-limit", "fall", "fastinter", "force-tlsv10", "force-tlsv11", "force-tlsv12",
  "force-tlsv13", "id", "inter", "maxconn", "maxqueue", "minconn", "no-ssl-reuse", "no-sslv3", "no-tlsv10", "no-tlsv11",
  "no-tlsv12", "no-tlsv13", "no-tls-tickets", "observe", "on-error", "on-marked-down", "on-marked-up", "pool-low-conn",
  "pool-max-conn", "pool-purge-delay", "port", "proto", "proxy-v2-options", "rise", "send-proxy", "send-proxy-v2", "slowstart",
  "sni", "source", "ssl", "ssl-max-ver", "ssl-min-ver", "tfo", "tls-tickets", "track", "verify", "verifyhost", "weight",
]); // biome-ignore format: a table

/**
 * The server `name` of `proxy`, whose balance is dynamic, from the words behind its name: its address, then
 * keywords. A sentence about the first thing that is wrong instead.
 */
export function readDynamicServer(
  configuration: ProxyConfiguration,
  proxy: ProxyModel,
  name: string,
  words: readonly string[],
  environment: ReaderEnvironment,
): Server | string {
  const bad = /[^\w.:-]/.exec(name);
  if (bad !== null) return `character '${bad[0]}' is not permitted in server name '${name}'.`;
  if (words.length === 0) return "'server' expects <name> and <addr>[:<port>] as arguments.";
  const line = lineOf(configuration, proxy, words, environment);
  const endpoint = readServerAddress(line, line.words[0]!);
  const draft = readWords(line, proxy);
  if (typeof draft === "string") return draft;
  const present = proxy.backend!.servers;
  const problem = describeProblem(configuration, proxy, name, draft);
  if (problem !== null) return problem;
  if (present.some((server) => server.name === name))
    return "Already exists a server with the same name in backend.";
  const taken = present.find(({ id }) => id === draft.id?.value);
  if (taken !== undefined) {
    const place = taken.span.line === 0 ? "" : ` at ${taken.span.file}:${taken.span.line}`;
    return `'id' : custom id ${taken.id} already used${place} ('server ${taken.name}').`;
  }
  const id = draft.id?.value ?? firstFree(present.map((server) => server.id));
  const server = buildServer(line, draft, name, toServerAddress(endpoint), words[0]!, id, NO_SPAN);
  const wrong = firstError(line.report);
  if (wrong !== null) return wrong;
  if (server.check !== null && !hasCheckPort(proxy, server))
    return `config: backend '${proxy.name}': server '${name}' has neither service port nor check port nor tcp_check rule 'connect' with port information.`;
  return server;
}

/** Weights and members may change while these are in use; the others' tables are made once. */
export function hasDynamicBalance({ backend }: ProxyModel): boolean {
  const { balance, hashType } = backend!;
  const { algorithm } = balance;
  if (["roundrobin", "leastconn", "first", "random"].includes(algorithm)) return true;
  return algorithm !== "static-rr" && hashType.method === "consistent";
}

/** A line such as the file could have it, in a section that knows what the file's does. */
function lineOf(
  configuration: ProxyConfiguration,
  proxy: ProxyModel,
  words: readonly string[],
  environment: ReaderEnvironment,
): ProxyLine {
  const { caBase, crtBase, ciphers, ciphersuites, isUnverified } = configuration.global.serverDefaults;
  const global = { ...newGlobal(), caBase, crtBase, serverVerifyNone: isUnverified };
  global.serverDefaults = { options: [], ciphers, ciphersuites };
  const report = new Report();
  const reading = new Reading(environment, report, global);
  for (const { name, frontend, backend } of configuration.proxies) {
    if (frontend !== null) reading.names.frontends.add(name);
    if (backend !== null) reading.names.backends.add(name);
    for (const server of backend?.servers ?? []) reading.names.servers.add(`${name}/${server.name}`);
  }
  for (const { name } of configuration.userlists) reading.names.userlists.add(name);
  const draft: ProxyDraft = copyDraft(newDefaults());
  draft.kind = proxy.kind;
  draft.name = proxy.name;
  draft.mode = proxy.mode;
  const read = words.map((text) => wordAt(text, NO_SPAN));
  return {
    reading,
    report,
    draft,
    words: read,
    keyword: wordAt("server", NO_SPAN),
    modifier: null,
    span: NO_SPAN,
  };
}

function readWords(line: ProxyLine, { mode }: ProxyModel): ServerDraft | string {
  const draft = newServerDraft();
  draft.isDynamic = true;
  const wrongAddress = firstError(line.report);
  if (wrongAddress !== null) return wrongAddress;
  const cursor = new Cursor(line.words, 1, line.report);
  for (let keyword = cursor.next(); keyword !== null; keyword = cursor.next()) {
    const { text } = keyword;
    if (!SERVER_KEYWORDS.has(text)) return describeUnknown(text);
    if (!ALLOWED.has(text)) return `'${text}' option is not accepted for dynamic server`;
    const value = cursor.peek()?.text ?? "";
    if (text === "proto" && mode === "tcp") return "MUX protocol is not usable for server.";
    if (text === "proto" && value !== "h1") return `'proto' :  unknown MUX protocol '${value}'.`;
    if (text === "observe" && value === "layer7" && mode === "tcp")
      return "'layer7' can only be used in http proxies..";
    readServerWord({ line, cursor, draft, keyword, name: null });
    const wrong = firstError(line.report);
    if (wrong !== null) return wrong;
  }
  for (const check of line.reading.deferred) check();
  return firstError(line.report) ?? draft;
}

/** What only shows when all words are there. */
function describeProblem(
  configuration: ProxyConfiguration,
  proxy: ProxyModel,
  name: string,
  draft: ServerDraft,
): string | null {
  const isVerified = draft.hasVerify
    ? draft.tls.verify === "required"
    : !configuration.global.serverDefaults.isUnverified;
  if (draft.isTls && isVerified && draft.tls.caFile === null)
    return (
      "verify is enabled by default but no CA file specified. If you're running on a LAN where you're certain to " +
      "trust the server's certificate, please set an explicit 'verify none' statement on the 'server' line, or use " +
      "'ssl-server-verify none' in the global section to disable server-side verifications by default."
    );
  if (draft.isAgentChecked && draft.agentPort === null)
    return `server ${name} does not have agent port. Agent check has been disabled.`;
  return draft.track === null ? null : describeTrackProblem(configuration, proxy, draft, draft.track.text);
}

function describeTrackProblem(
  configuration: ProxyConfiguration,
  proxy: ProxyModel,
  draft: ServerDraft,
  text: string,
): string | null {
  const slash = text.indexOf("/");
  const backendName = slash < 0 ? proxy.name : text.slice(0, slash);
  const serverName = text.slice(slash + 1);
  const backend = configuration.proxies.find(
    (one) => one.name === backendName && one.backend !== null,
  )?.backend;
  if (backend == null) return `unable to find required proxy '${backendName}' for tracking.`;
  const server = backend.servers.find((one) => one.name === serverName);
  if (server === undefined) return `unable to find required server '${serverName}' for tracking.`;
  const unable = `unable to use ${backendName}/${serverName} for tracking as it`;
  if (server.isDynamic) return `${unable} is a dynamic server.`;
  if (server.check === null && server.agent === null && server.track === null)
    return `${unable} does not have any check nor agent enabled.`;
  return draft.isChecked || draft.isAgentChecked
    ? "unable to enable checks and tracking at the same time!"
    : null;
}

/** A port of 0 cannot be asked, unless the check itself names another. */
function hasCheckPort({ backend }: ProxyModel, { address, check }: Server): boolean {
  if (address.kind === "unix" || address.port !== null || check?.port != null) return true;
  const { check: definition } = backend!;
  const rules = "rules" in definition ? definition.rules : [];
  const first = rules.find((rule) => rule.kind === "connect");
  return first !== undefined && first.port !== null;
}

function describeUnknown(text: string): string {
  const near = nearestWord(text, SERVER_KEYWORDS.keys());
  return `unknown keyword '${text}'${near === null ? "." : `; did you mean '${near}' maybe ?`}`;
}

function firstError(report: Report): string | null {
  return report.diagnostics.find(({ severity }) => severity === "error")?.message ?? null;
}

function firstFree(taken: readonly number[]): number {
  const used = new Set(taken);
  let id = 1;
  while (used.has(id)) id++;
  return id;
}
