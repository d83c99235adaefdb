// How `console list`, `kick` and `reload` reach the process that serves: one line of JSON to a unix socket
// that only its owner may open, one line back.
import { chmodSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { ConsoleServer, ViewerSummary } from "./console-server.ts";

export type ControlQuestion =
  | { readonly command: "list" | "reload" }
  | { readonly command: "kick"; readonly name: string };

export interface ControlAnswer {
  readonly viewers: readonly ViewerSummary[];
  readonly kicked: number;
  /** Null: it was not asked for. */
  readonly reload: ConsoleReload | null;
}

export interface ConsoleReload {
  readonly isSuccess: boolean;
  readonly text: string;
}

const LINE_BYTES_MAX = 4096;

/** Rejects when another process listens there, or nobody may. */
export async function openControlSocket(
  path: string,
  consoles: ConsoleServer,
  reload: () => ConsoleReload,
): Promise<Server> {
  if (await isServed(path)) throw new Error(`${path}: another console proxy is served there`);
  rmSync(path, { force: true });
  const server = createServer((socket) => answer(socket, consoles, reload));
  // From its first moment it is nobody else's.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
  return server;
}

/** Rejects when nobody serves there. */
export function askControlSocket(path: string, question: ControlQuestion): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.end(`${JSON.stringify(question)}\n`));
    const parts: Buffer[] = [];
    socket.on("error", reject);
    socket.on("data", (part: Buffer) => parts.push(part));
    socket.on("close", () => {
      try {
        resolve(JSON.parse(Buffer.concat(parts).toString()) as ControlAnswer);
      } catch {
        reject(new Error(`${path} gives no answer`));
      }
    });
  });
}

function answer(socket: Socket, consoles: ConsoleServer, reload: () => ConsoleReload): void {
  let text = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (part: Buffer) => {
    text += part.toString();
    if (text.length > LINE_BYTES_MAX) socket.destroy();
    if (!text.includes("\n")) return;
    const question = parseQuestion(text);
    if (question === null) {
      socket.destroy();
      return;
    }
    const kicked = question.command === "kick" ? consoles.kick(question.name) : 0;
    const reloaded = question.command === "reload" ? reload() : null;
    const reply: ControlAnswer = { viewers: consoles.list(), kicked, reload: reloaded };
    socket.end(`${JSON.stringify(reply)}\n`);
  });
}

function parseQuestion(text: string): ControlQuestion | null {
  try {
    const { command, name } = JSON.parse(text) as Partial<{ command: string; name: string }>;
    if (command === "list" || command === "reload") return { command };
    return command === "kick" && typeof name === "string" ? { command, name } : null;
  } catch {
    return null;
  }
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
