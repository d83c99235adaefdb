// Gives up what a worker no longer needs once its listeners are open: `chroot`, `group`, `user` of the
// global section. The one right that stays is that to ports below 1024, for a reload may bring a new
// `bind`.
import { changeUserKeepingLowPorts } from "../io/capabilities.ts";
import { changeRoot } from "../io/chroot.ts";
import type { GlobalSettings } from "../model/global-settings.ts";

export type PrivilegeSettings = Pick<GlobalSettings, "user" | "group" | "uid" | "gid" | "chroot">;

/** True when there is something to give up that only root can. */
export function wantsPrivilegesDropped({ user, group, uid, gid, chroot }: PrivilegeSettings): boolean {
  return [user, group, uid, gid, chroot].some((setting) => setting !== null);
}

/**
 * Null when done or nothing was asked for; else one sentence why it could not be done: then the worker must
 * end.
 */
export function dropPrivileges(settings: PrivilegeSettings): string | null {
  if (process.getuid?.() !== 0) return null;
  try {
    // Names are looked up in files of the present root.
    const groupId = settings.gid ?? groupIdOf(settings.group);
    const userId = settings.uid ?? userIdOf(settings.user);
    if (settings.chroot !== null) {
      const problem = enterRoot(settings.chroot);
      if (problem !== null) return problem;
    }
    if (groupId !== null || userId !== null) process.setgroups?.([]);
    if (groupId !== null) process.setgid?.(groupId);
    if (userId === null) return null;
    const changed = changeUserKeepingLowPorts(() => process.setuid?.(userId));
    return changed.ok ? null : changed.error.message;
  } catch (error) {
    return `cannot change to the user and group of the global section: ${(error as Error).message}`;
  }
}

function enterRoot(path: string): string | null {
  // The time zone is read once, from a file that the new root need not have.
  new Date().getTimezoneOffset();
  return changeRoot(path);
}

/** Node has no getpwnam(3), but its calls take names: becoming that user for a moment tells the number. */
export function userIdOf(name: string | null): number | null {
  if (name === null) return null;
  process.seteuid?.(name);
  const id = process.geteuid?.() ?? null;
  process.seteuid?.(0);
  return id;
}

export function groupIdOf(name: string | null): number | null {
  if (name === null) return null;
  const before = process.getegid?.() ?? 0;
  process.setegid?.(name);
  const id = process.getegid?.() ?? null;
  process.setegid?.(before);
  return id;
}
