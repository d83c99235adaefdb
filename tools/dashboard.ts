// `npm run build:dashboard`: the pages of the dashboard, from dashboard/ into dashboard/dist/, for browsers.
// With `--if-needed` only when a source is newer than what was built, as `npm start` and the tests want it.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Smaller ones are not worth a file. */
const COMPRESSED_FROM_BYTES = 512;
/** The best form of a megabyte takes seconds for a few percent. */
const BEST_UP_TO_BYTES = 256 * 1024;
const BUILT = join(ROOT, "dashboard/dist/index.html");

/** Null: it is built, and up to date; else why it could not be. */
export function buildDashboard(): string | null {
  const vite = pathOfVite();
  if (vite === null) return "vite is not installed: npm ci without --omit=dev installs it";
  const words = [vite, "build", "dashboard", "--config", "dashboard/vite.config.ts", "--logLevel", "warn"];
  const { status, error, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) return `${error?.message ?? ""}${stdout}${stderr}`;
  compressBuilt();
  return null;
}

/**
 * What browsers take is made here, once: the layout of the topology alone would keep the master, and with it
 * the health checks, for a quarter of a second when somebody first looks.
 */
function compressBuilt(): void {
  for (const path of globSync("dashboard/dist/**/*.{html,js,css,svg}", { cwd: ROOT })) {
    const file = join(ROOT, path);
    const bytes = readFileSync(file);
    if (bytes.length < COMPRESSED_FROM_BYTES) continue;
    const quality = bytes.length > BEST_UP_TO_BYTES ? 9 : constants.BROTLI_MAX_QUALITY;
    writeFileSync(
      `${file}.br`,
      brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }),
    );
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
  }
}

export function isDashboardBuilt(): boolean {
  if (!existsSync(BUILT)) return false;
  const builtAt = statSync(BUILT).mtimeMs;
  const shared = ["src/model/*.ts", "src/network/topology/vlan-number.ts"];
  const sources = globSync(["dashboard/{src,public}/**/*.*", "dashboard/*.*", ...shared], { cwd: ROOT });
  return sources.every((file) => statSync(join(ROOT, file)).mtimeMs <= builtAt);
}

function pathOfVite(): string | null {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("vite/package.json")), "bin/vite.js");
  } catch {
    return null;
  }
}

if (import.meta.main && !(process.argv.includes("--if-needed") && isDashboardBuilt())) {
  const fault = buildDashboard();
  if (fault !== null) console.error(`the dashboard could not be built: ${fault}`);
  // What was there before, or the page that says so, serves as well.
  process.exitCode = fault === null || process.argv.includes("--if-needed") ? 0 : 1;
}
