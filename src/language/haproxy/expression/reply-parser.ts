// Reads the replies that Sallyport itself gives: the arguments of `return`, `deny`, `tarpit` and
// `http-error`. HAProxy 2.6 manual, section 4.2, "http-request return". Files are read here, `errorfiles`
// when the whole configuration is known.
import type { ReplyDefinition } from "../../../model/rule.ts";
import type { LogFormat } from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";
import { type Word, wordAt } from "../word.ts";
import type { Stage } from "./availability.ts";
import { parseLogFormat } from "./log-format-parser.ts";
import { quote, reportWarning } from "./report.ts";
import { RuleLine } from "./rule-line.ts";

type Content = ReplyDefinition["content"];
type Header = ReplyDefinition["headers"][number];

/** Statuses that have a built-in reply and may have an errorfile. */
export const ERROR_FILE_STATUSES: readonly number[] = [
  200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503, 504,
];
const CONTENT_KEYWORDS = [
  "default-errorfiles",
  "errorfile",
  "errorfiles",
  "file",
  "string",
  "lf-file",
  "lf-string",
];
/** Made from the body by ourselves. */
const IGNORED_HEADERS = ["content-length", "transfer-encoding", "content-type"];

/**
 * Reads all of `words` as a reply, as `http-error` has it. `defaultStatus` null: a status must be given, and
 * it must be one of ERROR_FILE_STATUSES. Null after an error.
 */
export function parseHttpReturnReply(
  words: readonly Word[],
  context: ExpressionContext,
  defaultStatus: number | null,
  stage: Stage = "any",
): ReplyDefinition | null {
  const line = new RuleLine(words, 0, context, stage);
  const reply = readReply(line, defaultStatus ?? 0);
  if (reply === null) return null;
  const left = line.rest[0];
  if (left !== undefined)
    return line.error(
      "unexpected-word",
      left.span,
      `${quote(left.text)} is not expected here`,
      `Possible: status, content-type, hdr, ${CONTENT_KEYWORDS.join(", ")}.`,
    );
  if (defaultStatus !== null || ERROR_FILE_STATUSES.includes(reply.status)) return reply;
  const place = words[0]?.span;
  if (place === undefined) return null;
  const what =
    reply.status === 0 ? "`status` is missing" : `there is no error reply for status ${reply.status}`;
  return line.error("bad-status", place, what, `Possible: ${ERROR_FILE_STATUSES.join(", ")}.`);
}

/** Reads the reply's arguments up to the first word that is none. Null after an error. */
export function readReply(line: RuleLine, defaultStatus: number): ReplyDefinition | null {
  const reader = new ReplyReader(line, defaultStatus);
  return reader.read() ? reader.finish() : null;
}

class ReplyReader {
  readonly #line: RuleLine;
  #status: number;
  #statusWord: Word | null = null;
  #contentType: Word | null = null;
  /** The word that says where the body comes from, and its argument. */
  #source: Word | null = null;
  #argument: Word | null = null;
  readonly #headers: Header[] = [];

  constructor(line: RuleLine, defaultStatus: number) {
    this.#line = line;
    this.#status = defaultStatus;
  }

  /** False after an error. */
  read(): boolean {
    for (let word = this.#line.peek(); word !== null; word = this.#line.peek()) {
      const isRead = this.#readArgument(word);
      if (isRead === null) return true;
      if (!isRead) return false;
    }
    return true;
  }

