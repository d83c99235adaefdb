// Where certificates come from: the disk as the reader of certificates sees it, so that a test can be the
// disk.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface CertificateDisk {
  /** Throws an error with a `code` such as "ENOENT", like node:fs. */
  readFile(path: string): Uint8Array;
  /**
   * Names of the regular files in a directory, in any order; null when the path is no directory. Throws
   * likewise.
   */
  listFiles(path: string): readonly string[] | null;
}

export const realDisk: CertificateDisk = {
  readFile: (path) => readFileSync(path),
  listFiles: (path) =>
    statSync(path).isDirectory() ? readdirSync(path).filter((name) => isFile(join(path, name))) : null,
};

/** A link that leads nowhere counts: who reads it is told so. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}
