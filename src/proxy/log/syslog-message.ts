// Log messages of other programs, taken apart as HAProxy does it for its `log-forward` sections: the formats
// of RFC 3164 and RFC 5424 by the letter, and whatever is neither is all text. Nothing is refused: a message
// that came over the network is somebody's, even when it is garbage.
//
// Where HAProxy loses bytes (the last three of what looks like RFC 5424 and is not, quoted brackets in
// structured data), nothing is lost here.

export interface SyslogMessage {
  readonly bytes: Uint8Array;
  /** Where the text begins, behind all that has a field of its own; it ends with the message. */
  readonly textStart: number;
  /** Facility * 8 + level; null when the message does not say. */
  readonly priority: number | null;
  /** What the header is like; "none": there is nothing behind the priority but text. */
  readonly format: "rfc3164" | "rfc5424" | "none";
  /** As it stands there: "Oct 11 22:14:15", "2003-10-11T22:14:15.003Z". "": none. */
  readonly timestamp: string;
  /** In these "" is none. */
  readonly hostname: string;
  readonly tag: string;
  readonly pid: string;
  readonly messageId: string;
  readonly structuredData: string;
}

const MONTHS: readonly string[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** What a header can be; it is the text of this many bytes that is looked at. */
const HEADER_BYTES_MAX = 8192;
const PRIORITY = /^<(\d{0,3})>/;
const LEGACY_DATE = /^([A-Z][a-z]{2}) [ \d]\d \d\d:\d\d:\d\d /;
const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)$/;

/** `bytes` is one message; a newline at its end is no part of it. */
export function readSyslogMessage(bytes: Uint8Array): SyslogMessage {
  const message = bytes.at(-1) === 0x0a ? bytes.subarray(0, -1) : bytes;
  const length = Math.min(message.length, HEADER_BYTES_MAX);
  const head = Buffer.from(message.buffer, message.byteOffset, length).toString("latin1");
  const match = PRIORITY.exec(head);
  const start = match?.[0].length ?? 0;
  const plain: SyslogMessage = {
    bytes: message,
    textStart: start,
    priority: match === null ? null : Number(match[1]),
    format: "none",
    timestamp: "",
    hostname: "",
    tag: "",
    pid: "",
    messageId: "",
    structuredData: "",
  };
  if (match === null) return plain;
  return readModern(plain, head) ?? readLegacy(plain, head) ?? plain;
}

/** RFC 5424: "1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]". */
function readModern(plain: SyslogMessage, head: string): SyslogMessage | null {
  const start = plain.textStart;
  if (!head.startsWith("1 ", start)) return null;
  const words: string[] = [];
  let at = start + 2;
  for (let i = 0; i < 5; i++) {
    const end = head.indexOf(" ", at);
    if (end <= at) return null;
    words.push(head.slice(at, end));
    at = end + 1;
  }
  const [timestamp = "", hostname = "", tag = "", pid = "", messageId = ""] = words;
  if (timestamp !== "-" && !ISO_DATE.test(timestamp)) return null;
  const end = endOfData(head, at);
  if (end === null) return null;
  return {
    ...plain,
    format: "rfc5424",
    textStart: Math.min(end + 1, head.length),
    timestamp: withoutNil(timestamp),
    hostname: withoutNil(hostname),
    tag: withoutNil(tag),
    pid: withoutNil(pid),
    messageId: withoutNil(messageId),
    structuredData: withoutNil(head.slice(at, end)),
  };
}

function withoutNil(word: string): string {
  return word === "-" ? "" : word;
}

/** "-", or elements in brackets, in whose quoted values brackets and escaped quotes mean nothing. */
function endOfData(head: string, start: number): number | null {
  let at = start;
  if (head[at] === "-") at++;
  else {
    while (head[at] === "[") {
      let isQuoted = false;
      for (at++; at < head.length && (isQuoted || head[at] !== "]"); at++) {
        if (head[at] === "\\" && isQuoted) at++;
        else if (head[at] === '"') isQuoted = !isQuoted;
      }
      if (head[at] !== "]") return null;
      at++;
    }
    if (at === start) return null;
  }
  return at === head.length || head[at] === " " ? at : null;
}

/** RFC 3164: "Mmm dd hh:mm:ss HOSTNAME TAG[PID]: MSG". Without a tag the rest is text. */
function readLegacy(plain: SyslogMessage, head: string): SyslogMessage | null {
  const date = LEGACY_DATE.exec(head.slice(plain.textStart, plain.textStart + 16));
  if (date === null || !MONTHS.includes(date[1]!)) return null;
  const hostStart = plain.textStart + 16;
  const hostEnd = head.indexOf(" ", hostStart);
  if (hostEnd <= hostStart) return null;
  const named = {
    ...plain,
    format: "rfc3164" as const,
    textStart: hostEnd + 1,
    timestamp: date[0].slice(0, -1),
    hostname: head.slice(hostStart, hostEnd),
  };
  const colon = head.indexOf(":", named.textStart);
  const word = head.slice(named.textStart, colon);
  if (colon <= named.textStart || head[colon + 1] !== " " || word.includes(" ")) return named;
  const bracket = word.indexOf("[", 1);
  return {
    ...named,
    textStart: colon + 2,
    tag: bracket < 0 ? word : word.slice(0, bracket),
    pid: bracket >= 0 && word.endsWith("]") ? word.slice(bracket + 1, -1) : "",
  };
}

/**
 * "2026-10-11T22:14:15-00:00" of "Oct 11 22:14:15": its year is this one, its zone unknown, as HAProxy says.
 */
export function isoOfLegacy(timestamp: string, year: number): string {
  const month = `${MONTHS.indexOf(timestamp.slice(0, 3)) + 1}`.padStart(2, "0");
  const day = timestamp.slice(4, 6).replace(" ", "0");
  return `${year}-${month}-${day}T${timestamp.slice(7)}-00:00`;
}

/** "Oct 11 22:14:15" of "2003-10-11T22:14:15.003Z". */
export function legacyOfIso(timestamp: string): string {
  const month = MONTHS[Number(timestamp.slice(5, 7)) - 1] ?? MONTHS[0]!;
  const day = timestamp.slice(8, 10).replace(/^0/, " ");
  return `${month} ${day} ${timestamp.slice(11, 19)}`;
}
