// What a response depends on besides its URI (`process-vary`, RFC 9111 section 4.1), as far as HAProxy 2.6
// manages it: Accept-Encoding, of which only counts whether the client takes the coding that the response
// has, and Referer, which must be the same.
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import { someValue } from "../rules/header-values.ts";

/** Content codings of the IANA's registry. */
const CODINGS: ReadonlySet<string> = new Set([
  "aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "identity", "pack200-gzip", "x-compress", "x-gzip",
  "zstd",
]); // biome-ignore format: a table

const NOTHING = "";

/** Null: it depends on something else, or has a coding that nobody knows, so it cannot be kept. */
export function variantOf(request: MessageHead, response: MessageHead): Uint8Array | null {
  let byCoding: string | null = NOTHING;
  let byReferer = NOTHING;
  const isOther = someValue(response, "vary", (value) => {
    const name = value.toLowerCase();
    if (name === "accept-encoding") byCoding = codingsOf(response);
    else if (name === "referer") byReferer = `referer ${request.firstValue("referer") ?? ""}\n`;
    else return true;
    return byCoding === null;
  });
  return isOther ? null : Buffer.from(byCoding + byReferer, "latin1");
}

function codingsOf(response: MessageHead): string | null {
  const codings: string[] = [];
  const isStrange = someValue(response, "content-encoding", (value) => {
    codings.push(value.toLowerCase());
    return !CODINGS.has(value.toLowerCase());
  });
  return isStrange ? null : `encoding ${codings.length === 0 ? "identity" : codings.join(" ")}\n`;
}

/** Whether a response that depends on `variant` is one for this request. */
export function suitsVariant(request: MessageHead, variant: Uint8Array): boolean {
  if (variant.length === 0) return true;
  const lines = Buffer.from(variant).toString("latin1").split("\n").slice(0, -1);
  return lines.every((line) => {
    const at = line.indexOf(" ");
    const value = line.slice(at + 1);
    if (line.startsWith("referer")) return value === (request.firstValue("referer") ?? "");
    return value.split(" ").every((coding) => accepts(request, coding));
  });
}

/** Who does not say what it takes gets what is not encoded. */
function accepts(request: MessageHead, coding: string): boolean {
  let answer: boolean | null = null;
  let anything: boolean | null = null;
  someValue(request, "accept-encoding", (value) => {
    const name = /^[^;\s]*/.exec(value)![0].toLowerCase();
    const isRefused = /;\s*q=0(?:\.0*)?\s*$/i.test(value);
    if (name === coding) answer = !isRefused;
    else if (name === "*") anything = !isRefused;
    return false;
  });
  return answer ?? anything ?? coding === "identity";
}
