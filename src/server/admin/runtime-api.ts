// HAProxy's runtime API (management manual 9.3): a line of commands in, the answer out. Each connection to a
// socket has an `ApiSession` with its level and its prompt; the sockets themselves are in admin-socket.ts.
import { nearestWord } from "../../diagnostic/nearest-word.ts";
import type { AdminActions } from "./actions.ts";
import { type Command, type Level, mayRun, message, splitLine } from "./command.ts";
import { DYNAMIC_SERVER_COMMANDS } from "./dynamic-servers.ts";
import { PROCESS_COMMANDS } from "./process-commands.ts";
import { SERVER_COMMANDS } from "./server-commands.ts";
import { SERVER_TABLE_COMMANDS } from "./show-servers.ts";
import { STATISTICS_COMMANDS } from "./show-statistics.ts";

/** Longest names first, so that "set maxconn server" is not taken for something shorter. */
export const COMMANDS: readonly Command[] = [
  ...PROCESS_COMMANDS,
  ...DYNAMIC_SERVER_COMMANDS,
  ...SERVER_COMMANDS,
  ...SERVER_TABLE_COMMANDS,
  ...STATISTICS_COMMANDS,
].sort((a, b) => b.name.length - a.name.length);

/** What changes the session itself; listed in the help. */
const SESSION_COMMANDS: readonly (readonly [usage: string, help: string])[] = [
  ["help [<command>]", "this list, or what matches"],
  ["operator", "lower the level of this session to operator"],
  ["prompt", "switch the prompt on or off"],
  ["quit", "disconnect"],
  ["set timeout cli <delay>", "how long this session may be idle"],
  ["show cli level", "the level of this session"],
  ["user", "lower the level of this session to user"],
];

export class RuntimeApi {
  readonly #actions: AdminActions;
  /** Sockets read nothing before. */
  readonly ready: Promise<void>;

  constructor(actions: AdminActions, ready: Promise<void> = Promise.resolve()) {
    this.#actions = actions;
    this.ready = ready;
  }

  openSession(level: Level): ApiSession {
    return new ApiSession(this.#actions, level);
  }

  /** One line without a session, such as the statistics page's form sends. */
  async run(line: string, level: Level = "admin"): Promise<string> {
    return (await this.openSession(level).receiveLine(line)).answer;
  }
}

export interface LineResult {
  /** Everything that is to be sent: the answers, each ended by an empty line or by the prompt. */
  readonly answer: string;
  /** `quit`. */
  readonly isOver: boolean;
}

export class ApiSession {
  readonly #actions: AdminActions;
  #level: Level;
  isInteractive = false;
  /** `set timeout cli`; null: the socket's. */
  idleTimeoutMs: number | null = null;

  constructor(actions: AdminActions, level: Level) {
    this.#actions = actions;
    this.#level = level;
  }

  get level(): Level {
    return this.#level;
  }

  /** `line` has no newline. Commands run one after the other. Never rejects for a bad command. */
  async receiveLine(line: string): Promise<LineResult> {
    let answer = "";
    for (const words of splitLine(line)) {
      if (words[0] === "quit") return { answer: `${answer}\n`, isOver: true };
      answer += await this.#runCommand(words);
      answer += this.isInteractive ? "\n> " : "\n";
    }
    return { answer, isOver: false };
  }

  async #runCommand(words: readonly string[]): Promise<string> {
    // HAProxy's master socket addresses a process by its first word; here one answers for all of them.
    const own = /^@(\d+|!\d+|master)$/.test(words[0] ?? "") ? words.slice(1) : words;
    const sessionAnswer = this.#runSessionCommand(own);
    if (sessionAnswer !== null) return sessionAnswer;
    const command = COMMANDS.find(({ name }) => name.split(" ").every((word, i) => word === own[i]));
    if (command === undefined) return this.#describeUnknown(own);
    if (!mayRun(this.#level, command.level)) return message("Permission denied");
    return command.run(own.slice(command.name.split(" ").length), {
      actions: this.#actions,
      level: this.#level,
    });
  }

  /** Null: it is no command about the session. */
  #runSessionCommand(words: readonly string[]): string | null {
    switch (words[0]) {
      case "prompt":
        this.isInteractive = !this.isInteractive;
        return "";
      case "help":
        return this.#help(words.slice(1));
      case "user":
      case "operator":
        if (mayRun(this.#level, words[0])) this.#level = words[0];
        return "";
      case "show":
        return words[1] === "cli" && words[2] === "level" ? message(this.#level) : null;
      case "set":
        return words[1] === "timeout" ? this.#setTimeout(words.slice(2)) : null;
      default:
        return null;
    }
  }

  #setTimeout([what, delay]: readonly string[]): string {
    const match = /^(\d+)(us|ms|s|m|h|d)?$/.exec(delay ?? "");
    if (what !== "cli" || match === null) return message("A delay is expected: set timeout cli <delay>.");
    const unitMs = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? "s"]!;
    this.idleTimeoutMs = Number(match[1]) * unitMs;
    return "";
  }

  #help(words: readonly string[]): string {
    const found =
      words.length === 0
        ? this.#listed()
        : this.#listed().filter(([usage]) => usage.startsWith(words.join(" ")));
    const title = words.length === 0 ? "Commands of this level:" : "Commands that begin so:";
    return helpText(title, found.length === 0 ? this.#listed() : found);
  }

  #describeUnknown(words: readonly string[]): string {
    if (words.length === 0) return helpText("Unknown command. There are:", this.#listed());
    const listed = this.#listed();
    const sameStart = listed.filter(([usage]) => usage.split(" ")[0] === words[0]);
    if (sameStart.length > 0) return helpText("Unknown command. There are:", sameStart);
    const nearest = nearestWord(words[0]!, [...new Set(listed.map(([usage]) => usage.split(" ")[0]!))]);
    const near = nearest === null ? listed : listed.filter(([usage]) => usage.split(" ")[0] === nearest);
    return helpText("Unknown command. There are:", near);
  }

  /** What this level may run, by name. */
  #listed(): (readonly [usage: string, help: string])[] {
    const commands = COMMANDS.filter(({ level }) => mayRun(this.#level, level));
    const entries = commands.map(({ name, usage, help }) => [`${name} ${usage}`.trim(), help] as const);
    return [...entries, ...SESSION_COMMANDS].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

const USAGE_WIDTH = 40;

function helpText(title: string, entries: readonly (readonly [usage: string, help: string])[]): string {
  return (
    message(title) +
    entries.map(([usage, help]) => message(`  ${usage.padEnd(USAGE_WIDTH)}: ${help}`)).join("")
  );
}
