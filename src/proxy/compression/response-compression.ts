// Whether a response is compressed, and what its headers say then, as HAProxy 2.6 does it: what the client
// takes is seen when its request goes to a server, behind all rules; whether the response is one to compress
// when its head comes, before all rules; and the headers change when the rules have run.
import type { CompressionAlgorithm, CompressionSettings } from "../../model/compression.ts";
import { FRAMING_CHUNKED, FRAMING_LENGTH, type MessageHead } from "../../protocol/http1/message-head.ts";
import { someValue } from "../rules/header-values.ts";
import type { Stream } from "../stream.ts";
import { acceptedAlgorithm, CODINGS } from "./accepted-algorithm.ts";

/** Of one stream. Only there when the client takes one of the proxy's algorithms. */
export interface StreamCompression {
  readonly algorithm: CompressionAlgorithm;
  /** False while the response is not there, and when it is none to compress. */
  isApplied: boolean;
  /** It would be compressed, but for `maxcomprate`. */
  isBypassed: boolean;
}

/** Call when the request goes to a server. */
export function prepareCompression(stream: Stream): void {
  const front = stream.frontend.definition.compression;
  const back = stream.backend?.definition.compression ?? null;
  if (front === null && back === null) return;
  const request = stream.request!;
  const algorithms = ofEither(back, front, "algorithms") as CompressionSettings["algorithms"];
  const algorithm = algorithms.length === 0 ? null : acceptedAlgorithm(request, algorithms);
  if (algorithm === null) return;
  stream.compression = { algorithm, isApplied: false, isBypassed: false };
  // With `identity` nothing is compressed here, so the server may.
  if (algorithm !== "identity" && (front?.isOffload === true || back?.isOffload === true))
    request.removeHeader("accept-encoding");
}

/** The backend's, unless it says nothing. */
function ofEither(
  back: CompressionSettings | null,
  front: CompressionSettings | null,
  what: "algorithms" | "types",
): readonly string[] {
  const own = back?.[what] ?? [];
  return own.length > 0 ? own : (front?.[what] ?? []);
}

/** By its head and the client's. */
export function isCompressible(stream: Stream): boolean {
  const request = stream.request!;
  const response = stream.response!;
  const { status } = response;
  if (status < 200 || status > 203 || request.method === "HEAD") return false;
  if (request.versionMinor === 0 || response.versionMinor === 0) return false;
  const hasBody =
    response.framing === FRAMING_CHUNKED ||
    (response.framing === FRAMING_LENGTH && response.contentLength > 0);
  if (!hasBody || response.has("content-encoding")) return false;
  return isTransformable(response) && hasUsableTag(response) && isOfType(stream, response);
}

function isTransformable(response: MessageHead): boolean {
  return !someValue(response, "cache-control", (value) => value.toLowerCase() === "no-transform");
}

/** Of none or one that is well formed: others could not be made weak. */
function hasUsableTag(response: MessageHead): boolean {
  const at = response.indexOf("etag");
  if (at < 0) return true;
  return response.indexOf("etag", at + 1) < 0 && /^(?:W\/)?".*"$/.test(response.valueAt(at));
}

function isOfType(stream: Stream, response: MessageHead): boolean {
  const type = response.firstValue("content-type")?.toLowerCase() ?? null;
  // Its parts have headers of their own.
  if (type?.startsWith("multipart") === true) return false;
  const { frontend, backend } = stream;
  const types = ofEither(backend?.definition.compression ?? null, frontend.definition.compression, "types");
  return types.length === 0 || (type !== null && types.some((one) => type.startsWith(one)));
}

/** Says in the headers what is done to the body. */
export function labelCompressed(response: MessageHead, algorithm: CompressionAlgorithm): void {
  response.removeHeader("content-length");
  if (response.framing === FRAMING_LENGTH) response.addHeader("transfer-encoding", "chunked");
  // Another sequence of bytes under the same tag: equal in meaning only (RFC 9110 section 8.8.1).
  const tag = response.indexOf("etag");
  if (tag >= 0 && response.valueAt(tag).startsWith('"'))
    response.setValueAt(tag, `W/${response.valueAt(tag)}`);
  response.addHeader("vary", "Accept-Encoding");
  if (algorithm !== "identity") response.addHeader("content-encoding", CODINGS[algorithm]);
}
