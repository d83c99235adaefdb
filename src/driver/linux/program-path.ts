// Where the system's programs are looked for. Debian's users, and root after `su`, have no /usr/sbin in PATH,
// where nft, ip and dnsmasq are.
import { accessSync, constants } from "node:fs";
import { join } from "node:path";

const SYSTEM_FOLDERS: readonly string[] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** PATH, and behind it what it lacks. */
export function searchPath(path: string | undefined = process.env["PATH"]): string {
  const own = (path ?? "").split(":").filter((folder) => folder !== "");
  return [...own, ...SYSTEM_FOLDERS.filter((folder) => !own.includes(folder))].join(":");
}

/** For programs whose words we read: they are found, and speak English. */
export function programEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: searchPath(), LC_ALL: "C" };
}

export function findProgram(name: string): string | null {
  for (const folder of searchPath().split(":")) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this one.
    }
  }
  return null;
}
