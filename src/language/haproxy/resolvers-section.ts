// `resolvers` sections (manual 5.3.2), and the one named `default` that HAProxy makes of the system's own
// nameservers.
import { parseIpAddress } from "../../base/address.ts";
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import { NO_SPAN, type Span } from "../../diagnostic/span.ts";
import {
  HOLD_STATUSES,
  type HoldStatus,
  type Nameserver,
  type ResolversSection,
} from "../../model/resolvers.ts";
import { expandVariables, parseEndpoint } from "./address.ts";
import { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import type { ReaderEnvironment } from "./environment.ts";
import { displayText } from "./lexer.ts";
import type { Line } from "./lines.ts";
import type { Reading } from "./reading.ts";
import { expectDurationMs, expectInteger } from "./values.ts";
import type { Word } from "./word.ts";

const SYSTEM_FILE = "/etc/resolv.conf";
const DNS_PORT = 53;
const SYSTEM_SECTION = "default";

const WORDS = [
  "accepted_payload_size",
  "hold",
  "nameserver",
  "parse-resolv-conf",
  "resolve_retries",
  "timeout",
] as const;

interface ResolversDraft extends Mutable<Omit<ResolversSection, "nameservers" | "holdMs">> {
  nameservers: Nameserver[];
  holdMs: Record<HoldStatus, number>;
}

export function readResolvers(reading: Reading, name: Word, span: Span, lines: readonly Line[]): void {
  const { report, resolvers } = reading;
  const first = resolvers.find((section) => section.name === name.text);
  if (first !== undefined)
    report.error(
      "duplicate-name",
      name.span,
      `there is already a section \`resolvers ${displayText(name.text)}\``,
      "Give it another name.",
      [{ span: first.span, message: "the first is here" }],
    );
  const draft = newDraft(name.text, span);
  for (const line of lines) readLine(reading, draft, line);
  if (draft.nameservers.length === 0 && !report.hasErrors)
    report.warning(
      "missing-nameserver",
      span,
      `the resolvers \`${displayText(name.text)}\` have nobody to ask`,
      "Add `nameserver NAME ADDRESS:53`, or `parse-resolv-conf`.",
    );
  resolvers.push(draft);
}

function newDraft(name: string, span: Span): ResolversDraft {
  return {
    name,
    nameservers: [],
    payloadBytes: 512,
    attempts: 3,
    resolveMs: 1000,
    retryMs: 1000,
    holdMs: { nx: 30_000, obsolete: 0, other: 30_000, refused: 30_000, timeout: 30_000, valid: 10_000 },
    span,
  };
}

/** Null when there is such a section already, or nothing to make it of. */
export function systemResolvers(
  environment: ReaderEnvironment,
  present: readonly { readonly name: string }[],
): ResolversSection | null {
  if (present.some(({ name }) => name === SYSTEM_SECTION)) return null;
  const nameservers = systemNameservers(environment);
  if (nameservers === null || nameservers.length === 0) return null;
  return { ...newDraft(SYSTEM_SECTION, NO_SPAN), nameservers };
}

function readLine(reading: Reading, draft: ResolversDraft, line: Line): void {
  const { report } = reading;
  const cursor = new Cursor(line.words, 1, report);
  const keyword = line.words[0]!;
  switch (keyword.text) {
    case "nameserver":
      readNameserver(reading, draft, cursor);
      return;
    case "parse-resolv-conf":
      addSystemNameservers(reading, draft, line.span);
      break;
    case "hold":
      readHold(draft, cursor);
      break;
    case "timeout":
      readTimeout(draft, cursor);
      break;
    case "resolve_retries":
      draft.attempts = Math.max(1, expectInteger(cursor, "a number of attempts") ?? 1);
      break;
    case "accepted_payload_size":
      draft.payloadBytes = expectInteger(cursor, "a number of bytes", 12, 65_535) ?? 512;
      break;
    default: {
      const message = `unknown keyword \`${displayText(keyword.text)}\` in a \`resolvers\` section`;
      report.error("unknown-keyword", keyword.span, message, suggestWord(keyword.text, WORDS));
      return;
    }
  }
  cursor.expectEnd("warning");
}

/** `nameserver NAME ADDRESS:PORT`; over TCP, words of a `server` line may follow. */
function readNameserver(reading: Reading, draft: ResolversDraft, cursor: Cursor): void {
  const { report } = reading;
  const name = cursor.expect("the nameserver's name");
  const address = name === null ? null : cursor.expect("the nameserver's address");
  if (name === null || address === null) return;
  if (draft.nameservers.some((other) => other.name === name.text))
    report.error(
      "duplicate-name",
      name.span,
      `there is already a nameserver \`${displayText(name.text)}\` in this section`,
      "Give it another name.",
    );
  const variable = (key: string) => reading.variable(key);
  const endpoint = parseEndpoint(address, { port: "needed", datagram: true }, report, variable);
  if (endpoint === null) return;
  if (endpoint.kind !== "ip" || endpoint.host === "" || endpoint.port?.kind !== "range") {
    report.error("bad-address", address.span, "a nameserver has an IP address, or a name, and a port");
    return;
  }
  if (endpoint.port.low === 0) {
    report.error("bad-port", address.span, "nobody can be asked at port 0", "Nameservers have port 53.");
    return;
  }
  const isStream = /^(?:stream\+|tcp[46]?@)/.test(expandVariables(address.text, variable));
  if (isStream) checkStreamWords(cursor);
  const transport = isStream ? "tcp" : "udp";
  draft.nameservers.push({ name: name.text, host: endpoint.host, port: endpoint.port.low, transport });
}

/** What asks for encryption must not be asked without. */
function checkStreamWords(cursor: Cursor): void {
  const words = cursor.rest();
  const ssl = words.find(({ text }) => text === "ssl");
  if (ssl !== undefined)
    cursor.report.error(
      "refused-keyword",
      ssl.span,
      "nameservers cannot be asked through TLS yet",
      "Remove `ssl` to ask without, or name a resolver on this machine that asks with TLS.",
    );
  else if (words.length > 0)
    cursor.report.notice(
      "no-effect",
      words[0]!.span,
      `\`${displayText(words[0]!.text)}\` has no effect here: a connection is made for each question`,
    );
}

function readHold(draft: ResolversDraft, cursor: Cursor): void {
  const status = cursor.expectOneOf("status", HOLD_STATUSES);
  const periodMs = status === null ? null : expectDurationMs(cursor, "a time");
  if (status === null) cursor.rest();
  else if (periodMs !== null) draft.holdMs[status] = periodMs;
}

function readTimeout(draft: ResolversDraft, cursor: Cursor): void {
  const event = cursor.expectOneOf("timeout of resolvers", ["resolve", "retry"]);
  const periodMs = event === null ? null : expectDurationMs(cursor, "a time");
  if (event === null) cursor.rest();
  else if (periodMs !== null) draft[event === "resolve" ? "resolveMs" : "retryMs"] = Math.max(1, periodMs);
}

function addSystemNameservers(reading: Reading, draft: ResolversDraft, span: Span): void {
  const found = systemNameservers(reading.environment);
  if (found === null) {
    const help = "Write the nameservers into the section.";
    reading.report.error("unreadable-file", span, `${SYSTEM_FILE} cannot be read`, help);
    return;
  }
  for (const nameserver of found)
    if (draft.nameservers.every(({ name }) => name !== nameserver.name)) draft.nameservers.push(nameserver);
}

/** Null when the file cannot be read. Addresses with a zone ("fe80::1%eth0") are none that HAProxy takes. */
function systemNameservers(environment: ReaderEnvironment): Nameserver[] | null {
  const bytes = environment.readFile(SYSTEM_FILE);
  if (bytes === null) return null;
  const found: Nameserver[] = [];
  for (const line of new TextDecoder("latin1").decode(bytes).split("\n")) {
    const host = /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? "";
    if (parseIpAddress(host) === null || found.some(({ name }) => name === host)) continue;
    found.push({ name: host, host, port: DNS_PORT, transport: "udp" });
  }
  return found;
}
