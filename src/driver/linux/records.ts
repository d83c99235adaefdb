// Small files of JSON that are replaced in one go: a reader sees the old or the new, never half of one, also
// after a kill.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";

/** Null when it is not there or not whole. */
export function readRecord<T>(path: string): T | null {
  try {
    return parseJson<T>(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

/** `value` null removes it. Throws like node:fs when the directory cannot be written. */
export function writeRecord(path: string, value: unknown): void {
  if (value === null) {
    rmSync(path, { force: true });
    return;
  }
  const file = openSync(`${path}.new`, "w", 0o600);
  try {
    writeSync(file, JSON.stringify(value));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

/** Only for what this program has written itself: nothing is checked. */
export function parseJson<T>(text: string): T {
  return JSON.parse(text) as T;
}
