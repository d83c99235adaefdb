// Whether the kernel may write this process's memory into a core file (prctl(2), PR_SET_DUMPABLE). It no
// longer may once a process has changed its user, as workers do.
import { openNative } from "./native.ts";

const PR_SET_DUMPABLE = 4;

/** Null when done, else one sentence why not. */
export function makeDumpable(): string | null {
  const native = openNative();
  if (!native.ok) return `no core file can be asked for: ${native.error.message}`;
  const { functions } = native.value.ffi.dlopen(null, {
    prctl: { return: "i32", arguments: ["i32", "u64", "u64", "u64", "u64"] },
  });
  if (functions.prctl(PR_SET_DUMPABLE, 1n, 0n, 0n, 0n) === 0) return null;
  return `no core file can be asked for: errno ${native.value.errno()}`;
}
