// Turns the texts of arguments into values: first by their shape in FETCHES and CONVERTERS, then by what
// single fetches and converters ask beyond a shape. Names that may be defined further down the file are
// checked when all is read.
import { parseIpAddress } from "../../../base/address.ts";
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { Span } from "../../../diagnostic/span.ts";
import { VARIABLE_CONDITIONS, type VariableCondition } from "../../../model/rule.ts";
import type { MatchMethod, ParameterShape, SampleArgument } from "../../../model/sample.ts";
import { checkTable } from "../check-table.ts";
import type { ExpressionContext } from "../context.ts";
import { spanInside, type Word } from "../word.ts";
import type { ArgumentList, RawArgument } from "./argument-parser.ts";
import { parseInteger } from "./numbers.ts";
import { checkRegex } from "./regex.ts";
import { quote, reportError } from "./report.ts";

/** What an argument list belongs to, for messages. */
export interface Callee {
  readonly kind: "fetch" | "converter";
  readonly name: string;
  readonly span: Span;
}

/** HAProxy keeps this many occurrences of a header to count from the end. */
const HEADER_OCCURRENCE_MIN = -10;
const VARIABLE_PATTERN = /^(proc|sess|txn|req|res|check)\.[A-Za-z0-9_.]+$/;
const TIME_UNITS = ["s", "ms", "us"];
const JSON_ENCODINGS = ["", "ascii", "utf8", "utf8s", "utf8p", "utf8ps"];
const ARITHMETIC = new Set(["add", "sub", "mul", "div", "mod", "and", "or", "xor"]);
const JSON_PATH = /^\$(\.([^.[\]\\]|\\.)+|\[\d+\]|\['[^']*'\])*$/;
const FIX_TAGS = ["BeginString", "BodyLength", "MsgType", "SenderCompID", "TargetCompID", "CheckSum"];
const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const JWT_ALGORITHM = /^((HS|RS|ES)(256|384|512)|none)$/;
const PROTOBUF_NUMBERS =
  "int32 int64 uint32 uint64 sint32 sint64 bool enum fixed64 sfixed64 double fixed32 sfixed32 float".split(
    " ",
  );
const CONNECT_FIELDS =
  "flags protocol_name protocol_version client_identifier will_topic will_payload username password keepalive " +
  "17 33 39 34 25 23 21 22 24 1 2 3 8 9 38";
const CONNACK_FIELDS =
  "flags protocol_version reason_code 17 33 36 37 39 18 34 31 40 41 42 19 26 28 21 22 38";
const MQTT_FIELDS: Readonly<Record<string, string>> = {
  connect: CONNECT_FIELDS,
  "1": CONNECT_FIELDS,
  connack: CONNACK_FIELDS,
  "2": CONNACK_FIELDS,
};
const DIGESTS = [
  "md5",
  "sha1",
  "sha224",
  "sha256",
  "sha384",
  "sha512",
  "sha3-256",
  "sha3-384",
  "sha3-512",
  "blake2b512",
  "blake2s256",
];

/** The values of a list, or null when anything in it was reported. */
export function readArgumentValues(
  word: Word,
  callee: Callee,
  list: ArgumentList,
  shapes: readonly ParameterShape[],
  context: ExpressionContext,
): SampleArgument[] | null {
  if (!list.isClosed) {
    return reportError(
      context,
      "bad-argument",
      spanInside(word, list.end, list.end),
      `a \`)\` is missing behind the arguments of ${quote(callee.name)}`,
    );
  }
  const given = givenArguments(list, shapes);
  if (given.length > shapes.length) return reportTooMany(word, callee, given, shapes, context);
  const values: SampleArgument[] = [];
  for (const [index, shape] of shapes.entries()) {
    const raw = given[index];
    if (raw === undefined) {
      const isProxy = shape === "backend?" || shape === "frontend?";
      // In a defaults section it is the proxy that uses it, whose name nobody knows yet.
      if (shape.endsWith("?") && (!isProxy || context.proxyKind === "defaults")) break;
      const implied = impliedArgument(shape, callee, context);
      if (implied === null) return reportMissing(callee, shape, context);
      values.push(implied);
      continue;
    }
    const value = readValue(raw, shape, spanInside(word, raw.start, raw.end), callee, context);
    if (value === null) return null;
    values.push(value);
  }
  if (!checkTogether(word, callee, given, values, context)) return null;
  return callee.name === "jwt_verify" ? [...values, publicKeyFile(values, context)] : values;
}

/** What stands in the file that the second argument may name: the data path opens none. */
function publicKeyFile(values: readonly SampleArgument[], context: ExpressionContext): string {
  const path = String(values[1]);
  if (isVariableName(path) || /^(HS\d+|none)$/.test(String(values[0]))) return "";
  return Buffer.from(context.readFile(path) ?? []).toString("latin1");
}

/**
 * An empty list is no argument at all where a number or a name would have to stand, and one empty text
 * otherwise.
 */
function givenArguments(list: ArgumentList, shapes: readonly ParameterShape[]): readonly RawArgument[] {
  const given = list.arguments;
  const last = given[given.length - 1];
  if (last === undefined || last.text !== "" || last.start !== last.end) return given;
  const shape = shapes[given.length - 1];
  const isText = shape === "string" || shape === "string?" || shape === "regex" || shape === "variable?";
  return isText || (shape === undefined && given.length > 1) ? given : given.slice(0, -1);
}

function reportTooMany(
  word: Word,
  callee: Callee,
  given: readonly RawArgument[],
  shapes: readonly ParameterShape[],
  context: ExpressionContext,
): null {
  const span = spanInside(word, given[shapes.length]!.start, given[given.length - 1]!.end);
  const count =
    shapes.length === 0
      ? "no arguments"
      : shapes.length === 1
        ? "one argument"
        : `${shapes.length} arguments at most`;
  return reportError(context, "bad-argument", span, `${callee.kind} ${quote(callee.name)} takes ${count}`);
}

function reportMissing(callee: Callee, shape: ParameterShape, context: ExpressionContext): null {
  if (shape.startsWith("backend") || shape.startsWith("frontend")) {
    const kind = shape.replace("?", "");
    const message = `${quote(callee.name)} needs the name of a ${kind}: ${quote(context.proxyName)} is none`;
    return reportError(context, "missing-argument", callee.span, message, `Write \`${callee.name}(NAME)\`.`);
  }
  const wanted = shape === "integer" ? "a number" : shape === "string" ? "a text" : `a ${shape}`;
  const message = `${callee.kind} ${quote(callee.name)} needs an argument: ${wanted}`;
  return reportError(context, "missing-argument", callee.span, message, `Write \`${callee.name}(…)\`.`);
}

/** HAProxy takes the proxy of the line when its name is left out. */
function impliedArgument(
  shape: ParameterShape,
  callee: Callee,
  context: ExpressionContext,
): SampleArgument | null {
  if (shape === "string" && callee.name === "url_enc") return "";
  if (shape === "table")
    return context.proxyKind === "defaults" ? null : tableNamed("", callee.span, context);
  const kind = shape.replace("?", "");
  if (kind !== "backend" && kind !== "frontend") return null;
  return context.proxyKind === kind || context.proxyKind === "listen" || context.proxyKind === "defaults"
    ? context.proxyName
    : null;
}

function readValue(
  raw: RawArgument,
  shape: ParameterShape,
  span: Span,
  callee: Callee,
  context: ExpressionContext,
): SampleArgument | null {
  const { text } = raw;
  const wrong = (message: string, help: string | null = null): null =>
    reportError(context, "bad-argument", span, message, help);
  switch (shape) {
    case "string":
    case "string?":
      return text;
    case "integer":
    case "integer?":
      return parseInteger(text) ?? wrong(`${quote(text)} is not a number`);
    case "variable":
    case "variable?":
      if (text === "" && shape === "variable?") return text;
      return isVariableName(text)
        ? text
        : wrong(describeVariable(text), "Names begin with `proc.`, `sess.`, `txn.`, `req.` or `res.`.");
    case "regex":
    case "regex?":
      return checkRegex(text, span, context) ? text : null;
    case "ip-mask4":
    case "ip-mask4?":
      return isMask(text, 4)
        ? text
        : wrong(
            `${quote(text)} is not an IPv4 mask`,
            "Write a length such as 24 or a mask such as 255.255.255.0.",
          );
    case "ip-mask6":
    case "ip-mask6?":
      return isMask(text, 6)
        ? text
        : wrong(`${quote(text)} is not an IPv6 mask`, "Write a length such as 64.");
    case "table":
    case "table?":
      if (text === "" && context.proxyKind === "defaults") return reportMissing(callee, shape, context);
      return tableNamed(text, span, context);
    case "map":
    case "map?":
      return readMap(text, span, callee.name, context);
    default:
      return readNameOf(text, shape.replace("?", "") as NamedThing, span, callee, context);
  }
}

function readMap(path: string, span: Span, converter: string, context: ExpressionContext): string | null {
  const method = mapMethodOf(converter);
  const used = context.usePatternFile(path, true, { kind: "map", method, ignoreCase: false, span });
  if (typeof used === "number") return path;
  if (used === "unreadable")
    return reportError(context, "unreadable-file", span, `map file ${quote(path)} cannot be read`);
  const message = `${quote(path)} has been read as a file of patterns, which has no values`;
  return reportError(context, "conflict", span, message, "Add `-M` to the acl that uses it.");
}

/** `map_beg_int` matches by "beg". */
function mapMethodOf(converter: string): MatchMethod {
  const word = converter.split("_")[1] ?? "str";
  return word === "regm" ? "reg" : (word as MatchMethod);
}

/** The proxy's own when its name is left out; it may be declared further down. */
function tableNamed(text: string, span: Span, context: ExpressionContext): string {
  const name = text === "" ? context.proxyName : text;
  checkTable(context, name, null, span);
  return name;
}

type NamedThing = "backend" | "frontend" | "server" | "userlist";

function readNameOf(
  text: string,
  thing: NamedThing,
  span: Span,
  callee: Callee,
  context: ExpressionContext,
): string | null {
  if (text === "")
    return (
      (impliedArgument(thing, callee, context) as string | null) ?? reportMissing(callee, thing, context)
    );
  const name = thing === "server" && !text.includes("/") ? `${context.proxyName}/${text}` : text;
  const known = {
    backend: context.names.backends,
    frontend: context.names.frontends,
    server: context.names.servers,
    userlist: context.names.userlists,
  }[thing];
  // The servers of a defaults section are those of each proxy that uses it.
  if (thing === "server" && context.proxyKind === "defaults" && !text.includes("/")) return text;
  if (thing === "server") context.noteServer(name);
  context.deferCheck(() => {
    if (!known.has(name))
      reportError(
        context,
        `unknown-${thing}`,
        span,
        `there is no ${thing} ${quote(name)}`,
        suggestWord(name, known),
      );
  });
  return name;
}

/** True for "txn.name" and its like: a scope and letters, digits, "_" or ".". */
export function isVariableName(text: string): boolean {
  return VARIABLE_PATTERN.test(text);
}

/** Why `text` names no variable. */
export function describeVariable(text: string): string {
  if (text === "") return "the name of the variable is missing";
  if (!/^(proc|sess|txn|req|res|check)\../.test(text))
    return `${quote(text)} is no variable: it does not begin with a scope`;
  return `${quote(text)} is no variable: only letters, digits, \`_\` and \`.\` may stand in it`;
}

export function isVariableCondition(text: string): text is VariableCondition {
  return VARIABLE_CONDITIONS.some((one) => one === text);
}

/** Why `text` is no condition of `set-var`. */
export function describeVariableCondition(text: string): string {
  return `${quote(text)} is no condition: one of ${VARIABLE_CONDITIONS.join(" ")}`;
}

function isMask(text: string, family: 4 | 6): boolean {
  const bits = /^\d{1,3}$/.test(text) ? Number(text) : null;
  if (bits !== null) return bits <= (family === 4 ? 32 : 128);
  return parseIpAddress(text)?.family === family;
}

/** Rules of single fetches and converters. */
function checkTogether(
  word: Word,
  callee: Callee,
  given: readonly RawArgument[],
  values: readonly SampleArgument[],
  context: ExpressionContext,
): boolean {
  const problem =
    callee.kind === "fetch" ? fetchProblem(callee.name, values) : converterProblem(callee.name, values);
  if (problem === null) return true;
  const raw = given[problem.index] ?? given[given.length - 1];
  const span = raw === undefined ? callee.span : spanInside(word, raw.start, raw.end);
  reportError(context, "bad-argument", span, problem.message);
  return false;
}

interface ArgumentProblem {
  readonly index: number;
  readonly message: string;
}

function fetchProblem(name: string, values: readonly SampleArgument[]): ArgumentProblem | null {
  const first = String(values[0] ?? "");
  const wrong = (index: number, message: string): ArgumentProblem => ({ index, message });
  switch (name) {
    case "bool":
      return /^(true|false|0|1)$/i.test(first) ? null : wrong(0, `${quote(first)} is neither true nor false`);
    case "bin":
      return /^([0-9a-f]{2})*$/i.test(first)
        ? null
        : wrong(0, `${quote(first)} is not an even number of hexadecimal digits`);
    case "ipv4":
      return parseIpAddress(first)?.family === 4 ? null : wrong(0, `${quote(first)} is not an IPv4 address`);
    case "ipv6":
      return parseIpAddress(first)?.family === 6 ? null : wrong(0, `${quote(first)} is not an IPv6 address`);
    case "uuid":
      return values[0] === undefined || values[0] === 4 ? null : wrong(0, "only version 4 of UUIDs is known");
    case "date":
      return timeUnitProblem(values);
    case "fc_rtt":
    case "fc_rttvar":
      return ["", "us", "ms"].includes(first)
        ? null
        : wrong(0, `${quote(first)} is no unit of time: one of us ms`);
    case "req.payload":
    case "res.payload":
      return Number(values[0]) < 0 || Number(values[1]) < 0
        ? wrong(0, "offset and length cannot be negative")
        : null;
  }
  const isHeader = /^re[qs]\.f?hdr(_ip|_val)?$/.test(name);
  if (isHeader && Number(values[1] ?? 0) < HEADER_OCCURRENCE_MIN)
    return wrong(1, `an occurrence from the end can be ${HEADER_OCCURRENCE_MIN} at least`);
  return null;
}

function converterProblem(name: string, values: readonly SampleArgument[]): ArgumentProblem | null {
  const wrong = (index: number, message: string): ArgumentProblem => ({ index, message });
  const text = (index: number): string => String(values[index] ?? "");
  if (ARITHMETIC.has(name)) {
    return /^[+-]?\d{1,19}$/.test(text(0)) || isVariableName(text(0))
      ? null
      : wrong(0, `${quote(text(0))} is neither a number nor a variable`);
  }
  switch (name) {
    case "field":
    case "word":
      if (values[0] === 0) return wrong(0, "the index counts from 1, or from -1 at the end");
      return text(1) === "" ? wrong(1, "the list of separators is empty") : null;
    case "regsub":
      return /^[gi]*$/.test(text(2)) ? null : wrong(2, "the only flags are `i` and `g`");
    case "json":
      return JSON_ENCODINGS.includes(text(0))
        ? null
        : wrong(0, `${quote(text(0))} is no encoding: one of ascii utf8 utf8s utf8p utf8ps`);
    case "http_date":
      return timeUnitProblem(values);
    case "sha2":
      return [undefined, 224, 256, 384, 512].includes(values[0] as number | undefined)
        ? null
        : wrong(0, "sha2 has 224, 256, 384 and 512 bits");
    case "digest":
    case "hmac":
      return DIGESTS.includes(text(0).toLowerCase())
        ? null
        : wrong(0, `${quote(text(0))} is no known digest`);
    case "set-var": {
      const index = values.findIndex((value, i) => i > 0 && !isVariableCondition(String(value)));
      return index < 0 ? null : wrong(index, describeVariableCondition(text(index)));
    }
    case "be2dec":
    case "be2hex":
      return beProblem(name, values);
    case "json_query":
      if (!JSON_PATH.test(text(0)))
        return wrong(0, `${quote(text(0))} is no path into JSON such as \`$.a.b\``);
      return ["", "int"].includes(text(1)) ? null : wrong(1, "the only type of output is `int`");
    case "fix_tag_value":
      return /^\d+$/.test(text(0)) || FIX_TAGS.includes(text(0))
        ? null
        : wrong(0, `${quote(text(0))} is no tag: a number or one of ${FIX_TAGS.join(" ")}`);
    case "add_item":
      return text(1) === "" && text(2) === "" ? wrong(1, "a variable or a suffix is missing") : null;
    case "jwt_header_query":
    case "jwt_payload_query":
      if (text(0) !== "" && !JSON_PATH.test(text(0)))
        return wrong(0, `${quote(text(0))} is no path into JSON such as \`$.a.b\``);
      return ["", "int"].includes(text(1)) ? null : wrong(1, "the only type of output is `int`");
    case "jwt_verify":
      if (/^PS\d+$/.test(text(0)))
        return wrong(0, "signatures with RSASSA-PSS are not verified, as in HAProxy");
      return JWT_ALGORITHM.test(text(0)) || isVariableName(text(0))
        ? null
        : wrong(0, `${quote(text(0))} is neither a known algorithm nor a variable`);
    case "aes_gcm_dec": {
      if (![128, 192, 256].includes(Number(values[0]))) return wrong(0, "a key has 128, 192 or 256 bits");
      const index = [1, 2, 3].find((i) => !isVariableName(text(i)) && !BASE64.test(text(i)));
      return index === undefined
        ? null
        : wrong(index, `${quote(text(index))} is neither base64 text nor a variable`);
    }
    case "mqtt_field_value":
      return mqttProblem(text(0).toLowerCase(), text(1).toLowerCase());
    case "protobuf":
    case "ungrpc":
      if (!/^\d+(\.\d+)*$/.test(text(0)))
        return wrong(0, `${quote(text(0))} is no number of a field such as \`2\` or \`2.1\``);
      return text(1) === "" || PROTOBUF_NUMBERS.includes(text(1))
        ? null
        : wrong(1, `${quote(text(1))} is no type of a number: one of ${PROTOBUF_NUMBERS.join(" ")}`);
    case "url_enc":
      return ["", "query"].includes(text(0)) ? null : wrong(0, "the only encoding is `query`");
  }
  return null;
}

function mqttProblem(type: string, field: string): ArgumentProblem | null {
  const fields = Object.hasOwn(MQTT_FIELDS, type) ? MQTT_FIELDS[type]! : null;
  if (fields === null)
    return {
      index: 0,
      message: `${quote(type)} is no packet whose fields are read: \`connect\` or \`connack\``,
    };
  if (fields.split(" ").includes(field)) return null;
  return { index: 1, message: `${quote(field)} is no field of that packet: one of ${fields}` };
}

/** HAProxy's numbers have 8 bytes at most. */
function beProblem(name: string, values: readonly SampleArgument[]): ArgumentProblem | null {
  const size = values[1];
  const sizeMax = name === "be2dec" ? 8 : Number.MAX_SAFE_INTEGER;
  if (size !== undefined && (Number(size) < 1 || Number(size) > sizeMax))
    return {
      index: 1,
      message: name === "be2dec" ? "a number has 1 to 8 bytes" : "a group has 1 byte or more",
    };
  const flag = values[2];
  return flag === undefined || flag === 0 || flag === 1 ? null : { index: 2, message: "the flag is 0 or 1" };
}

function timeUnitProblem(values: readonly SampleArgument[]): ArgumentProblem | null {
  const unit = values[1];
  if (unit === undefined || TIME_UNITS.includes(String(unit))) return null;
  return { index: 1, message: `${quote(String(unit))} is no unit of time: one of s ms us` };
}
