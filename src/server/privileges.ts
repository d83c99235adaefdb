// Gives up what a worker no longer needs once its listeners are open: `chroot`, `group`, `user` of the global section.
import process from "node:process";
import { changeRoot } from "../io/chroot.ts";
import type { GlobalSettings } from "../model/proxy.ts";

/** Null when done or nothing was asked for; else one sentence why it could not be done. */
export function dropPrivileges(settings: GlobalSettings): string | null {
  if (process.getuid?.() !== 0) return null;
  try {
    if (settings.chroot !== null) {
      const problem = changeRoot(settings.chroot);
      if (problem !== null) return problem;
    }
    const group = settings.gid ?? settings.group;
    if (group !== null) {
      process.setgroups?.([group]);
      process.setgid?.(group);
    }
    const user = settings.uid ?? settings.user;
    if (user !== null) process.setuid?.(user);
    return null;
  } catch (error) {
    return `cannot change to the user and group of the global section: ${(error as Error).message}`;
  }
}
