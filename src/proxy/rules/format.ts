// Compiles format strings (HAProxy manual 8.2.4) to functions that give the text for a stream. Three places
// use them with different habits: logs print `-` for what is missing and squeeze blanks, header values
// encode control characters, unique ids do the last two.
import type { LogFormat, LogFormatPart } from "../../model/sample.ts";
import {
  type AliasContext,
  compileAlias,
  isCaptureAlias,
  type WriteText,
  writeOptional,
} from "../log/aliases.ts";
import { encodeControls, encodeHttp, HAS_CONTROL } from "../log/encoding.ts";
import { STEP } from "../log/line-program.ts";
import type { RuleEnvironment } from "./environment.ts";
import { compileSample } from "./sample.ts";

export type FormatStyle = "log" | "http" | "unique-id";

export interface Counters {
  readonly logCount: { value: number };
  readonly requestCount: { value: number };
}

/** The text is never longer than its parts; limits of lines are the caller's. */
export function compileFormat(
  format: LogFormat,
  environment: RuleEnvironment,
  style: FormatStyle = "http",
  counters: Counters = { logCount: { value: 0 }, requestCount: environment.requestCount },
): WriteText {
  return concatenate(compileFormatParts(format, environment, style, counters));
}

/** The pieces of a format in order: constant texts, and writers for the rest. */
export function compileFormatParts(
  format: LogFormat,
  environment: RuleEnvironment,
  style: FormatStyle,
  counters: Counters,
): readonly (string | WriteText)[] {
  const context: AliasContext = {
    hostname: environment.hostname,
    pid: environment.pid,
    isMandatory: style === "log",
    ...counters,
  };
  const assembly = new Assembly(style !== "http");
  for (const part of format.parts) {
    if (part.kind === "text") assembly.addText(part.text);
    else if (part.kind === "sample") assembly.addWriter(compileSamplePart(part, environment, style));
    else if (isCaptureAlias(part.alias)) assembly.addCapture(compileAlias(part, context));
    else assembly.addWriter(compileAlias(part, context));
  }
  return assembly.finish();
}

/** The text of a format without variables, else null. */
export function constantFormat(format: LogFormat): string | null {
  return format.parts.every((part) => part.kind === "text")
    ? format.parts.map((part) => (part.kind === "text" ? part.text : "")).join("")
    : null;
}

function compileSamplePart(
  part: Extract<LogFormatPart, { kind: "sample" }>,
  environment: RuleEnvironment,
  style: FormatStyle,
): WriteText {
  const { readText } = compileSample(part.sample, environment);
  if (style === "log") {
    if (part.quoted || part.escaped)
      return (stream) => writeOptional(oneLine(readText(stream)), part, !part.optional);
    const missing = part.optional ? "" : "-";
    return (stream) => oneLine(readText(stream)) || missing;
  }
  return (stream) => {
    const text = readText(stream);
    return text === undefined ? "" : encodeHttp(text, part.escaped);
  };
}

/**
 * What a sample puts into a log line: as HAProxy, which copies C strings, up to a NUL. Other than HAProxy,
 * controls are encoded (`#0A`) as they are in captured headers: else whoever sends `%0a` where it gets
 * decoded writes our log.
 */
function oneLine(text: string | undefined): string | undefined {
  if (text === undefined || !HAS_CONTROL.test(text)) return text;
  const end = text.indexOf("\0");
  return encodeControls(end < 0 ? text : text.slice(0, end));
}

/**
 * Puts texts and writers together. Where blanks are squeezed, a blank is printed only behind something that
 * is not a blank; all that is known when compiling, but for captures, which may print nothing.
 */
class Assembly {
  readonly #squeezesBlanks: boolean;
  readonly #parts: (string | WriteText)[] = [];
  #endsInBlank = true;
  /** Captures seen since the last blank, when a blank stood before them. */
  #captures: WriteText[] = [];

  constructor(squeezesBlanks: boolean) {
    this.#squeezesBlanks = squeezesBlanks;
  }

  addText(text: string): void {
    if (!this.#squeezesBlanks) {
      this.#append(text);
      return;
    }
    for (const piece of text.match(/ +|[^ ]+/g) ?? []) {
      if (piece[0] === " ") this.#addBlank();
      else {
        this.#flushCaptures();
        this.#append(piece);
        this.#endsInBlank = false;
      }
    }
  }

  addWriter(write: WriteText): void {
    this.#flushCaptures();
    this.#parts.push(write);
    this.#endsInBlank = false;
  }

  addCapture(write: WriteText): void {
    if (this.#squeezesBlanks && this.#endsInBlank) this.#captures.push(write);
    else this.addWriter(write);
  }

  finish(): readonly (string | WriteText)[] {
    this.#flushCaptures();
    return this.#parts;
  }

  #addBlank(): void {
    if (this.#captures.length > 0) {
      const write = concatenate(this.#captures);
      this.#captures = [];
      const writeWithBlank: WriteText = (stream) => {
        const text = write(stream);
        return text === "" ? "" : `${text} `;
      };
      writeWithBlank.step = STEP.captures;
      this.#parts.push(writeWithBlank);
    } else if (!this.#endsInBlank) this.#append(" ");
    this.#endsInBlank = true;
  }

  #flushCaptures(): void {
    if (this.#captures.length === 0) return;
    this.#parts.push(...this.#captures);
    this.#captures = [];
    this.#endsInBlank = false;
  }

  #append(text: string): void {
    const last = this.#parts.at(-1);
    if (typeof last === "string") this.#parts[this.#parts.length - 1] = last + text;
    else if (text !== "") this.#parts.push(text);
  }
}

function concatenate(parts: readonly (string | WriteText)[]): WriteText {
  if (parts.every((part) => typeof part === "string")) {
    const text = parts.join("");
    return () => text;
  }
  const [only] = parts;
  if (parts.length === 1 && typeof only === "function") return only;
  // Each step writes the text before it and its own, so that the loop has no branch.
  const texts: string[] = [];
  const writers: WriteText[] = [];
  let before = "";
  for (const part of parts) {
    if (typeof part === "string") before += part;
    else {
      texts.push(before);
      writers.push(part);
      before = "";
    }
  }
  const end = before;
  return (stream) => {
    let text = "";
    for (let i = 0; i < writers.length; i++) text += texts[i]! + writers[i]!(stream);
    return text + end;
  };
}
