// haproxy.cfg to ProxyConfiguration. Pure: what it needs of the machine comes with the environment. It
// reports every fault it can find in one run, in the order of the files, and never throws.

import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { ProxyConfiguration } from "../../model/proxy.ts";
import { readCache } from "./cache-section.ts";
import { Cursor, endOf } from "./cursor.ts";
import { parseDefaultPath, STARTED_FROM } from "./default-path.ts";
import { copyDraft, newDefaults, type ProxyDraft } from "./draft.ts";
import type { ReaderEnvironment, SourceFile } from "./environment.ts";
import { readStatusAndFile } from "./error-line.ts";
import { finishConfiguration } from "./finish.ts";
import { newGlobal, readGlobalLine } from "./global-section.ts";
import { SECTIONS } from "./keywords-global.ts";
import { displayText } from "./lexer.ts";
import { capitalize } from "./line-words.ts";
import { type FileLines, type Line, readLines, SECTION_KEYWORDS } from "./lines.ts";
import { readLogForwarder } from "./log-forward-section.ts";
import { readMailers } from "./mailers-section.ts";
import { readPeers } from "./peers-section.ts";
import { readProgram } from "./program-section.ts";
import { readProxyLine } from "./proxy-section.ts";
import { Reading } from "./reading.ts";
import { Report } from "./report.ts";
import { readResolvers, systemResolvers } from "./resolvers-section.ts";
import { readRing } from "./ring-section.ts";
import { readUserlist } from "./userlist-section.ts";
import type { Word } from "./word.ts";

export type { ReaderEnvironment, SourceFile } from "./environment.ts";

export interface ReadResult {
  /** Null when there is an error among the diagnostics. */
  readonly configuration: ProxyConfiguration | null;
  /** In the order of the files and lines. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads all files as one configuration, as `haproxy -f A -f B` does. */
export function readConfiguration(files: readonly SourceFile[], environment: ReaderEnvironment): ReadResult {
  const report = new Report();
  const lines = readLines(files, environment, report);
  const reading = new Reading(environment, report, newGlobal());
  const sections = splitSections(lines, report);
  collectNames(reading, sections);
  reading.defaultPath = STARTED_FROM;
  const reader = new SectionReader(reading);
  for (const section of sections) reader.read(section);
  addSystemResolvers(reading);
  const configuration = finishConfiguration(reading, reader.proxies);
  const diagnostics = report.inFileOrder(files.map((file) => file.name));
  return { configuration: report.hasErrors ? null : configuration, diagnostics };
}

interface Section {
  readonly keyword: Word;
  readonly header: Line;
  readonly lines: readonly Line[];
}

function splitSections(files: readonly FileLines[], report: Report): Section[] {
  const sections: { keyword: Word; header: Line; lines: Line[] }[] = [];
  for (const { lines } of files) {
    let present: { lines: Line[] } | null = null;
    for (const line of lines) {
      const keyword = line.words[0]!;
      if (SECTION_KEYWORDS.includes(keyword.text) && line.modifier === null) {
        const section = { keyword, header: line, lines: [] };
        sections.push(section);
        present = section;
      } else if (present !== null) present.lines.push(line);
      else {
        const help =
          suggestWord(keyword.text, SECTION_KEYWORDS) ??
          "A file begins with a section: `global`, `defaults`, `frontend`, `backend` or `listen`.";
        report.error(
          "outside-section",
          keyword.span,
          `\`${displayText(keyword.text)}\` stands in no section`,
          help,
        );
      }
    }
  }
  return sections;
}

/** Names that rules may use before their section comes. */
function collectNames(reading: Reading, sections: readonly Section[]): void {
  for (const { keyword, header, lines } of sections) {
    // Replies are read here, from where the file so far says that files are.
    reading.file = header.span.file;
    if (keyword.text === "global") noteDefaultPath(reading, lines);
    const name = header.words[1]?.text;
    if (name === undefined) continue;
    if (keyword.text === "frontend" || keyword.text === "listen") reading.names.frontends.add(name);
    if (keyword.text === "backend" || keyword.text === "listen") reading.names.backends.add(name);
    if (keyword.text === "resolvers") reading.names.resolvers.add(name);
    if (keyword.text === "userlist") reading.names.userlists.add(name);
    if (keyword.text === "http-errors") readHttpErrors(reading, name, lines);
  }
}

function noteDefaultPath(reading: Reading, lines: readonly Line[]): void {
  for (const { words } of lines) {
    const [keyword, ...rest] = words.map(({ text }) => text);
    const path = keyword === "default-path" ? parseDefaultPath(rest) : null;
    if (path !== null) reading.defaultPath = path;
  }
}

function addSystemResolvers(reading: Reading): void {
  const section = systemResolvers(reading.environment, reading.resolvers);
  if (section === null) return;
  reading.resolvers.push(section);
  reading.names.resolvers.add(section.name);
}

function readHttpErrors(reading: Reading, name: string, lines: readonly Line[]): void {
  const replies = reading.httpErrors.get(name) ?? new Map();
  reading.httpErrors.set(name, replies);
  for (const line of lines) {
    const keyword = line.words[0]!;
    if (keyword.text !== "errorfile") {
      const help = suggestWord(keyword.text, ["errorfile"]);
      reading.report.error(
        "unknown-keyword",
        keyword.span,
        `unknown keyword \`${displayText(keyword.text)}\` in an \`http-errors\` section`,
        help,
      );
      continue;
    }
    const read = readStatusAndFile(reading, new Cursor(line.words, 1, reading.report));
    if (read !== null) replies.set(read.status, read.reply);
  }
}

class SectionReader {
  readonly proxies: ProxyDraft[] = [];
  readonly #reading: Reading;
  readonly #report: Report;
  readonly #named: Map<string, ProxyDraft> = new Map();
  #defaults: ProxyDraft = newDefaults();

