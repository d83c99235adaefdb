// The state directory of a datacentre: what was applied, the journal, the lock, and the files of the programs
// that run. It lies beside the namespaces in memory (/run), so that both are gone after a reboot.
import { chmodSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { safeName } from "../../network/plan/kernel-names.ts";
import type { Applied, Journal, StateStore } from "../state-store.ts";
import { readRecord, writeRecord } from "./records.ts";
import { startTimeOf } from "./supervisor.ts";

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

export class DiskStore implements StateStore {
  readonly directory: string;

  /** Throws like node:fs when the directory cannot be made. */
  constructor(datacenter: string, root: string = stateRoot()) {
    this.directory = join(root, safeName(datacenter));
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    // In a shared place the directory may be somebody else's trap: this fails unless it is our own.
    chmodSync(this.directory, 0o700);
  }

  lock(): string | null {
    const path = join(this.directory, "lock");
    const own: Lock = { pid: process.pid, startedAt: startTimeOf(process.pid) ?? "" };
    // Making a directory is the one step that cannot succeed twice.
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        mkdirSync(path);
        writeRecord(join(path, "owner"), own);
        return null;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") return (error as Error).message;
        const other = readRecord<Lock>(join(path, "owner"));
        if (other === null || startTimeOf(other.pid) === other.startedAt)
          return `process ${other?.pid ?? "(just started)"} is changing it`;
        // Its process was killed.
        rmSync(path, { recursive: true, force: true });
      }
    }
    return "somebody else is changing it";
  }

  unlock(): void {
    rmSync(join(this.directory, "lock"), { recursive: true, force: true });
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
    if (readdirSync(this.directory).includes("holder.json")) {
      for (const name of readdirSync(this.directory))
        if (name !== "holder.json" && name !== "run")
          rmSync(join(this.directory, name), { recursive: true, force: true });
      return;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
