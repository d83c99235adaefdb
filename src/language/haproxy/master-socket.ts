// The address behind `-S` (management manual 9.4): a bind address and its options, with commas for spaces.
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { StatsSocket } from "../../model/global-settings.ts";
import { readStatsSocket } from "./bind-line.ts";
import { Cursor } from "./cursor.ts";
import type { ReaderEnvironment } from "./environment.ts";
import { newGlobal } from "./global-section.ts";
import { Reading } from "./reading.ts";
import { Report } from "./report.ts";
import { wordAt } from "./word.ts";

/**
 * The socket, or a sentence about what is wrong with the words. Its level is `admin` unless they say less.
 */
export function readMasterSocket(text: string, environment: ReaderEnvironment): StatsSocket | string {
  const report = new Report();
  const [address = "", ...options] = text.split(",");
  const words = [address, "level", "admin", ...options].map((word) => wordAt(word, NO_SPAN));
  const reading = new Reading(environment, report, newGlobal());
  const socket = readStatsSocket(reading, new Cursor(words, 0, report), NO_SPAN);
  const wrong = report.diagnostics.find(({ severity }) => severity === "error");
  return wrong?.message ?? socket ?? "an address is missing";
}
