// The cookie with which a client of Microsoft's Remote Desktop begins ([MS-RDPBCGR] 2.2.1.1): a line behind
// the TPKT, COTP and connection request headers.

/** Length of those headers. */
const HEADER_BYTES = 11;
const LINE_BYTES_MAX = 512;

export interface RdpCookie {
  readonly name: string;
  readonly value: string;
}

/** Null: there is none. "incomplete": more bytes may make one of it. Latin-1. */
export function readRdpCookie(content: Uint8Array): RdpCookie | "incomplete" | null {
  const end = Math.min(content.length, HEADER_BYTES + LINE_BYTES_MAX);
  let text = "";
  for (let i = HEADER_BYTES; i < end; i++) text += String.fromCharCode(content[i]!);
  const match = /^cookie: *([^=\r\n]*)=([^\r]*)\r\n/i.exec(text);
  if (match !== null) return match[2] === "" ? null : { name: match[1]!, value: match[2]! };
  const isCut = !text.includes("\n") && content.length < HEADER_BYTES + LINE_BYTES_MAX;
  return isCut && "cookie:".startsWith(text.slice(0, 7).toLowerCase()) ? "incomplete" : null;
}
