// `log` lines of `global` and of proxies (manual 3.1 and 4.2).

import type { Span } from "../../diagnostic/span.ts";
import type { LogFormatName, LogTarget } from "../../model/proxy.ts";
import type { LogLevel } from "../../model/rule.ts";
import { parseEndpoint } from "./address.ts";
import type { Cursor } from "./cursor.ts";
import { displayText } from "./lexer.ts";
import type { Reading } from "./reading.ts";
import { expectInteger } from "./values.ts";
import type { Word } from "./word.ts";

export const FACILITIES: readonly string[] = [
  "kern",
  "user",
  "mail",
  "daemon",
  "auth",
  "syslog",
  "lpr",
  "news",
  "uucp",
  "cron",
  "auth2",
  "ftp",
  "ntp",
  "audit",
  "alert",
  "cron2",
  "local0",
  "local1",
  "local2",
  "local3",
  "local4",
  "local5",
  "local6",
  "local7",
];
export const LEVELS: readonly LogLevel[] = [
  "emerg",
  "alert",
  "crit",
  "err",
  "warning",
  "notice",
  "info",
  "debug",
];
export const FORMATS: readonly LogFormatName[] = [
  "local",
  "rfc3164",
  "rfc5424",
  "priority",
  "short",
  "timed",
  "iso",
  "raw",
];

/** `cursor` stands before the address. Null after an error. */
export function readLogTarget(reading: Reading, cursor: Cursor, span: Span): LogTarget | null {
  const address = cursor.expect("where to log to");
  if (address === null) return null;
  const target = readTarget(reading, address);
  let length = 1024;
  let format: LogTarget["format"] | null = null;
  let sample: LogTarget["sample"] = null;
  for (;;) {
    if (cursor.take("len") !== null)
      length = expectInteger(cursor, "a number of bytes", 80, 65_535) ?? length;
    else if (cursor.take("format") !== null) format = cursor.expectOneOf("log format", FORMATS) ?? format;
    else if (cursor.take("sample") !== null) sample = readSample(cursor);
    else break;
  }
  const facility = cursor.expectOneOf("facility", FACILITIES);
  const maxLevel = cursor.isAtEnd ? "debug" : cursor.expectOneOf("level", LEVELS);
  const minLevel = cursor.isAtEnd ? "emerg" : cursor.expectOneOf("level", LEVELS);
  cursor.expectEnd();
  if (target === null || facility === null || maxLevel === null || minLevel === null) return null;
  return {
    target,
    format,
    facility: FACILITIES.indexOf(facility),
    maxLevel,
    minLevel,
    length,
    sample,
    span,
  };
}

function readTarget(reading: Reading, address: Word): LogTarget["target"] | null {
  const { report } = reading;
  if (address.text === "stdout" || address.text === "stderr") return { kind: address.text };
  if (address.text.startsWith("ring@")) return { kind: "ring", name: address.text.slice(5) };
  if (/^(tcp[46]?|uxst)@/.test(address.text)) {
    report.error(
      "refused-keyword",
      address.span,
      "a `log` line sends datagrams",
      "For TCP write a section `ring` with a `server`, and here `log ring@NAME`.",
    );
    return null;
  }
  const endpoint = parseEndpoint(address, { port: "allowed", datagram: true }, report, (name) =>
    reading.variable(name),
  );
  if (endpoint === null) return null;
  if (endpoint.kind === "unix") return { kind: "unix", path: endpoint.path };
  if (endpoint.kind === "fd")
    return endpoint.fd === 1 ? { kind: "stdout" } : endpoint.fd === 2 ? { kind: "stderr" } : endpoint;
  if (endpoint.kind === "ip") {
    const port = endpoint.port?.kind === "range" && endpoint.port.low !== 0 ? endpoint.port.low : 514;
    return { kind: "udp", host: endpoint.host === "" ? "127.0.0.1" : endpoint.host, port };
  }
  report.error("bad-address", address.span, `logs cannot go to \`${displayText(address.text)}\``);
  return null;
}

/** `sample 1,3-5:8`: which of each eight lines are logged. */
function readSample(cursor: Cursor): LogTarget["sample"] {
  const word = cursor.expect("ranges and a size");
  const match = word === null ? null : /^(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*):(\d+)$/.exec(word.text);
  if (word === null) return null;
  if (match === null) {
    cursor.report.error(
      "bad-sample",
      word.span,
      `\`${displayText(word.text)}\` does not say which lines to log`,
      "Write `1,3-4:5`, for example: lines 1, 3 and 4 of each five.",
    );
    return null;
  }
  const ranges = match[1]!.split(",").map((range): [number, number] => {
    const [low = "", high = low] = range.split("-");
    return [Number(low), Number(high)];
  });
  return { ranges, size: Number(match[2]) };
}
