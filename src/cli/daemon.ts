// Going to the background as HAProxy's -D does: a child without terminal serves, and whoever called gets
// his prompt back once it does. What the child has to say until then comes over a channel, for a daemon
// that kept the caller's output open would keep `$(sallyport -D …)` waiting forever.
import { spawn } from "node:child_process";
import { entryFile } from "../base/program-files.ts";
import type { Terminal } from "./terminal.ts";

const DAEMON_VARIABLE = "SALLYPORT_DAEMON";

type FromDaemon = { readonly kind: "text"; readonly text: string } | { readonly kind: "serving" };

export function isDaemonChild(): boolean {
  return process.env[DAEMON_VARIABLE] !== undefined;
}

/** Starts a child with the same words. Returns 0 once it serves, its exit code when it gives up before. */
export function startDaemon(args: readonly string[], terminal: Terminal): Promise<number> {
  const main = entryFile("cli/main.ts");
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: { ...process.env, [DAEMON_VARIABLE]: "1" },
  });
  return new Promise((resolve) => {
    child.on("message", (message: FromDaemon) => {
      if (message.kind === "text") return terminal.error(message.text);
      child.disconnect();
      child.unref();
      resolve(0);
    });
    child.once("error", (error) => {
      terminal.error(`sallyport: the background process could not be started: ${error.message}\n`);
      resolve(1);
    });
    child.once("exit", (code) => resolve(code === null || code === 0 ? 1 : code));
  });
}

/** The terminal of the child: everything goes to the one who waits, and nowhere once nobody does. */
export function daemonTerminal(terminal: Terminal): Terminal {
  const tell = (text: string) => void send({ kind: "text", text });
  return { ...terminal, write: tell, error: tell, isInteractive: false, askSecret: async () => null };
}

export function tellServing(): void {
  send({ kind: "serving" });
}

function send(message: FromDaemon): void {
  if (process.connected) process.send?.(message);
}
