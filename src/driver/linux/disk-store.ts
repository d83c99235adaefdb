// The state directory of a datacentre: what was applied, the journal, the lock, and the files of the programs
// that run. It lies beside the namespaces in memory (/run), so that both are gone after a reboot.
import { chmodSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { namespacePrefix, safeName } from "../../network/plan/kernel-names.ts";
import type { Applied, Journal, StateStore } from "../state-store.ts";
import { endProgramsIn } from "./command.ts";
import { removeHalfMade } from "./namespaces.ts";
import { readRecord, writeRecord } from "./records.ts";
import { startTimeOf } from "./supervisor.ts";

/** Set in a network of one's own, so that a command enters it once only. */
export const INSIDE = "SALLYPORT_ROOTLESS";

/** One for each lock that was left by a killed process, and some that come and go meanwhile. */
const LOCK_ATTEMPTS = 10;

interface Lock {
  readonly pid: number;
  readonly startedAt: string;
}

/** Where the state directories of this user are. */
export function stateRoot(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const own = environment["SALLYPORT_STATE"] ?? "";
  if (own !== "") return own;
  const userId = process.getuid?.() ?? 0;
  if (userId === 0) return "/run/sallyport";
  const runtime = environment["XDG_RUNTIME_DIR"] ?? "";
  return runtime === "" ? join(tmpdir(), `sallyport-${userId}`) : join(runtime, "sallyport");
}

/** Where a datacentre keeps what must outlive a reboot. */
export function dataDirectoryOf(
  datacenter: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const own = environment["XDG_STATE_HOME"] ?? "";
  // Root of a network of one's own is still a user with a home.
  const isRoot = process.getuid?.() === 0 && environment[INSIDE] === undefined;
  const root = isRoot ? "/var/lib" : own === "" ? join(homedir(), ".local/state") : own;
  return join(root, "sallyport", safeName(datacenter));
}

/** Names of the datacentres that were applied from this file, an absolute path. */
export function appliedFrom(file: string, root: string = stateRoot()): string[] {
  const names = existsSync(root) ? readdirSync(root) : [];
  return names.filter((name) => readRecord<Applied>(join(root, name, "applied.json"))?.file === file);
}

export class DiskStore implements StateStore {
  readonly directory: string;
  readonly #namespaces: string;

  /** Throws like node:fs when the directory cannot be made. */
  constructor(datacenter: string, root: string = stateRoot()) {
    this.directory = join(root, safeName(datacenter));
    this.#namespaces = namespacePrefix(datacenter);
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    // In a shared place the directory may be somebody else's trap: this fails unless it is our own.
    chmodSync(this.directory, 0o700);
  }

  lock(): string | null {
    const path = join(this.directory, "lock");
    const draft = `${path}.${process.pid}`;
    const own: Lock = { pid: process.pid, startedAt: startTimeOf(process.pid) ?? "" };
    try {
      writeRecord(draft, own);
      for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
        // A link to a file that is written already: nobody ever sees a lock without its owner.
        if (link(draft, path)) {
          this.#removeRemains();
          return null;
        }
        const other = readRecord<Lock>(path);
        if (other === null) continue;
        if (startTimeOf(other.pid) === other.startedAt) return `process ${other.pid} is changing it`;
        this.#breakLock(path, other);
      }
      return "somebody else is changing it";
    } catch (error) {
      return `the state directory cannot be written: ${(error as Error).message}`;
    } finally {
      rmSync(draft, { force: true });
    }
  }

  /** Its process was killed. Who breaks it at the same time must not take the lock that follows it. */
  #breakLock(path: string, broken: Lock): void {
    const aside = `${path}.${process.pid}.broken`;
    try {
      renameSync(path, aside);
    } catch {
      return;
    }
    const taken = readRecord<Lock>(aside);
    if (taken?.pid !== broken.pid || taken.startedAt !== broken.startedAt) link(aside, path);
    rmSync(aside, { force: true });
  }

  /** Of a process that was killed: what it started may be at work, and has to end before anything else. */
  #removeRemains(): void {
    // Who reads may do so all the time.
    const remains = readdirSync(this.directory).filter((name) => name.startsWith("batch-"));
    const folders = remains.map((name) => join(this.directory, name));
    if (folders.length > 0) endProgramsIn(folders);
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    removeHalfMade(this.#namespaces);
  }

  unlock(): void {
    rmSync(join(this.directory, "lock"), { force: true });
    if (this.readApplied() === null && this.readJournal() === null) this.#removeRest();
  }

  readApplied(): Applied | null {
    return readRecord(join(this.directory, "applied.json"));
  }

  writeApplied(applied: Applied | null): void {
    writeRecord(join(this.directory, "applied.json"), applied);
  }

  readJournal(): Journal | null {
    return readRecord(join(this.directory, "journal.json"));
  }

  writeJournal(journal: Journal | null): void {
    writeRecord(join(this.directory, "journal.json"), journal);
  }

  /** Nothing is applied any more, so nothing is to be remembered. */
  #removeRest(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** False: there is one already. Throws like node:fs when the directory cannot be written. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
