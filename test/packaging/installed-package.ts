// The program as others get it: packed by npm and installed from the tarball into an empty folder.
import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));
/** Far above what npm takes; it ends one that hangs on the network. */
const NPM_TIMEOUT_MS = 60_000;
const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT)\b/;

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

export class InstalledPackage {
  /** Paths in the tarball, without `package/`. */
  readonly packedFiles: readonly string[];
  readonly folder: string;
  readonly #temporary: string;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(temporary: string, folder: string, packedFiles: readonly string[]) {
    this.#temporary = temporary;
    this.folder = folder;
    this.packedFiles = packedFiles;
    this.#environment = {
      ...cleanEnvironment(),
      XDG_STATE_HOME: join(temporary, "state"),
      XDG_RUNTIME_DIR: join(temporary, "run"),
    };
  }

  /** The package, or why it cannot be installed here. Throws when it fails for reasons of our own. */
  static install(): InstalledPackage | string {
    const temporary = mkdtempSync(join(tmpdir(), "sallyport-package-"));
    try {
      const folder = join(temporary, "empty");
      for (const name of ["empty", "run", "state"]) mkdirSync(join(temporary, name), { mode: 0o700 });
      const packedFiles = pack(temporary);
      const tarball = readdirSync(temporary).find((name) => name.endsWith(".tgz"))!;
      const { code, output } = npm(
        folder,
        "install",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        `../${tarball}`,
      );
      if (code === 0) return new InstalledPackage(temporary, folder, packedFiles);
      if (!UNREACHABLE.test(output) && code !== null) throw new Error(`npm install failed:\n${output}`);
      rmSync(temporary, { recursive: true, force: true });
      return "the package registry cannot be reached";
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
  }

  /** Runs a command in the folder to its end; `npx` and what is in node_modules/.bin. */
  run(command: string, ...args: readonly string[]): Outcome {
    return outcomeOf(
      spawnSync(command, args, { cwd: this.folder, env: this.#environment, encoding: "utf8" }),
    );
  }

  start(command: string, ...args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
    return spawn(command, args, {
      cwd: this.folder,
      env: this.#environment,
      stdio: ["ignore", "pipe", "inherit"],
    });
  }

  remove(): void {
    rmSync(this.#temporary, { recursive: true, force: true });
  }
}

function pack(destination: string): string[] {
  const { code, output } = npm(ROOT, "pack", "--json", "--pack-destination", destination);
  if (code !== 0) throw new Error(`npm pack failed:\n${output}`);
  return listTarball(destination);
}

function listTarball(folder: string): string[] {
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  const { code, output } = outcomeOf(spawnSync("tar", ["-tzf", join(folder, tarball)], { encoding: "utf8" }));
  if (code !== 0) throw new Error(`cannot list ${tarball}:\n${output}`);
  return output
    .trim()
    .split("\n")
    .map((line) => line.replace(/^package\//, ""));
}

function npm(folder: string, ...args: readonly string[]): Outcome {
  return outcomeOf(
    spawnSync("npm", [...args, "--fetch-retries=0"], {
      cwd: folder,
      env: cleanEnvironment(),
      encoding: "utf8",
      timeout: NPM_TIMEOUT_MS,
    }),
  );
}

/** Under `npm test` npm's variables would make an inner npm work on our own folder. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(?!config_(registry|cache|userconfig|https?_proxy))|NODE_(?!EXTRA_CA_CERTS)|INIT_CWD|SALLYPORT_)/i.test(
        name,
      ),
  );
  return Object.fromEntries(inherited);
}

function outcomeOf(run: {
  readonly status: number | null;
  readonly stdout: string | null;
  readonly stderr: string | null;
  readonly error?: Error | undefined;
}): Outcome {
  return { code: run.status, output: `${run.stdout ?? ""}${run.stderr ?? ""}${run.error?.message ?? ""}` };
}
