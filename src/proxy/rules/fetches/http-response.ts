// Fetches on the response's status line and what was captured of it (HAProxy manual 7.3.6).
import type { MessageHead } from "../../../protocol/http1/message-head.ts";
import type { FetchCompiler } from "../fetch.ts";
import type { SampleValue } from "../sample-value.ts";

type Names = "status" | "res.ver" | "capture.res.hdr" | "capture.res.ver";

export const RESPONSE_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  status: () => (stream) => stream.response?.status ?? (stream.status > 0 ? stream.status : undefined),
  "res.ver": ofResponse((response) => (response.versionMinor === 1 ? "1.1" : "1.0")),
  "capture.res.hdr": (parameters) => {
    const slot = Number(parameters[0] ?? 0);
    return (stream) => stream.responseCaptures?.[slot] ?? undefined;
  },
  "capture.res.ver": ofResponse((response) => (response.versionMinor === 1 ? "HTTP/1.1" : "HTTP/1.0")),
};

function ofResponse(read: (response: MessageHead) => SampleValue | undefined): FetchCompiler {
  return () => (stream) => (stream.response === null ? undefined : read(stream.response));
}
