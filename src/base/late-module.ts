// Modules that are loaded when they are first needed and not when the program starts: what only some calls of
// the command line need would make all of them slower, by a third of a millisecond for each file.
import { createRequire } from "node:module";

/**
 * A module of this program, without waiting for it. `importer`: the caller's `import.meta.url`. `path`: from
 * there, without the extension, which is that of a checkout or of an installed package. `T`: `typeof` the
 * module, which the compiler cannot see from here.
 */
export function lateModule<T>(importer: string, path: string): T {
  const extension = importer.endsWith(".ts") ? "ts" : "js";
  return createRequire(importer)(`${path}.${extension}`) as T;
}