  /** Null when the word is no argument of a reply. */
  #readArgument(word: Word): boolean | null {
    const line = this.#line;
    if (CONTENT_KEYWORDS.includes(word.text)) return this.#readSource(word);
    switch (word.text) {
      case "status":
        line.next();
        return this.#readStatus();
      case "content-type":
        line.next();
        this.#contentType = line.expect("a content type");
        return this.#contentType !== null;
      case "hdr":
        line.next();
        return this.#readHeader();
      default:
        return null;
    }
  }

  #readStatus(): boolean {
    const word = this.#line.expect("a status");
    if (word === null) return false;
    this.#statusWord = word;
    this.#status = /^\d{3}$/.test(word.text) ? Number(word.text) : 0;
    if (this.#status >= 200 && this.#status <= 599) return true;
    this.#line.error("bad-status", word.span, `${quote(word.text)} is not a status from 200 to 599`);
    return false;
  }

  #readSource(word: Word): boolean {
    this.#line.next();
    if (this.#source !== null) {
      const message = `${quote(word.text)} cannot be given beside ${quote(this.#source.text)}`;
      this.#line.error("bad-reply", word.span, message);
      return false;
    }
    this.#source = word;
    if (word.text === "default-errorfiles") return true;
    this.#argument = this.#line.expect(`the argument of \`${word.text}\``);
    return this.#argument !== null;
  }

  #readHeader(): boolean {
    const name = this.#line.expect("the name of a header");
    const value = name === null ? null : this.#line.expectFormat("the value of a header");
    if (name === null || value === null) return false;
    if (IGNORED_HEADERS.includes(name.text.toLowerCase()))
      this.#warn(name, `the header ${quote(name.text)} is left out: the body decides it`);
    else this.#headers.push({ name: name.text, value });
    return true;
  }

  finish(): ReplyDefinition | null {
    const kind = this.#source?.text ?? null;
    if (kind === null) {
      if (this.#contentType !== null)
        this.#warn(this.#contentType, "the content type is left out: there is no body");
      return this.#reply({ kind: "none" });
    }
    if (kind === "default-errorfiles" || kind === "errorfiles" || kind === "errorfile")
      return this.#errorFile(kind);
    return kind === "string" || kind === "file" ? this.#text(kind) : this.#format(kind);
  }

  #errorFile(kind: string): ReplyDefinition | null {
    const source = this.#source!;
    if (kind !== "errorfile" && !ERROR_FILE_STATUSES.includes(this.#status)) {
      const message = `there is no error reply for status ${this.#status}`;
      return this.#line.error(
        "bad-status",
        (this.#statusWord ?? source).span,
        message,
        `Possible: ${ERROR_FILE_STATUSES.join(", ")}.`,
      );
    }
    if (this.#contentType !== null)
      this.#warn(this.#contentType, "the content type is left out: an errorfile has its own");
    if (this.#headers.length > 0)
      this.#warn(source, "the headers of `hdr` are left out: an errorfile has its own");
    this.#headers.length = 0;
    if (kind === "default-errorfiles") return this.#reply(null);
    if (kind === "errorfiles") return this.#fromSection(this.#argument!);
    const bytes = this.#readFile();
    if (bytes === null) return null;
    // An empty file silences the answer, as `errorfile 408 /dev/null` does.
    const isMessage =
      bytes.length === 0 || /^HTTP\/\d\.\d \d{3}/.test(Buffer.from(bytes.subarray(0, 16)).toString("latin1"));
    if (isMessage) return this.#reply({ kind: "raw", bytes });
    const message = `${quote(this.#argument!.text)} is not a whole HTTP response: it does not begin with a status line`;
    return this.#line.error(
      "bad-errorfile",
      this.#argument!.span,
      message,
      "For a body alone use `file` with `content-type`.",
    );
  }

  /** `http-errors` sections may stand further down, so the reply is completed when all is read. */
  #fromSection(section: Word): ReplyDefinition {
    const { context } = this.#line;
    const status = this.#status;
    const reply: { status: number; content: Content; headers: readonly Header[] } = {
      status,
      content: null,
      headers: [],
    };
    context.deferCheck(() => {
      const found = context.httpErrorReply(section.text, status);
      if (found !== null) Object.assign(reply, found);
      else if (context.hasHttpErrors(section.text))
        this.#warn(section, `${quote(section.text)} has no reply for status ${status}`);
      else
        this.#line.error(
          "unknown-http-errors",
          section.span,
          `there is no http-errors section ${quote(section.text)}`,
        );
    });
    return reply;
  }

  #text(kind: string): ReplyDefinition | null {
    const bytes =
      kind === "file" ? this.#readFile() : new Uint8Array(Buffer.from(this.#argument!.text, "latin1"));
    if (bytes === null) return null;
    if (bytes.length === 0) {
      if (this.#contentType !== null)
        this.#warn(this.#contentType, "the content type is left out: the body is empty");
      return this.#reply({ kind: "text", bytes, contentType: null });
    }
    const contentType = this.#bodyType();
    return contentType === null ? null : this.#reply({ kind: "text", bytes, contentType });
  }

  #format(kind: string): ReplyDefinition | null {
    const contentType = this.#bodyType();
    if (contentType === null) return null;
    const { context, stage } = this.#line;
    let word = this.#argument!;
    if (kind === "lf-file") {
      const bytes = this.#readFile();
      if (bytes === null) return null;
      word = wordAt(Buffer.from(bytes).toString("latin1"), word.span);
    }
    const format: LogFormat | null = parseLogFormat(word, context, stage);
    return format === null ? null : this.#reply({ kind: "format", format, contentType });
  }

  /** The content type of a body that is there. Null after an error. */
  #bodyType(): string | null {
    const source = this.#source!;
    if (this.#status === 204 || this.#status === 304) {
      return this.#line.error("bad-reply", source.span, `a ${this.#status} response has no body`);
    }
    if (this.#contentType !== null) return this.#contentType.text;
    return this.#line.error(
      "bad-reply",
      source.span,
      "a body needs a content type",
      "Add `content-type text/plain`, for instance.",
    );
  }

  #readFile(): Uint8Array | null {
    const word = this.#argument!;
    const bytes = this.#line.context.readFile(word.text);
    return bytes ?? this.#line.error("unreadable-file", word.span, `file ${quote(word.text)} cannot be read`);
  }

  #reply(content: Content): ReplyDefinition {
    return { status: this.#status, content, headers: this.#headers };
  }

  #warn(word: Word, message: string): void {
    reportWarning(this.#line.context, "odd-reply", word.span, message);
  }
}
