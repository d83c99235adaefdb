// One file whose parts several processes map, each when it learns of it. It is opened once, while that is
// still allowed: a process that has given up its privileges, or lives in a chroot, maps new parts all the
// same.
import { ftruncateSync, openSync, statfsSync } from "node:fs";
import { failed, failure, type Result, success } from "../base/failure.ts";
import { openNative } from "./native.ts";

/** Where parts begin: a multiple of the largest pages that Linux has on our machines. */
export const PART_BYTES = 65536;

export class SharedFile {
  readonly #path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /** `create` makes it anew, empty and for this user only. */
  static open(path: string, create: boolean): Result<SharedFile> {
    try {
      return success(new SharedFile(path, openSync(path, create ? "w+" : "r+", 0o600)));
    } catch (error) {
      return failed(failure("permission", "proxy", `cannot open shared memory: ${(error as Error).message}`));
    }
  }

  /** What grows is zero, and takes memory once it is written to. */
  grow(byteLength: number): Result<null> {
    try {
      ftruncateSync(this.#fd, byteLength);
      return success(null);
    } catch (error) {
      return failed(failure("resource", "proxy", `there is no memory for it: ${(error as Error).message}`));
    }
  }

  /** How much can be written before there is no more memory, which would be the end of who writes. */
  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#path);
    return bavail * bsize;
  }

  /** Null where memory cannot be mapped. */
  map(offset: number, byteLength: number): ArrayBuffer | null {
    const native = openNative();
    if (!native.ok) return null;
    return native.value.mapShared(this.#fd, byteLength, offset, false)?.buffer ?? null;
  }
}
