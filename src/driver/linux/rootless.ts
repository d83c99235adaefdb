// A network of one's own without being root: a user, network and mount namespace that a sleeping process
// keeps, in which everybody is root (user_namespaces(7)). Commands enter it again by their own words. Neither
// the machine's cards nor its modules can be reached from there.
import { chmodSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { childProcesses } from "./command.ts";
import { DiskStore, INSIDE, stateRoot } from "./disk-store.ts";
import { findProgram, searchPath } from "./program-path.ts";
import { readRecord, writeRecord } from "./records.ts";
import { startTimeOf } from "./supervisor.ts";

interface Holder {
  readonly pid: number;
  readonly startedAt: string;
}

/** What is under /run belongs to the machine; inside it is empty, for `ip netns` and the state directory. */
const HOLD = `
mount -t tmpfs tmpfs /run && mkdir -p /run/netns && ip link set lo up || exit 1
echo ready
exec sleep infinity
`;
/** Who makes it holds the lock of this name, which no datacentre can have. */
const MAKING = "rootless network";
const PATIENCE_MS = 10_000;
const POLL_MS = 20;

export function isInsideRootless(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment[INSIDE] !== undefined;
}

/**
 * Runs a program inside, which is made when it is not there, with this process's own input and output. Its
 * exit code; a text when it cannot be.
 */
export async function runInside(words: readonly string[]): Promise<number | string> {
  const holder = holderOf() ?? (await makeHolder());
  if (typeof holder === "string") return holder;
  const inside = wordsIn(holder, words);
  const [program = "", ...rest] = inside.words;
  const run = childProcesses().spawnSync(program, rest, { stdio: "inherit", env: inside.environment });
  return run.status ?? (run.error?.message || "it was ended by a signal");
}

export interface InsideWords {
  readonly words: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/** What runs a program inside; null: there is no network of one's own. */
export function wordsInside(words: readonly string[]): InsideWords | null {
  const holder = holderOf();
  return holder === null ? null : wordsIn(holder, words);
}

/** Ends it, with everything in it. False: there is none. */
export async function removeInside(): Promise<boolean> {
  const holder = holderOf();
  if (holder === null) return false;
  process.kill(holder.pid, "SIGKILL");
  for (let waited = 0; holderOf() !== null && waited < PATIENCE_MS; waited += POLL_MS) await pause(POLL_MS);
  rmSync(recordPath(), { force: true });
  return true;
}

/** The file system as it is inside, for whoever is outside; null: there is no network of one's own. */
export function rootOfRootless(): string | null {
  const holder = holderOf();
  return holder === null ? null : `/proc/${holder.pid}/root`;
}

function wordsIn({ pid }: Holder, words: readonly string[]): InsideWords {
  const enter = ["--target", `${pid}`, "--user", "--net", "--mount", "--preserve-credentials"];
  const { SALLYPORT_STATE: _, ...environment } = process.env;
  return {
    words: ["nsenter", ...enter, `--wd=${process.cwd()}`, ...words],
    environment: { ...environment, PATH: searchPath(), [INSIDE]: "1" },
  };
}

function holderOf(): Holder | null {
  const holder = isOurOwn(stateRoot()) ? readRecord<Holder>(recordPath()) : null;
  return holder !== null && startTimeOf(holder.pid) === holder.startedAt ? holder : null;
}

async function makeHolder(): Promise<Holder | string> {
  for (const program of ["unshare", "nsenter", "ip"]) {
    if (findProgram(program) === null) return `there is no ${program}: apt-get install util-linux iproute2`;
  }
  const trap = makeOwnDirectory(stateRoot());
  if (trap !== null) return trap;
  let reason: string | null = null;
  for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
    const store = new DiskStore(MAKING);
    // Of two that begin at once the other may have been first.
    reason = store.lock();
    if (reason !== null) {
      await pause(POLL_MS);
      continue;
    }
    try {
      return holderOf() ?? (await startAnyHolder());
    } finally {
      store.unlock();
    }
  }
  return `no network of one's own can be made here: ${reason}`;
}

async function startAnyHolder(): Promise<Holder | string> {
  // With a range of user numbers (/etc/subuid and newuidmap) programs inside may change their user.
  let reason = "";
  for (const more of [["--map-auto"], []]) {
    const made = await startHolder(more);
    if (typeof made !== "string") return made;
    reason = made;
  }
  return `no network of one's own can be made here: ${reason}. Are user namespaces allowed (user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns)?`;
}

/** In a shared place it may be somebody else's trap: what its record says would be entered, or killed. */
function isOurOwn(directory: string): boolean {
  try {
    return statSync(directory).uid === process.getuid?.();
  } catch {
    return false;
  }
}

/** Null, or why it cannot be. */
function makeOwnDirectory(directory: string): string | null {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // Fails with the directory of another user.
    chmodSync(directory, 0o700);
    return null;
  } catch (error) {
    return `the state directory cannot be made: ${(error as Error).message}`;
  }
}

function startHolder(more: readonly string[]): Promise<Holder | string> {
  const words = ["--user", "--map-root-user", ...more, "--net", "--mount", "sh", "-c", HOLD];
  const child = childProcesses().spawn("unshare", words, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: searchPath() },
  });
  return new Promise((resolve) => {
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.stdout.once("data", () => {
      const { pid } = child;
      const startedAt = pid === undefined ? null : startTimeOf(pid);
      if (pid === undefined || startedAt === null) return resolve("it ended at once");
      try {
        writeRecord(recordPath(), { pid, startedAt } satisfies Holder);
      } catch (error) {
        // Nobody would find it again.
        process.kill(pid, "SIGKILL");
        return resolve(`it cannot be remembered: ${(error as Error).message}`);
      }
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      child.unref();
      resolve({ pid, startedAt });
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(errors.trim().split("\n")[0] || "it ended at once"));
  });
}

function recordPath(): string {
  return join(stateRoot(), "rootless.json");
}
