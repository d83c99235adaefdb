// Log lines in HAProxy's HTTP format as columns for a terminal, with the cookie's fate in words.
import { describeEnding, describePersistence } from "../../proxy/log/termination-words.ts";
import { formatBytes } from "../status-table.ts";
import { colour, type TextRole } from "../terminal.ts";

/** The HTTP log format (configuration manual, section 8.2.3), without what stands before it in syslog. */
const HTTP_LINE =
  /^(?<client>\S+) \[(?<date>[^\]]+)\] (?<frontend>\S+) (?<backend>[^/ ]+)\/(?<server>\S+) (?<times>[-+\d/]+) (?<status>-?\d+) \+?(?<bytes>\d+) \S+ \S+ (?<flags>\S{4}) \S+ \S+ (?:\{[^}]*\} )*"(?<request>.*?)"?$/;

const WIDTHS = { time: 8, status: 6, request: 26, server: 9, total: 8, bytes: 8, flags: 5 } as const;

export function requestLineTitle(isColour: boolean): string {
  const { time, status, request, server, total, bytes, flags } = WIDTHS;
  const cells = [
    "time".padEnd(time),
    "status".padEnd(status),
    "request".padEnd(request),
    "server".padEnd(server),
    "total".padStart(total),
    "bytes".padStart(bytes),
    "flags".padEnd(flags),
  ];
  return colour(isColour, "faint", cells.join("  "));
}

/** One line without line feed; null for a line in another format. */
export function formatRequestLine(line: string, isColour: boolean): string | null {
  const parts = HTTP_LINE.exec(line)?.groups;
  if (parts === undefined) return null;
  const { date = "", times = "", server = "", status = "", flags = "----", request = "", bytes } = parts;
  const total = times.split("/").at(-1)!.replace("+", "");
  const [method = "", target = ""] = request.split(" ");
  const shown = shorten(`${method} ${target}`, WIDTHS.request);
  const words = [describeEnding(flags), describePersistence(flags)].filter((text) => text !== "");
  const cells = [
    colour(isColour, "faint", (/:(\d\d:\d\d:\d\d)/.exec(date)?.[1] ?? "").padEnd(WIDTHS.time)),
    colour(isColour, statusRole(status), status.padEnd(WIDTHS.status)),
    shown.padEnd(WIDTHS.request),
    colour(isColour, "title", server.padEnd(WIDTHS.server)),
    `${total} ms`.padStart(WIDTHS.total),
    formatBytes(bytes).padStart(WIDTHS.bytes),
    colour(isColour, "faint", flags.padEnd(WIDTHS.flags)),
    words.join(", "),
  ];
  return cells.join("  ").trimEnd();
}

function statusRole(status: string): TextRole {
  const kind = status[0];
  return kind === "2" || kind === "1" ? "good" : kind === "3" ? "notice" : kind === "4" ? "warning" : "error";
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
