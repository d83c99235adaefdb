// Small files of JSON that are replaced in one go: a reader sees the old or the new, never half of one, also
// after a kill.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

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
  const draft = `${path}.new`;
  try {
    writeDraft(draft, JSON.stringify(value));
    renameSync(draft, path);
  } catch (error) {
    // On a full disk, what is taken back needs the room.
    rmSync(draft, { force: true });
    throw error;
  }
}

function writeDraft(path: string, text: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Only for what this program has written itself: nothing is checked. */
export function parseJson<T>(text: string): T {
  return JSON.parse(text) as T;
}
