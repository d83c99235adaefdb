// Where the program's own files are, by their place in the checkout. The installed package has the same files
// around the program, but its modules are put together in a few large ones (`npm run build`), so no path from
// one module to another means anything there.
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const THIS_FILE = fileURLToPath(import.meta.url);
/** A checkout runs its TypeScript as it is. */
export const IS_CHECKOUT: boolean = THIS_FILE.endsWith(".ts");
/** Of the checkout, or of the installed package, all of whose modules are somewhere in its dist/. */
const DIRECTORY = IS_CHECKOUT
  ? join(THIS_FILE, "..", "..", "..")
  : THIS_FILE.slice(0, THIS_FILE.lastIndexOf("/dist/"));

/**
 * A file that comes with the program, by the words of its path: `programFile("docs", "dashboard-api.json")`.
 */
export function programFile(...words: readonly string[]): string {
  return join(DIRECTORY, ...words);
}

/** The shell script that starts the command line. */
export function launcher(): string {
  return programFile("bin", "sallyport");
}

/**
 * What Node runs for a module of its own process, by its path in src/: `entryFile("server/worker-main.ts")`.
 */
export function entryFile(path: string): string {
  return IS_CHECKOUT ? programFile("src", path) : programFile("dist", path.replace(/\.ts$/, ".js"));
}

/**
 * A module that is loaded when it is first needed and not when the program starts, without waiting for it:
 * what only some calls of the command line need would make all of them slower. `path`: in src/. `T`: `typeof`
 * the module, which the compiler cannot see from here.
 */
export function lateModule<T>(path: string): T {
  return createRequire(THIS_FILE)(entryFile(path)) as T;
}
