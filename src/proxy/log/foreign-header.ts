// The header that a message of another program gets when it is sent on (HAProxy manual 3.10): its own
// values where it has them, in the format of the `log` line; where that names none, as it came.
import type { LogFormatName, LogTarget } from "../../model/proxy.ts";
import { formatIsoDate, formatLegacyDate } from "./dates.ts";
import { isoOfLegacy, legacyOfIso, type SyslogMessage } from "./syslog-message.ts";

/** As latin1 text. `minLevel`: messages that are more urgent are not said to be. */
export function headerOfForeign(
  message: SyslogMessage,
  target: LogTarget,
  minLevel: number,
  nowMs: number,
): string {
  const format = target.format ?? keptFormat(message);
  const level = Math.max((message.priority ?? 0) & 7, minLevel);
  const facility = message.priority === null ? target.facility : message.priority >> 3;
  const priority = `<${facility * 8 + level}>`;
  const { hostname, tag, pid } = message;
  switch (format) {
    case "rfc3164":
      return `${priority}${legacyDate(message, nowMs)} ${hostname || "localhost"} ${originOf(message)}`;
    case "local":
      return `${priority}${legacyDate(message, nowMs)} ${originOf(message)}`;
    case "rfc5424": {
      const fields = [hostname, tag, pid, message.messageId, message.structuredData];
      const date = message.format === "rfc5424" ? message.timestamp || "-" : isoDate(message, nowMs);
      return `${priority}1 ${date} ${fields.map((field) => field || "-").join(" ")} `;
    }
    case "timed":
      return `<${level}>${isoDate(message, nowMs)} `;
    case "iso":
      return `${isoDate(message, nowMs)} `;
    case "priority":
      return priority;
    case "short":
      return `<${level}>`;
    default:
      return "";
  }
}

function keptFormat({ format, priority }: SyslogMessage): LogFormatName {
  if (format !== "none") return format;
  return priority === null ? "raw" : "priority";
}

function originOf({ tag, pid }: SyslogMessage): string {
  if (tag === "") return "";
  return pid === "" ? `${tag}: ` : `${tag}[${pid}]: `;
}

function legacyDate({ format, timestamp }: SyslogMessage, nowMs: number): string {
  if (timestamp === "") return formatLegacyDate(nowMs);
  return format === "rfc5424" ? legacyOfIso(timestamp) : timestamp;
}

function isoDate({ format, timestamp }: SyslogMessage, nowMs: number): string {
  if (timestamp === "") return formatIsoDate(nowMs);
  return format === "rfc5424" ? timestamp : isoOfLegacy(timestamp, new Date(nowMs).getFullYear());
}
