// `--every N` of `sallyport status --watch`.
import type { CommandLine } from "./command-line.ts";

const SECONDS = 2;
const SECONDS_MAX = 3600;

export const EVERY_FAULT: string = `--every takes seconds, from 1 to ${SECONDS_MAX}`;

/** From one time to the next, in milliseconds; null when it is no number of seconds. */
export function readEvery(line: CommandLine): number | null {
  const text = line.valueOf("every") ?? `${SECONDS}`;
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return seconds >= 1 && seconds <= SECONDS_MAX ? seconds * 1000 : null;
}