  constructor(reading: Reading) {
    this.#reading = reading;
    this.#report = reading.report;
  }

  read(section: Section): void {
    this.#reading.file = section.header.span.file;
    const keyword = SECTIONS.get(section.keyword.text)!;
    if (keyword.support === "refused") {
      this.#report.error(
        "refused-keyword",
        section.keyword.span,
        `\`${keyword.name}\` sections are not supported`,
        capitalize(keyword.note),
      );
      return;
    }
    switch (section.keyword.text) {
      case "global":
        this.#readGlobal(section);
        return;
      case "userlist":
        this.#readUserlist(section);
        return;
      case "program":
        readProgram(this.#reading, section.header, section.lines);
        return;
      case "mailers":
        this.#readMailers(section);
        return;
      case "peers":
        this.#readPeers(section);
        return;
      case "cache":
        this.#readCache(section);
        return;
      case "resolvers":
        this.#readResolvers(section);
        return;
      case "ring":
        this.#readRing(section);
        return;
      case "log-forward":
        this.#readLogForwarder(section);
        return;
      case "http-errors":
        return; // read before everything else
    }
    this.#readProxy(section);
  }

  #readGlobal(section: Section): void {
    if (this.#reading.global.span.line === 0) this.#reading.global.span = section.header.span;
    new Cursor(section.header.words, 1, this.#report).expectEnd();
    for (const line of section.lines) readGlobalLine(this.#reading, line);
  }

  #readUserlist(section: Section): void {
    const cursor = new Cursor(section.header.words, 1, this.#report);
    const name = cursor.expect("the list's name");
    cursor.expectEnd();
    const first = this.#reading.userlists.find((list) => list.name === name?.text);
    if (name !== null && first !== undefined) {
      this.#report.error(
        "duplicate-name",
        name.span,
        `there is already a userlist \`${displayText(name.text)}\``,
        "Give it another name.",
        [{ span: first.span, message: "the first is here" }],
      );
    }
    if (name !== null) readUserlist(this.#reading, name.text, section.header.span, section.lines);
  }

  #readCache(section: Section): void {
    const cursor = new Cursor(section.header.words, 1, this.#report);
    const name = cursor.expect("the cache's name");
    cursor.expectEnd();
    if (name !== null) readCache(this.#reading, name, section.header.span, section.lines);
  }

  #readResolvers(section: Section): void {
    const cursor = new Cursor(section.header.words, 1, this.#report);
    const name = cursor.expect("the section's name");
    cursor.expectEnd("warning");
    if (name !== null) readResolvers(this.#reading, name, section.header.span, section.lines);
  }

  #readMailers(section: Section): void {
    const cursor = new Cursor(section.header.words, 1, this.#report);
    const name = cursor.expect("the section's name");
    cursor.expectEnd("warning");
    if (name !== null) readMailers(this.#reading, name, section.header.span, section.lines);
  }

  #readRing(section: Section): void {
    const cursor = new Cursor(section.header.words, 1, this.#report);
    const name = cursor.expect("the ring's name");
    cursor.expectEnd("warning");
    if (name !== null) readRing(this.#reading, name, section.header.span, section.lines);
  }

  #readLogForwarder(section: Section): void {
    const cursor = new Cursor(section.header.words, 1, this.#report);
    const name = cursor.expect("the section's name");
    cursor.expectEnd("warning");
    const { span } = section.header;
    if (name !== null) readLogForwarder(this.#reading, name, span, section.lines, this.proxies);
  }

  #readPeers(section: Section): void {
    const cursor = new Cursor(section.header.words, 1, this.#report);
    const name = cursor.expect("the section's name");
    cursor.expectEnd();
    if (name !== null) readPeers(this.#reading, name.text, section.header.span, section.lines);
  }

  #readProxy(section: Section): void {
    const draft = this.#startProxy(section);
    if (draft.kind === "defaults") {
      this.#defaults = draft;
      if (draft.name !== "") this.#named.set(draft.name, draft);
    } else this.proxies.push(draft);
    for (const line of section.lines) {
      readProxyLine({
        reading: this.#reading,
        report: this.#report,
        draft,
        words: line.words,
        keyword: line.words[0]!,
        modifier: line.modifier,
        span: line.span,
      });
    }
  }

  /** Reads "frontend NAME from DEFAULTS" and begins the proxy with its defaults. */
  #startProxy({ keyword, header }: Section): ProxyDraft {
    const kind = keyword.text as ProxyDraft["kind"];
    const cursor = new Cursor(header.words, 1, this.#report);
    const isNameless =
      kind === "defaults" && (cursor.isAtEnd || (cursor.peek()!.text === "from" && header.words.length <= 3));
    const name = isNameless ? null : cursor.expect("the section's name");
    const oldBind = isOldBindPlace(kind, cursor) ? cursor.next() : null;
    const origin = this.#readFrom(cursor);
    cursor.expectEnd();
    const draft = copyDraft(origin ?? (kind === "defaults" ? newDefaults() : this.#defaults));
    draft.kind = kind;
    draft.name = name?.text ?? "";
    draft.span = header.span;
    draft.nameSpan = name?.span ?? endOf(keyword.span);
    draft.isInvalid = name === null && kind !== "defaults";
    if (name !== null) this.#checkName(kind, name, draft);
    if (oldBind !== null) this.#readOldBind(draft, oldBind);
    return draft;
  }

  /** `listen NAME ADDRESS`, as files for HAProxy 1.5 have it. */
  #readOldBind(draft: ProxyDraft, address: Word): void {
    const help = `${draft.kind} ${displayText(draft.name)}\n    bind ${displayText(address.text)}`;
    this.#report.warning(
      "obsolete-keyword",
      address.span,
      "the address of a section is now on a `bind` line of its own",
      help,
    );
    const keyword: Word = { ...address, text: "bind" };
    const words = [keyword, address];
    readProxyLine({
      reading: this.#reading,
      report: this.#report,
      draft,
      words,
      keyword,
      modifier: null,
      span: draft.span,
    });
  }

  #readFrom(cursor: Cursor): ProxyDraft | null {
    if (cursor.take("from") === null) return null;
    const name = cursor.expect("the name of a `defaults` section");
    if (name === null) return null;
    const found = this.#named.get(name.text);
    if (found === undefined) {
      const help = suggestWord(name.text, this.#named.keys()) ?? "It has to stand above, with this name.";
      this.#report.error(
        "unknown-name",
        name.span,
        `there is no \`defaults\` section \`${displayText(name.text)}\``,
        help,
      );
    }
    return found ?? null;
  }

  #checkName(kind: ProxyDraft["kind"], name: Word, draft: ProxyDraft): void {
    const bad = /[^\w.:-]/.exec(name.text);
    if (bad !== null) {
      this.#report.error(
        "bad-name",
        name.span,
        `\`${displayText(bad[0])}\` is not possible in a section's name`,
        "Possible: letters, digits, `-`, `_`, `.` and `:`.",
      );
    }
    if (kind === "defaults") return;
    const first = this.proxies.find((other) => other.name === name.text && overlaps(other.kind, kind));
    if (first === undefined) return;
    this.#report.error(
      "duplicate-name",
      name.span,
      `there is already a ${first.kind} \`${displayText(name.text)}\``,
      "Give it another name.",
      [{ span: first.span, message: "the first is here" }],
    );
    draft.isInvalid = true;
  }
}

function isOldBindPlace(kind: ProxyDraft["kind"], cursor: Cursor): boolean {
  const word = cursor.peek();
  return (
    (kind === "listen" || kind === "frontend") &&
    word !== null &&
    word.text !== "from" &&
    /[:/@]/.test(word.text)
  );
}

/** A frontend and a backend may have the same name. */
function overlaps(a: ProxyDraft["kind"], b: ProxyDraft["kind"]): boolean {
  return a === b || a === "listen" || b === "listen";
}
