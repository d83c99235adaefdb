// Converters that look into messages of other formats: a value of a JSON text, a tag of a FIX message.
import { type ConverterCompiler, typed } from "../converter.ts";
import { textParameter } from "../fetch.ts";
import type { SampleValue } from "../sample-value.ts";

type Names = "json_query" | "fix_is_valid" | "fix_tag_value";

export const MESSAGE_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  json_query: typed<string>((parameters) => {
    const path = textParameter(parameters, 0);
    const isInteger = textParameter(parameters, 1) === "int";
    return (value) => queryJson(value, path, isInteger);
  }),
  fix_is_valid: typed<string>(() => isFixMessage),
  fix_tag_value: typed<string>((parameters) => {
    const word = textParameter(parameters, 0);
    const tag = Object.hasOwn(FIX_TAGS, word) ? FIX_TAGS[word]! : word;
    return (value) => fieldsOf(value)?.find(([name]) => name === tag)?.[1];
  }),
};

/** The value at `path` in a JSON text. Undefined when the text is no JSON or has nothing there. */
export function queryJson(json: string, path: string, isInteger: boolean): SampleValue | undefined {
  const found = findInJson(Buffer.from(json, "latin1").toString("utf8"), readJsonPath(path) ?? []);
  return isInteger ? toJsonInteger(found) : toJsonSample(found);
}

type JsonStep = string | number;

/** `$.a.b`, `$.list[2].c`, `$['a']`; a dot in a name is written `\\.`. Null for anything else. */
export function readJsonPath(text: string): JsonStep[] | null {
  if (!text.startsWith("$")) return null;
  const steps: JsonStep[] = [];
  const step = /\.((?:[^.[\]\\]|\\.)+)|\[(\d+)\]|\['([^']*)'\]/y;
  for (step.lastIndex = 1; step.lastIndex < text.length; ) {
    const match = step.exec(text);
    if (match === null) return null;
    const [, name, index, quoted] = match;
    if (index !== undefined) steps.push(Number(index));
    else steps.push(quoted ?? name!.replace(/\\(.)/g, "$1"));
  }
  return steps;
}

/** Undefined when the text is no JSON or has nothing there. */
function findInJson(text: string, steps: readonly JsonStep[]): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const step of steps) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<JsonStep, unknown>>)[step];
  }
  return value;
}

/** Fractions are text, as there is no such sample. */
function toJsonSample(value: unknown): SampleValue | undefined {
  if (typeof value === "string") return Buffer.from(value, "utf8").toString("latin1");
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : String(value);
  return undefined;
}

function toJsonInteger(value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" ? Math.trunc(number) : undefined;
}

const FIX_TAGS: Readonly<Record<string, string>> = {
  BeginString: "8",
  BodyLength: "9",
  CheckSum: "10",
  MsgType: "35",
  SenderCompID: "49",
  TargetCompID: "56",
};
const FIX_VERSION = /^(FIX\.4\.[0-4]|FIXT\.1\.1|FIX\.5\.0(SP[12])?)$/;
const SEPARATOR = "\x01";

/** Tags and values in their order. Null when one of them is empty or a tag no number. */
function fieldsOf(message: string): [tag: string, value: string][] | null {
  const fields: [string, string][] = [];
  for (const part of message.split(SEPARATOR).slice(0, -1)) {
    const match = /^(\d+)=(.+)$/s.exec(part);
    if (match === null) return null;
    fields.push([match[1]!, match[2]!]);
  }
  return fields;
}

/**
 * The three first tags, the length that the second one says, and the checksum at the end. Undefined while
 * more may come.
 */
function isFixMessage(message: string): boolean | undefined {
  if (!message.startsWith("8=FIX".slice(0, message.length))) return false;
  const checksum = /\x0110=([^\x01]*)\x01/.exec(message);
  if (checksum === null) return undefined;
  const end = checksum.index + 1;
  const fields = fieldsOf(message.slice(0, end));
  const [first, second, third] = fields ?? [];
  if (third === undefined || first![0] !== "8" || second![0] !== "9" || third[0] !== "35") return false;
  const bodyStart = `8=${first![1]}${SEPARATOR}9=${second![1]}${SEPARATOR}`.length;
  let sum = 0;
  for (let i = 0; i < end; i++) sum += message.charCodeAt(i);
  return (
    FIX_VERSION.test(first![1]) &&
    Number(second![1]) === end - bodyStart &&
    /^\d{3}$/.test(checksum[1]!) &&
    Number(checksum[1]) === sum % 256
  );
}
