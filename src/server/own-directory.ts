// The directory of one master: its control socket, its admin socket and the memory that it shares with its
// workers. Only its user may look inside. A master that was killed leaves one behind; the next master
// removes it.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failed, type Result, success } from "../base/failure.ts";

/** Memory that is no file on a disk, so that counters are never written to one. */
const SHARED_MEMORY = "/dev/shm";
const PREFIX = "sallyport-";

/** Makes a directory and returns its path, or one sentence why there cannot be one. */
export function makeOwnDirectory(
  places: readonly string[] = [SHARED_MEMORY, tmpdir()],
): Result<string, string> {
  let reason = "";
  for (const place of places) {
    try {
      return success(mkdtempSync(join(place, PREFIX)));
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  return failed(`there is no place for the memory that workers share: ${reason}`);
}

/** Removes directories of this user in the same place whose master has gone: their control socket refuses. */
export async function removeAbandonedDirectories(ownPath: string): Promise<void> {
  const place = join(ownPath, "..");
  const names = readdirSync(place).filter((name) => name.startsWith(PREFIX));
  const paths = names.map((name) => join(place, name)).filter((path) => path !== ownPath && isOwn(path));
  await Promise.all(
    paths.map(async (path) => {
      if (await isRefused(join(path, "control"))) rmSync(path, { recursive: true, force: true });
    }),
  );
}

function isOwn(path: string): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  return status?.isDirectory() === true && status.uid === (process.getuid?.() ?? status.uid);
}

/** A process number would not do: containers may share the place and not the numbers. */
function isRefused(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}
