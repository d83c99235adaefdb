// Fetches on the response's status line and what was captured of it (HAProxy manual 7.3.6).
import { FRAMING_LENGTH, type MessageHead } from "../../../protocol/http1/message-head.ts";
import { CODINGS } from "../../compression/accepted-algorithm.ts";
import type { FetchCompiler } from "../fetch.ts";
import { latin1 } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";

type Names =
  | "status"
  | "res.ver"
  | "res.cache_hit"
  | "res.cache_name"
  | "res.comp"
  | "res.comp_algo"
  | "res.body"
  | "res.body_len"
  | "res.body_size"
  | "capture.res.hdr"
  | "capture.res.ver";

export const RESPONSE_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  status: () => (stream) => stream.response?.status ?? (stream.status > 0 ? stream.status : undefined),
  "res.ver": ofResponse((response) => (response.versionMinor === 1 ? "1.1" : "1.0")),
  "res.cache_hit": () => (stream) => stream.cache?.isHit === true,
  "res.cache_name":
    () =>
    ({ cache }) =>
      cache?.isHit === true ? cache.cache.name : undefined,
  "res.comp": () => (stream) => stream.compression?.isApplied === true,
  "res.comp_algo":
    () =>
    ({ compression }) =>
      compression?.isApplied === true ? CODINGS[compression.algorithm] : undefined,
  "res.body": ofBody((body) => latin1(body)),
  "res.body_len": ofBody((body) => body.length),
  "res.body_size": ofBody((body, response) =>
    response.framing === FRAMING_LENGTH ? response.contentLength : body.length,
  ),
  "capture.res.hdr": (parameters) => {
    const slot = Number(parameters[0] ?? 0);
    return (stream) => stream.responseCaptures?.[slot] ?? undefined;
  },
  "capture.res.ver": ofResponse((response) => (response.versionMinor === 1 ? "HTTP/1.1" : "HTTP/1.0")),
};

const EMPTY = new Uint8Array(0);

/** What is here of the body, once a rule has waited for it; nothing before. */
function ofBody(read: (body: Uint8Array, response: MessageHead) => SampleValue): FetchCompiler {
  return () =>
    ({ response, responseBody }) =>
      response === null ? undefined : read(responseBody ?? EMPTY, response);
}

function ofResponse(read: (response: MessageHead) => SampleValue | undefined): FetchCompiler {
  return () => (stream) => (stream.response === null ? undefined : read(stream.response));
}
