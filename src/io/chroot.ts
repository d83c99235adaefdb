// chroot(2), which Node has no call for.
import { openNative } from "./native.ts";

/** Null when done, else one sentence why not. The working directory moves to the new root. */
export function changeRoot(path: string): string | null {
  const native = openNative();
  if (!native.ok) return `chroot ${path} is not possible: ${native.error.message}`;
  const { functions } = native.value.ffi.dlopen(null, { chroot: { return: "i32", arguments: ["pointer"] } });
  // The call copies the path before it returns, and nothing can collect the buffer meanwhile.
  const pathBytes = Buffer.from(`${path}\0`);
  if (functions.chroot(pathBytes) !== 0) return `cannot chroot to '${path}': errno ${native.value.errno()}`;
  process.chdir("/");
  return null;
}
