// `ring` sections (manual 3.9): log lines are kept in them, and sent to their servers over TCP.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import { NO_SPAN, type Span } from "../../diagnostic/span.ts";
import { OWN_RING, type RingDefinition, type RingServer } from "../../model/log-forward.ts";
import type { Proxy as ProxyDefinition } from "../../model/proxy.ts";
import { Cursor } from "./cursor.ts";
import { type Mutable, newDefaults, type ProxyDraft } from "./draft.ts";
import { displayText } from "./lexer.ts";
import type { Line } from "./lines.ts";
import { FORMATS } from "./log-line.ts";
import type { Reading } from "./reading.ts";
import { readServer } from "./server-line.ts";
import { expectDurationMs, expectInteger } from "./values.ts";
import type { Word } from "./word.ts";

/** HAProxy's `tune.bufsize`: a ring is never smaller. */
const SIZE_BYTES_MIN = 16_384;
const SIZE_BYTES_MAX = 1_073_741_824;
const OWN_SIZE_BYTES = 1_048_576;

const WORDS = ["backing-file", "description", "format", "maxlen", "server", "size", "timeout"] as const;
const PROTOCOLS: readonly RingServer["protocol"][] = ["legacy", "octet-count"];

interface RingDraft extends Mutable<Omit<RingDefinition, "lengthMax">> {
  lengthMax: number | null;
  servers: RingServer[];
  /** What a `server` line is read into. */
  readonly proxy: ProxyDraft;
}

export function readRing(reading: Reading, name: Word, span: Span, lines: readonly Line[]): void {
  const first = reading.rings.find((ring) => ring.name === name.text);
  if (first !== undefined)
    reading.report.error(
      "duplicate-name",
      name.span,
      `there is already a section \`ring ${displayText(name.text)}\``,
      "Give it another name.",
      [{ span: first.span, message: "the first is here" }],
    );
  const draft = newDraft(name.text, span);
  for (const line of lines) readLine(reading, draft, line);
  const { proxy, lengthMax, ...ring } = draft;
  reading.rings.push({ ...ring, lengthMax: Math.min(lengthMax ?? SIZE_BYTES_MIN, ring.sizeBytes) });
}

function newDraft(name: string, span: Span): RingDraft {
  return {
    name,
    description: name,
    format: null,
    lengthMax: null,
    sizeBytes: SIZE_BYTES_MIN,
    servers: [],
    connectMs: null,
    serverMs: null,
    span,
    proxy: { ...newDefaults(), kind: "backend", name, mode: "tcp" },
  };
}

function readLine(reading: Reading, draft: RingDraft, line: Line): void {
  const { report } = reading;
  const keyword = line.words[0]!;
  const cursor = new Cursor(line.words, 1, report);
  switch (keyword.text) {
    case "description":
      draft.description = cursor.expect("a text")?.text ?? draft.description;
      // Words behind it have always been ignored.
      cursor.expectEnd("warning");
      return;
    case "format":
      draft.format = cursor.expectOneOf("log format", FORMATS) ?? draft.format;
      break;
    case "maxlen":
      draft.lengthMax = expectInteger(cursor, "a number of bytes", 1) ?? draft.lengthMax;
      break;
    case "size":
      readSize(draft, cursor);
      break;
    case "timeout":
      readTimeout(draft, cursor);
      break;
    case "server":
      readRingServer(reading, draft, line);
      return;
    case "backing-file":
      report.error(
        "refused-keyword",
        keyword.span,
        "rings are not kept in files",
        "Remove the line: a `server`, or `show events`, has what is in the ring.",
      );
      return;
    default: {
      const message = `unknown keyword \`${displayText(keyword.text)}\` in a \`ring\` section`;
      report.error("unknown-keyword", keyword.span, message, suggestWord(keyword.text, WORDS));
      return;
    }
  }
  cursor.expectEnd();
}

function readSize(draft: RingDraft, cursor: Cursor): void {
  const word = cursor.peek();
  const size = expectInteger(cursor, "a number of bytes", 1, SIZE_BYTES_MAX);
  if (size === null || word === null) return;
  draft.sizeBytes = Math.max(size, SIZE_BYTES_MIN);
  if (size < SIZE_BYTES_MIN)
    cursor.report.warning(
      "no-effect",
      word.span,
      `a ring has ${SIZE_BYTES_MIN} bytes at least, and so has this one`,
      "HAProxy does not start with such a line. Remove it, or write a larger number.",
    );
}

function readTimeout(draft: RingDraft, cursor: Cursor): void {
  const event = cursor.expectOneOf("timeout of rings", ["connect", "server"]);
  const timeMs = event === null ? null : expectDurationMs(cursor, "a time");
  if (event === null) cursor.rest();
  // 0 is none at all, as in proxies.
  else draft[event === "connect" ? "connectMs" : "serverMs"] = timeMs === 0 ? null : timeMs;
}

/** A `server` line as in proxies, with `log-proto`, which only means something here. */
function readRingServer(reading: Reading, draft: RingDraft, line: Line): void {
  const { report } = reading;
  const at = line.words.findIndex(({ text }, i) => i > 2 && text === "log-proto");
  let words = line.words;
  let protocol: RingServer["protocol"] | null = "legacy";
  if (at > 0) {
    protocol = new Cursor(words, at + 1, report).expectOneOf("log protocol", PROTOCOLS);
    words = [...words.slice(0, at), ...words.slice(at + 2)];
  }
  const { proxy } = draft;
  const before = proxy.servers.length;
  readServer({ reading, report, draft: proxy, words, keyword: words[0]!, modifier: null, span: line.span });
  const server = proxy.servers[before];
  if (server === undefined || protocol === null) return;
  if (server.address.kind === "tcp" && server.address.port === null)
    report.error("bad-port", words[2]!.span, "the port is missing", "Syslog over TCP has port 514 or 6514.");
  if (server.sendProxy !== null)
    report.error(
      "refused-keyword",
      line.span,
      "servers of rings get no PROXY header",
      "Remove `send-proxy`.",
    );
  if (server.check !== null || server.agent !== null || server.track !== null)
    report.notice(
      "no-effect",
      line.span,
      "servers of rings are not checked: a connection that is gone is opened again",
    );
  draft.servers.push({ server, protocol });
}

/** Every `log ring@…` has a ring, or it is said that it has none. */
export function checkRings(reading: Reading, proxies: readonly ProxyDefinition[]): void {
  const { report, rings, logForwarders, global } = reading;
  const lines = [...proxies, ...logForwarders, global].flatMap(({ logs }) => logs);
  const said = new Set<string>();
  for (const { target, span } of lines) {
    if (target.kind !== "ring" || rings.some(({ name }) => name === target.name)) continue;
    if (target.name === OWN_RING) {
      const { proxy, lengthMax: _, ...ring } = newDraft(OWN_RING, NO_SPAN);
      const description = "in-memory ring buffer";
      rings.push({ ...ring, description, sizeBytes: OWN_SIZE_BYTES, lengthMax: SIZE_BYTES_MIN });
      continue;
    }
    const key = `${span.file} ${span.line}`;
    if (said.has(key)) continue;
    said.add(key);
    report.warning(
      "unknown-name",
      span,
      `there is no section \`ring ${displayText(target.name)}\`, so these lines go nowhere`,
      suggestWord(
        target.name,
        rings.map(({ name }) => name),
      ) ?? `Add \`ring ${displayText(target.name)}\`.`,
    );
  }
}
