// Network namespaces as `ip netns` keeps them: a file for each in /run/netns, over which the namespace is
// mounted. Who is killed between the file and the mount leaves a name that nobody can enter.
import { readdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";

export const NAMESPACE_FOLDER = "/run/netns";

/** Those that can be entered. */
export function listNamespaces(): string[] {
  return entries().filter((name) => !isHalfMade(name));
}

/** Files without a namespace whose name begins so; only while nobody is making any. */
export function removeHalfMade(prefix: string): void {
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
function isHalfMade(name: string): boolean {
  try {
    return statSync(join(NAMESPACE_FOLDER, name)).dev === statSync(NAMESPACE_FOLDER).dev;
  } catch {
    return true;
  }
}
