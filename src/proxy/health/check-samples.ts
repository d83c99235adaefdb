// Samples and formats in the rules of checks: `%[res.fhdr(x-name)]`, `%[var(check.code)]`. They are compiled
// as those of traffic are, and read a stream that has what a check has: the server, its backend, variables,
// and the reply as far as it has come. What only a client's connection could tell has no value here.
import type { FetchName, LogFormat, SampleExpression } from "../../model/sample.ts";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import { parseResponseHead } from "../../protocol/http1/response-parser.ts";
import type { RuleClock, RuleEnvironment } from "../rules/environment.ts";
import type { PatternLists } from "../rules/patterns/pattern-lists.ts";
import { compileSample } from "../rules/sample.ts";
import type { SampleValue } from "../rules/sample-value.ts";
import type { Stream } from "../stream.ts";
import type { CheckContext } from "./check-step.ts";

/** Fetches that read nothing of a client. */
const READABLE: ReadonlySet<FetchName> = new Set([
  "always_false", "always_true", "bool", "int", "str", "bin", "ipv4", "ipv6", "meth", "var", "env", "hostname",
  "date", "date_us", "rand", "uuid", "nbproc", "nbthread", "proc", "thread", "be_id", "be_name", "srv_id",
  "srv_name", "be_server_timeout", "be_tunnel_timeout", "status", "res.ver", "res.hdr", "res.fhdr",
  "res.hdr_cnt", "res.fhdr_cnt", "res.hdr_ip", "res.hdr_val", "res.hdrs", "res.hdr_names", "res.cook",
  "res.cook_cnt", "res.cook_val", "res.len", "res.payload",
]); // biome-ignore format: a list

export interface CheckSamples {
  /** Parts without a value are empty. */
  format(format: LogFormat, context: CheckContext): string;
  value(sample: SampleExpression, context: CheckContext): SampleValue | undefined;
}

/** `patterns`: for converters that look into maps. */
export function createCheckSamples(clock: RuleClock, nodeName: string, patterns: PatternLists): CheckSamples {
  const environment: RuleEnvironment = {
    configuration: { userlists: [] },
    patterns,
    hostname: nodeName,
    pid: 0,
    processVariables: {},
    workerIndex: 0,
    workerCount: 1,
    clock,
    variables: new Map(),
    requestCount: { value: 0 },
  };
  const compiled: WeakMap<SampleExpression, ReturnType<typeof compileSample>> = new WeakMap();
  const sampleOf = (sample: SampleExpression) => {
    const known = compiled.get(sample) ?? compileSample(sample, environment);
    compiled.set(sample, known);
    return known;
  };
  const text = (sample: SampleExpression, context: CheckContext) =>
    READABLE.has(sample.fetch.name) ? (sampleOf(sample).readText(streamOf(context)) ?? "") : "";
  return {
    format: ({ parts }, context) =>
      parts
        .map((part) =>
          part.kind === "text" ? part.text : part.kind === "sample" ? text(part.sample, context) : "",
        )
        .join(""),
    value: (sample, context) =>
      READABLE.has(sample.fetch.name) ? sampleOf(sample).read(streamOf(context)) : undefined,
  };
}

/** What READABLE and converters touch of a stream, and no more: hence the cast. */
function streamOf(context: CheckContext): Stream {
  const { server, variables, reply } = context;
  const stream = {
    server,
    backend: server.backend,
    variables,
    session: { variables: null },
    runtime: { backendsByName: new Map([[server.backend.name, server.backend]]) },
    frontend: { settings: { requestCaptures: [], responseCaptures: [] } },
    request: null,
    response: responseOf(reply),
    responseContent: Buffer.from(reply, "latin1"),
    isContentFinal: true,
    status: -1,
  };
  return stream as unknown as Stream;
}

function responseOf(reply: string): MessageHead | null {
  const head = new MessageHead();
  const bytes = Buffer.from(reply, "latin1");
  return parseResponseHead(head, bytes, 0, bytes.length, "GET") > 0 ? head : null;
}
