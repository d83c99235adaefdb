// `mailers` sections (manual 3.6) and the `email-alert` lines of proxies (manual 4.2).
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { EmailAlerts, Mailer } from "../../model/mailers.ts";
import { parseEndpoint } from "./address.ts";
import { Cursor } from "./cursor.ts";
import type { Mutable, ProxyDraft } from "./draft.ts";
import { displayText } from "./lexer.ts";
import type { Line } from "./lines.ts";
import { LEVELS } from "./log-line.ts";
import { cursorOf, type ProxyLine, type Reading } from "./reading.ts";
import { expectDurationMs } from "./values.ts";
import type { Word } from "./word.ts";

const TIMEOUT_MS = 10_000;

export interface MailersSection {
  readonly name: string;
  readonly mailers: readonly Mailer[];
  readonly timeoutMs: number;
  readonly span: Span;
}

interface SectionDraft extends Mutable<MailersSection> {
  mailers: Mailer[];
}

export function readMailers(reading: Reading, name: Word, span: Span, lines: readonly Line[]): void {
  const first = reading.mailers.find((section) => section.name === name.text);
  if (first !== undefined)
    reading.report.error(
      "duplicate-name",
      name.span,
      `there is already a section \`mailers ${displayText(name.text)}\``,
      "Give it another name.",
      [{ span: first.span, message: "the first is here" }],
    );
  const draft: SectionDraft = { name: name.text, mailers: [], timeoutMs: TIMEOUT_MS, span };
  for (const line of lines) readLine(reading, draft, line);
  reading.mailers.push(draft);
}

function readLine(reading: Reading, draft: SectionDraft, line: Line): void {
  const { report } = reading;
  const keyword = line.words[0]!;
  const cursor = new Cursor(line.words, 1, report);
  if (keyword.text === "mailer") readMailer(reading, draft, cursor);
  else if (keyword.text === "timeout") {
    if (cursor.expectOneOf("timeout of mailers", ["mail"]) !== null)
      draft.timeoutMs = expectDurationMs(cursor, "a time") || TIMEOUT_MS;
    else cursor.rest();
  } else {
    const message = `unknown keyword \`${displayText(keyword.text)}\` in a \`mailers\` section`;
    report.error("unknown-keyword", keyword.span, message, suggestWord(keyword.text, ["mailer", "timeout"]));
    return;
  }
  cursor.expectEnd("warning");
}

/** `mailer NAME ADDRESS:PORT`. */
function readMailer(reading: Reading, draft: SectionDraft, cursor: Cursor): void {
  const name = cursor.expect("the mailer's name");
  const word = name === null ? null : cursor.expect("an address with its port");
  if (name === null || word === null) return;
  const endpoint = parseEndpoint(word, { port: "needed" }, reading.report, (one) => reading.variable(one));
  if (endpoint === null) return;
  if (endpoint.kind !== "ip" || endpoint.host === "" || endpoint.port?.kind !== "range")
    reading.report.error("bad-address", word.span, "a mailer has an IP address, or a name, and a port");
  else draft.mailers.push({ name: name.text, host: endpoint.host, port: endpoint.port.low });
}

/** The `email-alert` lines of a proxy so far, its defaults' included. */
export interface EmailAlertDraft {
  mailers: Word | null;
  from: string | null;
  to: string | null;
  level: EmailAlerts["level"];
  hostName: string | null;
  /** Of the last of them; null: there is none. */
  span: Span | null;
}

export function newEmailAlert(): EmailAlertDraft {
  return { mailers: null, from: null, to: null, level: "alert", hostName: null, span: null };
}

export function readEmailAlert(line: ProxyLine): void {
  const draft = line.draft.emailAlert;
  const cursor = cursorOf(line);
  const what = cursor.expectOneOf("part of an email alert", ["from", "level", "mailers", "myhostname", "to"]);
  if (what === null) return;
  draft.span = line.span;
  if (what === "level") draft.level = cursor.expectOneOf("level", LEVELS) ?? draft.level;
  else {
    const word = cursor.expect(what === "mailers" ? "the name of a `mailers` section" : "a value");
    if (what === "mailers") draft.mailers = word;
    else if (what === "myhostname") draft.hostName = word?.text ?? null;
    else draft[what] = word?.text ?? null;
  }
  cursor.expectEnd();
}

/** Null: no mail is sent. Reports when that is not what the lines say. */
export function finishEmailAlerts({ report, mailers }: Reading, proxy: ProxyDraft): EmailAlerts | null {
  const { from, to, level, hostName, span, mailers: name } = proxy.emailAlert;
  if (span === null) return null;
  if (from === null || to === null || name === null) {
    const missing = [
      ...(from === null ? ["`email-alert from`"] : []),
      ...(name === null ? ["`email-alert mailers`"] : []),
      ...(to === null ? ["`email-alert to`"] : []),
    ];
    report.warning(
      "no-effect",
      span,
      `no mail is sent about \`${displayText(proxy.name)}\`: it has no ${missing.join(" and no ")}`,
      "All three are needed.",
    );
    return null;
  }
  const section = mailers.find((one) => one.name === name.text);
  if (section !== undefined) {
    const { mailers: receivers, timeoutMs } = section;
    return { mailers: receivers, timeoutMs, from, to, level, hostName };
  }
  report.error(
    "unknown-name",
    name.span,
    `there is no section \`mailers ${displayText(name.text)}\``,
    suggestWord(
      name.text,
      mailers.map((one) => one.name),
    ),
  );
  return null;
}
