// `npm run build`: the program as JavaScript with its types in dist/, for the npm package. A checkout needs
// none of it. Node takes a tenth of the time to load one large module that it takes for a hundred small ones,
// and a command of the command line spends half of its life with that: so the modules are put together, for
// what starts often in one file each. Only what the program reaches is built, so no test gets into the
// package.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAIN = "cli/main.ts";
const WORKER = "server/worker-main.ts";
/** Commands that are called again and again, and end at once. */
const QUICK = ["cli/plan.ts", "cli/apply.ts", "cli/status.ts"];

let groups: { readonly quick: ReadonlySet<string>; readonly worker: ReadonlySet<string> } | null = null;

// What an earlier build left of a file that is gone would be packed too.
rmSync(join(ROOT, "dist"), { recursive: true, force: true });
const failure = (await bundle()) ?? declareTypes();
if (failure !== null) {
  console.error(failure);
  process.exitCode = 1;
}

/** Null, or what went wrong. */
async function bundle(): Promise<string | null> {
  try {
    await build({
      configFile: false,
      root: ROOT,
      logLevel: "warn",
      publicDir: false,
      build: {
        ssr: true,
        target: "node26",
        minify: false,
        outDir: "dist",
        emptyOutDir: false,
        rolldownOptions: {
          input: Object.fromEntries(
            entryPoints().map((path) => [path.replace(/\.ts$/, ""), join(ROOT, "src", path)]),
          ),
          output: {
            entryFileNames: "[name].js",
            chunkFileNames: "shared/[name].js",
            codeSplitting: { groups: [{ name: togetherWith, debugName: "together" }] },
          },
        },
      },
    });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Modules that are started or loaded by their path (`base/program-files.ts`), so each keeps its own. */
function entryPoints(): string[] {
  const files = globSync("src/**/*.ts", { cwd: ROOT }).filter((file) => !file.endsWith(".test.ts"));
  const texts = files.map((file) => readFileSync(join(ROOT, file), "utf8"));
  const named = texts.flatMap((text) =>
    [...text.matchAll(/\b(?:entryFile|lateModule<[^>]*>)\("([^"]+\.ts)"\)/g)].map(([, path]) => path!),
  );
  return [...new Set([MAIN, ...named])];
}

/**
 * The file that a module goes into; null: the bundler says. A worker must not load what only commands need.
 */
function togetherWith(id: string, context: Rolldown.ChunkingContext): string | null {
  groups ??= { quick: reach(QUICK, context), worker: reach([WORKER], context) };
  if (!groups.quick.has(id) || id === join(ROOT, "src", MAIN)) return null;
  return groups.worker.has(id) ? "common" : "network";
}

/** Everything that is loaded with these modules, without what they load later. */
function reach(paths: readonly string[], context: Rolldown.ChunkingContext): ReadonlySet<string> {
  const reached = new Set<string>();
  const left = paths.map((path) => join(ROOT, "src", path));
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    left.push(...(context.getModuleInfo(id)?.importedIds ?? []));
  }
  return reached;
}

/** Null, or what the compiler said. */
function declareTypes(): string | null {
  const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
  const compiler = join(dirname(typescript), "bin", "tsc");
  const { status, error, stdout } = spawnSync(
    process.execPath,
    [compiler, "--project", "tsconfig.build.json"],
    {
      cwd: ROOT,
      encoding: "utf8",
    },
  );
  if (status === 0) return null;
  return error === undefined ? stdout : `cannot start the compiler: ${error.message}`;
}
