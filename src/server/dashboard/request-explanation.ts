// Why a request of the log went where it went: asked again of the configuration that serves now, by the same
// code as `sallyport explain request`. What the log does not know of it is said.
import { hostname } from "node:os";
import type { SocketAddress } from "../../base/address.ts";
import type { RequestDetails, RequestExplanation, RequestTimers } from "../../model/dashboard-api.ts";
import { explainRequest } from "../../proxy/explain/explain-request.ts";
import type { ExplainFacts, RequestQuestion } from "../../proxy/explain/question.ts";
import { describeTermination, TIMER_WORDS } from "../../proxy/log/termination-words.ts";
import type { Runtime } from "../../proxy/runtime.ts";
import { namesOfCertificates } from "../explain/certificate-names.ts";
import type { EndedRequest } from "../messages.ts";
import type { KeptRequest } from "./request-log.ts";
import { copyWithoutSecrets } from "./secrets.ts";

/** Bodies mean nothing to an explanation but their length, and that is bounded. */
const BODY_BYTES_MAX = 65_536;

export class RequestExplainer {
  #names: { readonly of: Runtime; readonly names: ExplainFacts["certificateNames"] } | null = null;

  describe({ record, ended }: KeptRequest, runtime: Runtime): RequestDetails {
    return {
      request: record,
      timers: timersInWords(record.timers),
      termination: describeTermination(record.termination),
      headers: ended.http?.headers ?? [],
      explanation: this.#explain(ended, runtime),
    };
  }

  facts(runtime: Runtime): ExplainFacts {
    // Certificates are files, some with a password that takes its time: read once for each generation.
    if (this.#names?.of !== runtime)
      this.#names = { of: runtime, names: namesOfCertificates(runtime.configuration) };
    return {
      nowMs: Date.now(),
      hostname: hostname(),
      pid: process.pid,
      processVariables: process.env,
      certificateNames: this.#names.names,
      endpoints: endpointsOf(runtime),
    };
  }

  #explain(ended: EndedRequest, runtime: Runtime): RequestExplanation {
    const isHttp = runtime.frontendsByName.get(ended.frontend)?.definition.mode === "http";
    if (isHttp && ended.http === null)
      return { kind: "unexplained", reason: "no whole request came, so no rule was asked" };
    const trace = explainRequest(runtime.configuration, questionOf(ended, runtime), this.facts(runtime));
    if ("kind" in trace) return { kind: "unexplained", reason: trace.message };
    return {
      kind: "trace",
      trace: copyWithoutSecrets(trace),
      assumptions: assumptionsOf(ended, trace.server?.name ?? null),
    };
  }
}

/** Of servers that are followed by name. */
function endpointsOf({ backends }: Runtime): NonNullable<ExplainFacts["endpoints"]> {
  const followed = backends
    .flatMap(({ servers }) => servers)
    .filter(({ definition }) => definition.resolution !== null);
  return new Map(
    followed.map(({ backend, name, host, port, hostName }) => [
      `${backend.name}/${name}`,
      { host, port, hostName },
    ]),
  );
}

function questionOf(ended: EndedRequest, runtime: Runtime): RequestQuestion {
  const { http, serverName } = ended;
  const backend = ended.backend === null ? undefined : runtime.backendsByName.get(ended.backend);
  const isUnusable = (name: string) => backend?.serversByName.get(name)?.isUsable === false;
  return {
    from: addressOf(ended.clientHost, ended.clientPort),
    to: { host: ended.ownHost === "" ? null : ended.ownHost, port: ended.ownPort },
    tls: serverName === null ? null : { serverName, alpn: http === null ? [] : ["http/1.1"] },
    request: http === null ? null : { ...http, bodyBytes: bodyBytesOf(http.headers) },
    response: { status: responseStatus(ended), reason: "", headers: [] },
    down: (backend?.servers ?? []).flatMap(({ name }) =>
      isUnusable(name) ? [`${ended.backend}/${name}`] : [],
    ),
  };
}

/** What the server has said, where it was the server who spoke. */
function responseStatus({ http, server, responseMs }: EndedRequest): number {
  const status = http?.status ?? 200;
  return server !== null && responseMs >= 0 && status >= 200 && status <= 599 ? status : 200;
}

function bodyBytesOf(headers: readonly (readonly [string, string])[]): number {
  const length = Number(headers.find(([name]) => name === "content-length")?.[1] ?? 0);
  return Number.isFinite(length) ? Math.min(length, BODY_BYTES_MAX) : 0;
}

function addressOf(host: string, port: number): SocketAddress {
  return { family: host.includes(":") ? 6 : 4, host, port };
}

function assumptionsOf(ended: EndedRequest, server: string | null): string[] {
  const isHidden = ended.http?.headers.some(([, value]) => value.includes("…")) === true;
  return [
    "The configuration and the servers' states are those of now.",
    "Of the response only the status is known.",
    isHidden ? "Credentials and other cookies are not kept: rules that read them may decide otherwise." : "",
    ended.server !== null && server !== null && server !== ended.server
      ? `It went to ${ended.server} then: balancing goes on from where it is, and states have changed.`
      : "",
  ].filter((text) => text !== "");
}

function timersInWords(timers: RequestTimers): RequestDetails["timers"] {
  const { idleMs, requestMs, queueMs, connectMs, responseMs, totalMs } = timers;
  const before = [requestMs, queueMs, connectMs, responseMs].reduce((sum, ms) => sum + Math.max(0, ms), 0);
  const restMs = responseMs < 0 ? -1 : Math.max(0, Math.round((totalMs - before) * 100) / 100);
  const values = { Ti: idleMs, TR: requestMs, Tw: queueMs, Tc: connectMs, Tr: responseMs, Td: restMs };
  return Object.entries(values).map(([name, ms]) => ({
    name,
    ms: ms < 0 ? null : ms,
    meaning: TIMER_WORDS[name as keyof typeof TIMER_WORDS],
  }));
}
