// Room in the memory that all processes share: parts of one file, each given out once. What a part was for
// may go; the room comes back when the program ends.
import { type Result, success } from "../base/failure.ts";
import { PART_BYTES, type SharedFile } from "../io/shared-file.ts";

/** All parts together may have this much of the memory that is free. */
const FREE_SHARE = 0.5;

export class SharedRoom {
  readonly #file: SharedFile;
  #end = 0;

  constructor(file: SharedFile) {
    this.#file = file;
  }

  /** How large the next part can be. */
  get bytesMax(): number {
    return Math.max(0, this.#file.freeBytes * FREE_SHARE - this.#end);
  }

  /** The next part: where in the file it begins. */
  take(byteLength: number): Result<number> {
    const offset = this.#end;
    const end = offset + Math.ceil(byteLength / PART_BYTES) * PART_BYTES;
    const grown = this.#file.grow(end);
    if (!grown.ok) return grown;
    this.#end = end;
    return success(offset);
  }
}
