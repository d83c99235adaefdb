// Writes a text file anew, so that at every moment there is a whole one of that name, with the owner and mode
// that it had; and only if it still says what it said when somebody decided to change it.
import {
  chmodSync,
  chownSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";

/** Null: written; else why not, and the file is as it was. */
export function replaceFile(path: string, before: string, after: string): string | null {
  try {
    // A link stays one.
    const place = realpathSync(path);
    const present = readFileSync(place);
    // Compared as bytes: what is no UTF-8 would be lost on the way.
    if (!present.equals(Buffer.from(before)))
      return present.toString() === before ? `${path} is not UTF-8` : `${path} has changed meanwhile`;
    if (!replaceByName(place, after)) writeFileSync(place, after);
    return null;
  } catch (error) {
    return `cannot write ${path}: ${(error as Error).message}`;
  }
}

/**
 * False: nothing of another name can stand beside it, as where the file alone was mounted into a container.
 */
function replaceByName(place: string, text: string): boolean {
  const { mode, uid, gid } = statSync(place);
  const draft = `${place}.${process.pid}.new`;
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
    chownSync(draft, uid, gid);
    chmodSync(draft, mode & 0o7777);
    renameSync(draft, place);
    return true;
  } catch {
    rmSync(draft, { force: true });
    return false;
  }
}
