// What a command of the runtime API is, and how a line is taken apart (management manual 9.3): commands are
// separated by ";", words by spaces, and a backslash takes the meaning from what follows it.
import type { Server } from "../../proxy/runtime.ts";
import type { AdminActions } from "./actions.ts";

export type Level = "user" | "operator" | "admin";
const LEVELS: readonly Level[] = ["user", "operator", "admin"];

/** A line of input is no longer than this, as HAProxy's default buffer. */
export const LINE_BYTES_MAX = 16_384;
const WORDS_MAX = 64;

/** All of what follows a command that ends with "<<". */
export const PAYLOAD_BYTES_MAX = 1_048_576;

export interface CommandContext {
  readonly actions: AdminActions;
  readonly level: Level;
  /** The lines behind a command that ends with "<<", each with its newline; null without them. */
  readonly payload: string | null;
}

export interface Command {
  /** "set server", without arguments. */
  readonly name: string;
  /** "<backend>/<server> …". */
  readonly usage: string;
  readonly help: string;
  readonly level: Level;
  /** The master CLI answers it itself, without `@` in front. */
  readonly isMasters?: true;
  /** Needs `experimental-mode on`. */
  readonly isExperimental?: true;
  /** The answer, without the empty line that ends it. Words are those behind the name. */
  run(words: readonly string[], context: CommandContext): string | Promise<string> | Following;
}

/** An answer that goes on until the client says something, or leaves. */
export interface Following {
  /** What there is to tell now; "": nothing. To be asked again while it is not. */
  next(): string;
  /** `wake` is called when there is more. Returns how to end that. */
  watch(wake: () => void): () => void;
}

export function mayRun(level: Level, needed: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(needed);
}

/** Whether the lines up to the next empty one belong to this one. */
export function wantsPayload(line: string): boolean {
  return /(^|[ \t])<<[ \t]*$/.test(line);
}

/** The commands of a line as lists of words. An empty line has one empty command. */
export function splitLine(line: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | null = null;
  const endWord = () => {
    const command = commands.at(-1)!;
    if (word !== null && command.length < WORDS_MAX) command.push(word);
    word = null;
  };
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (character === "\\" && i + 1 < line.length) word = (word ?? "") + line[++i];
    else if (character === " " || character === "\t" || character === "\r") endWord();
    else if (character === ";") {
      endWord();
      commands.push([]);
    } else word = (word ?? "") + character;
  }
  endWord();
  // "show version;" is one command.
  if (commands.length > 1 && commands.at(-1)!.length === 0) commands.pop();
  return commands;
}

/** The server of "BACKEND/SERVER", or what to answer. `#id` stands for either. */
export function findServer({ actions }: CommandContext, word: string | undefined): Server | string {
  const slash = word?.indexOf("/") ?? -1;
  if (word === undefined || slash < 0) return "Require 'backend/server'.\n";
  const [backendName, serverName] = [word.slice(0, slash), word.slice(slash + 1)];
  const backend = actions.runtime.backends.find((candidate) =>
    isCalled(candidate.name, candidate.definition.id, backendName),
  );
  if (backend === undefined) return "No such backend.\n";
  return (
    backend.servers.find((server) => isCalled(server.name, server.definition.id, serverName)) ??
    "No such server.\n"
  );
}

export function isCalled(name: string, id: number, word: string): boolean {
  return name === word || `#${id}` === word;
}

export function nowSecondsOf({ actions }: CommandContext): number {
  return Math.floor(actions.nowMs / 1000);
}

/** A message of the API: one line. */
export function message(text: string): string {
  return `${text}\n`;
}
