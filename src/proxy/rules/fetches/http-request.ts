// Fetches on the request line, the request's body, and credentials (HAProxy manual 7.3.6).
import { parseIpAddress } from "../../../base/address.ts";
import type { MessageHead } from "../../../protocol/http1/message-head.ts";
import { versionOf } from "../../log/readings.ts";
import type { Stream } from "../../stream.ts";
import { basicCredentials, compileAuthentication, compileGroupLookup } from "../authentication.ts";
import { noteChangeable } from "../content-state.ts";
import { avalanche, sdbm } from "../converters/hash-functions.ts";
import {
  type FetchCompiler,
  type ManyValued,
  type ReadSample,
  type TestSample,
  textParameter,
} from "../fetch.ts";
import { lastValue, someParameter, someValue } from "../header-values.ts";
import { latin1, parseHeaderInteger } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";
import { pathAndQueryOf, pathOf, queryOf } from "../target.ts";
import { sourceAddress } from "./connection.ts";

type Names =
  | "method"
  | "path"
  | "pathq"
  | "query"
  | "url"
  | "url_ip"
  | "url_port"
  | "urlp"
  | "urlp_val"
  | "base"
  | "base32"
  | "base32+src"
  | "baseq"
  | "url32"
  | "url32+src"
  | "http_auth_bearer"
  | "req.ver"
  | "req.body"
  | "req.body_len"
  | "req.body_size"
  | "req.body_param"
  | "http_auth"
  | "http_auth_group"
  | "http_auth_type"
  | "http_auth_user"
  | "http_auth_pass"
  | "http_first_req"
  | "capture.req.hdr"
  | "capture.req.method"
  | "capture.req.uri"
  | "capture.req.ver";

export const REQUEST_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  method: () => (stream) => methodOf(stream),
  path: ofRequest((request) => pathOf(request.target)),
  pathq: ofRequest((request) => pathAndQueryOf(request.target)),
  query: compileQuery,
  url: ofRequest((request) => request.target),
  url_ip: ofRequest((request) => urlEndpoint(request.target)?.address),
  url_port: ofRequest((request) => urlEndpoint(request.target)?.port),
  urlp: parameterFetch(queryAfter, (value) => value),
  urlp_val: parameterFetch(queryAfter, parseHeaderInteger),
  base: ofRequest(baseOf),
  base32: ofRequest(hashOfBase),
  "base32+src": withSource(hashOfBase),
  baseq: ofRequest((request) => `${firstHost(request) ?? ""}${pathAndQueryOf(request.target) ?? ""}`),
  url32: ofRequest(hashOfUrl),
  "url32+src": withSource(hashOfUrl),
  "req.ver": () => (stream) => versionOf(stream)?.slice("HTTP/".length),
  "req.body": ofBody((body) => latin1(body)),
  "req.body_len": ofBody((body) => body.length),
  "req.body_size": ofBody((body, request) =>
    request.contentLength >= 0 ? request.contentLength : body.length,
  ),
  "req.body_param": parameterFetch(
    (stream) => (stream.body === null ? undefined : latin1(stream.body)),
    (value) => value,
  ),
  http_auth: (parameters, environment) => {
    const isValid = compileAuthentication(textParameter(parameters, 0), environment);
    return ofRequest((request) => isValid(request))(parameters, environment);
  },
  http_auth_group: (parameters, environment) => {
    const groups = compileGroupLookup(textParameter(parameters, 0), environment);
    return manyText((stream, test) => stream.request !== null && groups(stream.request).some(test));
  },
  http_auth_type: ofRequest(authenticationType),
  http_auth_user: ofRequest((request) => basicCredentials(request)?.user),
  http_auth_pass: ofRequest((request) => basicCredentials(request)?.password),
  http_auth_bearer: (parameters, environment) => {
    const header = textParameter(parameters, 0).toLowerCase() || "authorization";
    return ofRequest((request) => /^Bearer +(\S+)$/i.exec(lastValue(request, header) ?? "")?.[1])(
      parameters,
      environment,
    );
  },
  // HAProxy never says so of a request in HTTP/2.
  http_first_req:
    () =>
    ({ session }) =>
      session.requestCount <= 1 && !session.isHttp2,
  "capture.req.hdr": (parameters) => {
    const slot = Number(parameters[0] ?? 0);
    return (stream) => stream.requestCaptures?.[slot] ?? undefined;
  },
  "capture.req.method": () => (stream) => stream.originalMethod ?? stream.request?.method,
  "capture.req.uri": () => (stream) => {
    const target = stream.originalTarget ?? stream.request?.target;
    return target === undefined ? undefined : pathAndQueryOf(target);
  },
  "capture.req.ver": ofRequest((request) => (request.versionMinor === 1 ? "HTTP/1.1" : "HTTP/1.0")),
};

