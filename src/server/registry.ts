// Which masters run on this machine for this user: one small file for each, so that `sallyport status` and
// `reload` find them without being told where. A file whose process has gone is removed by whoever notices.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface RegistryEntry {
  readonly pid: number;
  /** Absolute paths. */
  readonly files: readonly string[];
  /** Socket of the runtime API. */
  readonly adminPath: string;
  readonly startedAtMs: number;
}

/** Where the entries of this process's user are. */
export function registryDirectory(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  userId: number | null = process.getuid?.() ?? null,
): string {
  const runtime = environment["XDG_RUNTIME_DIR"] ?? "";
  if (runtime !== "") return join(runtime, "sallyport");
  return userId === 0 ? "/run/sallyport" : join(tmpdir(), `sallyport-${userId ?? "user"}`);
}

/**
 * Makes a master known, and forgets those that were killed, so that what machines without anybody looking
 * leave behind does not add up. Throws like node:fs when the directory cannot be written.
 */
export function enterRegistry(entry: RegistryEntry, directory: string = registryDirectory()): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // In a shared place the directory may be somebody else's trap: this fails unless it is our own.
  chmodSync(directory, 0o700);
  listRegistry(directory);
  const path = join(directory, `${entry.pid}.json`);
  writeFileSync(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function leaveRegistry(pid: number, directory: string = registryDirectory()): void {
  rmSync(join(directory, `${pid}.json`), { force: true });
}

/** Those that run, oldest first. */
export function listRegistry(directory: string = registryDirectory()): RegistryEntry[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  const entries = names
    .filter((name) => name.endsWith(".json"))
    .map((name) => readEntry(join(directory, name)));
  return entries.filter((entry) => entry !== null).sort((a, b) => a.startedAtMs - b.startedAtMs);
}

function readEntry(path: string): RegistryEntry | null {
  let entry: RegistryEntry;
  try {
    entry = JSON.parse(readFileSync(path, "utf8")) as RegistryEntry;
  } catch {
    // Gone since the directory was listed, or no entry.
    return null;
  }
  // Its number may be another process's by now, but nobody else has its socket.
  if (isRunning(entry.pid) && existsSync(entry.adminPath)) return entry;
  rmSync(path, { force: true });
  return null;
}

/** Also true for a process that is somebody else's. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
