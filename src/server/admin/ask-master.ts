// Asks a running master over the socket of its runtime API: one command, one answer.
import { connect } from "node:net";
import type { RegistryEntry } from "../registry.ts";

/** A reload of a large configuration takes its time; a master that is silent for longer hangs. */
const ANSWER_MS_MAX = 60_000;

/** The whole answer. Rejects with one clear sentence. */
export function askMaster(entry: RegistryEntry, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(entry.adminPath, () => socket.end(`${command}\n`));
    socket.setTimeout(ANSWER_MS_MAX, () =>
      socket.destroy(new Error(`no answer in ${ANSWER_MS_MAX / 1000} s`)),
    );
    socket.on("data", (bytes: Buffer) => parts.push(bytes));
    socket.once("end", () => resolve(Buffer.concat(parts).toString()));
    socket.once("error", (error) =>
      reject(new Error(`process ${entry.pid} cannot be asked (${entry.adminPath}): ${error.message}`)),
    );
  });
}
