// `npm run build`: the program as JavaScript with its types in dist/, for the npm package. A checkout needs
// none of it. Only what the program reaches is built, so that no test and no fixture gets into the package.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const compiler = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin",
  "tsc",
);

// What an earlier build left of a file that is gone would be packed too.
rmSync(join(root, "dist"), { recursive: true, force: true });
const { status, error } = spawnSync(process.execPath, [compiler, "--project", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (error !== undefined) console.error(`cannot start the compiler: ${error.message}`);
process.exitCode = status ?? 1;
