// Network namespaces as `ip netns` keeps them: a file for each in /run/netns, over which the namespace is
// mounted. Who is killed between the file and the mount leaves a name that nobody can enter.
import { readdirSync, readlinkSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";

export const NAMESPACE_FOLDER = "/run/netns";

/** Those that can be entered. */
export function listNamespaces(): string[] {
  const isHalfMade = halfMadeTest();
  return entries().filter((name) => !isHalfMade(name));
}

/** Whether the network of a process is this one. */
export function isInNamespace(pid: number, name: string): boolean {
  try {
    const own = readlinkSync(`/proc/${pid}/ns/net`);
    return own === `net:[${statSync(join(NAMESPACE_FOLDER, name)).ino}]`;
  } catch {
    return false;
  }
}

/** Files without a namespace whose name begins so; only while nobody is making any. */
export function removeHalfMade(prefix: string): void {
  const isHalfMade = halfMadeTest();
  for (const name of entries()) {
    if (name.startsWith(prefix) && isHalfMade(name)) unlinkSync(join(NAMESPACE_FOLDER, name));
  }
}

function entries(): string[] {
  try {
    return readdirSync(NAMESPACE_FOLDER);
  } catch {
    return [];
  }
}

/** A namespace is of another file system (nsfs) than the folder. */
function halfMadeTest(): (name: string) => boolean {
  const folder = statSync(NAMESPACE_FOLDER, { throwIfNoEntry: false })?.dev;
  return (name) => {
    const place = statSync(join(NAMESPACE_FOLDER, name), { throwIfNoEntry: false })?.dev;
    return place === undefined || place === folder;
  };
}