const KNOWN_METHODS = new Set(["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"]);

/** HAProxy remembers which of the known methods came; `set-method` changes only what is sent. */
function methodOf(stream: Stream): string | undefined {
  const { request, originalMethod } = stream;
  if (originalMethod !== null && KNOWN_METHODS.has(originalMethod)) return originalMethod;
  if (request === null) noteChangeable(stream);
  return request?.method;
}

function ofRequest(read: (request: MessageHead) => SampleValue | undefined): FetchCompiler {
  return () => (stream) => {
    const { request } = stream;
    if (request !== null) return read(request);
    noteChangeable(stream);
    return undefined;
  };
}

function ofBody(read: (body: Uint8Array, request: MessageHead) => SampleValue | undefined): FetchCompiler {
  const empty = new Uint8Array(0);
  return () => (stream) => (stream.request === null ? undefined : read(stream.body ?? empty, stream.request));
}

function compileQuery(
  parameters: Parameters<FetchCompiler>[0],
  environment: Parameters<FetchCompiler>[1],
): ReadSample {
  const name = textParameter(parameters, 0);
  if (name === "")
    return ofRequest((request) => queryOf(request.target))(parameters, environment) as ReadSample;
  return (stream) => {
    const query = stream.request === null ? undefined : queryOf(stream.request.target);
    let found: string | undefined;
    if (query !== undefined) {
      someParameter(query, name, "?", (value) => {
        found = value;
        return true;
      });
    }
    return found;
  };
}

type Locate = (stream: Stream, delimiter: string) => string | undefined;

/** The list of parameters behind the first `delimiter` of the target. */
function queryAfter(stream: Stream, delimiter: string): string | undefined {
  if (stream.request === null) {
    noteChangeable(stream);
    return undefined;
  }
  const { target } = stream.request;
  const mark = target.indexOf(delimiter);
  return mark < 0 ? undefined : target.slice(mark + 1);
}

function parameterFetch(locate: Locate, convert: (value: string) => SampleValue): FetchCompiler {
  return (parameters) => {
    const name = textParameter(parameters, 0);
    const delimiter = textParameter(parameters, 1)[0] ?? "?";
    return manyText((stream, test) => {
      const list = locate(stream, delimiter);
      return list !== undefined && someParameter(list, name, delimiter, (value) => test(convert(value)));
    });
  };
}

/** Many values of which the first counts outside of ACLs. */
function manyText(some: (stream: Stream, test: TestSample) => boolean): ManyValued {
  return {
    read: (stream) => {
      let found: SampleValue | undefined;
      some(stream, (value) => {
        found = value;
        return true;
      });
      return found;
    },
    some,
  };
}

function firstHost(request: MessageHead): string | undefined {
  let host: string | undefined;
  someValue(request, "host", (value) => {
    host = value;
    return true;
  });
  return host;
}

function slashPath(request: MessageHead): string {
  const path = pathOf(request.target);
  return path?.startsWith("/") ? path : "";
}

/** Host and path; only the path without a Host header. */
function baseOf(request: MessageHead): string | undefined {
  const host = firstHost(request);
  if (host === undefined || host === "") return pathOf(request.target);
  return host + slashPath(request);
}

function hashOfBase(request: MessageHead): number {
  return avalanche(sdbm(`${firstHost(request) ?? ""}${slashPath(request)}`));
}

function hashOfUrl(request: MessageHead): number {
  return avalanche(sdbm(`${firstHost(request) ?? ""}${request.target}`));
}

/** The hash in four bytes, and the client's address behind it. */
function withSource(hash: (request: MessageHead) => number): FetchCompiler {
  return () => (stream) => {
    const source = sourceAddress(stream.session);
    if (stream.request === null || source === null) return undefined;
    const number = Buffer.alloc(4);
    number.writeUInt32BE(hash(stream.request));
    return `${latin1(number)}${latin1(source.bytes)}`;
  };
}

/** Address and port of an absolute URL with an IPv4 address. */
function urlEndpoint(target: string): { address: SampleValue; port: number } | undefined {
  const match = /^[^:/?#]+:\/\/(?:[^@/]*@)?(\d+\.\d+\.\d+\.\d+)(?::(\d+))?/.exec(target);
  const address = match === null ? null : parseIpAddress(match[1]!);
  if (match === null || address === null) return undefined;
  return {
    address,
    port: match[2] === undefined ? (target.startsWith("https") ? 443 : 80) : Number(match[2]),
  };
}

function authenticationType(request: MessageHead): string | undefined {
  const scheme = /^(Basic|Bearer) /i.exec(lastValue(request, "authorization") ?? "");
  if (scheme === null) return undefined;
  return scheme[1]!.toLowerCase() === "basic" ? "Basic" : "Bearer";
}
