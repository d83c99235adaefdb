// For tests of the real kernel: namespaces in which a script is root of an empty network, and with which
// everything that it started ends. Nothing of this machine is seen or touched.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const LAUNCHER: string = fileURLToPath(new URL("../../../bin/sallyport", import.meta.url));
const TIMEOUT_MS = 110_000;

/**
 * What a script of bash says that begins in `folder`; `$S` is the command line. Any command that fails ends
 * it, and the test.
 */
export function inside(folder: string, script: string, timeoutMs: number = TIMEOUT_MS): string {
  const prepare = 'mount -t tmpfs tmpfs /run && ip link set lo up && cd "$FOLDER"';
  const words = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c"];
  const run = spawnSync("unshare", [...words, `set -e; ${prepare}; ${script}`], {
    encoding: "utf8",
    timeout: timeoutMs,
    // unshare does not end by SIGTERM.
    killSignal: "SIGKILL",
    env: { ...process.env, S: LAUNCHER, FOLDER: folder, F: "datacenter.yaml", NO_COLOR: "1" },
  });
  assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`);
  return run.stdout;
}
