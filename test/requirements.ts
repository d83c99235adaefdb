// What a test needs from the machine. A test names its commands and is skipped, with the reason shown, where
// one is missing; `npm test` says beforehand which those will be.
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Debian keeps servers here, and a plain user's PATH does not have it. */
const SYSTEM_FOLDERS: readonly string[] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The path of a command on PATH or in the system folders; null when there is none that may be run. */
export function findCommand(name: string): string | null {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== ""),
    ...SYSTEM_FOLDERS,
  ];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/**
 * For `test("…", { skip: requires("haproxy") }, …)`: false when all commands are there, else the reason to
 * skip. Write the names as string literals: `npm test` reads them from the test's text to announce what will
 * be skipped.
 */
export function requires(...commands: readonly string[]): false | string {
  const missing = commands.filter((name) => findCommand(name) === null);
  return missing.length === 0 ? false : `needs ${missing.join(" and ")}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
