// HAProxy's runtime API (management manual 9.3): a line of commands in, the answer out. Each connection to a
// socket has an `ApiSession` with its level and its prompt; the sockets themselves are in admin-socket.ts.
import { nearestWord } from "../../diagnostic/nearest-word.ts";
import type { AdminActions } from "./actions.ts";
import { CACHE_COMMANDS } from "./cache-commands.ts";
import { CERTIFICATE_COMMANDS } from "./certificate-commands.ts";
import { type Command, type Following, type Level, mayRun, message, splitLine } from "./command.ts";
import { CRT_LIST_COMMANDS } from "./crt-list-commands.ts";
import { DYNAMIC_SERVER_COMMANDS } from "./dynamic-servers.ts";
import { EVENT_COMMANDS } from "./event-commands.ts";
import { MASTER_COMMANDS } from "./master-commands.ts";
import { PATTERN_COMMANDS } from "./pattern-commands.ts";
import { PROCESS_COMMANDS } from "./process-commands.ts";
import { RESOLVER_COMMANDS } from "./resolver-commands.ts";
import { SERVER_COMMANDS } from "./server-commands.ts";
import { SessionModes } from "./session-modes.ts";
import { SERVER_TABLE_COMMANDS } from "./show-servers.ts";
import { STATISTICS_COMMANDS } from "./show-statistics.ts";
import { TABLE_COMMANDS } from "./table-commands.ts";
import { TRUST_COMMANDS } from "./trust-commands.ts";
import { VARIABLE_COMMANDS } from "./variable-commands.ts";

/** Longest names first, so that "set maxconn server" is not taken for something shorter. */
export const COMMANDS: readonly Command[] = [
  ...MASTER_COMMANDS,
  ...PROCESS_COMMANDS,
  ...PATTERN_COMMANDS,
  ...VARIABLE_COMMANDS,
  ...DYNAMIC_SERVER_COMMANDS,
  ...SERVER_COMMANDS,
  ...SERVER_TABLE_COMMANDS,
  ...RESOLVER_COMMANDS,
  ...TABLE_COMMANDS,
  ...CACHE_COMMANDS,
  ...EVENT_COMMANDS,
  ...STATISTICS_COMMANDS,
  ...CERTIFICATE_COMMANDS,
  ...TRUST_COMMANDS,
  ...CRT_LIST_COMMANDS,
].sort((a, b) => b.name.length - a.name.length);

/** What changes the session itself; listed in the help. */
const SESSION_COMMANDS: readonly (readonly [usage: string, help: string])[] = [
  ["experimental-mode [on|off]", "open or close commands that may still change"],
  ["expert-mode [on|off]", "open or close commands for experts; there are none yet"],
  ["help [<command>]", "this list, or what matches"],
  ["operator", "lower the level of this session to operator"],
  ["prompt", "switch the prompt on or off"],
  ["quit", "disconnect"],
  ["set timeout cli <delay>", "how long this session may be idle"],
  ["show cli level", "the level of this session"],
  ["user", "lower the level of this session to user"],
];

/** Of the master CLI. */
const MASTER_WORDS: typeof SESSION_COMMANDS = [
  ["@<number> [<command>]", "the worker with that number, for one command or for all that follow"],
  ["@!<pid> [<command>]", "the worker with that process id"],
  ["@master [<command>]", "the master"],
];

export class RuntimeApi {
  readonly #actions: AdminActions;
  /** Sockets read nothing before. */
  readonly ready: Promise<void>;

  constructor(actions: AdminActions, ready: Promise<void> = Promise.resolve()) {
    this.#actions = actions;
    this.ready = ready;
  }

  /** `isMaster`: of the master CLI. */
  openSession(level: Level, isMaster = false): ApiSession {
    return new ApiSession(this.#actions, level, isMaster);
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
  /** The answer goes on; `end` is to be sent when it does no longer. Commands behind it are dropped. */
  readonly following: Following | null;
  readonly end: string;
}

export class ApiSession {
  readonly #actions: AdminActions;
  readonly #modes = new SessionModes();
  #level: Level;
  /** Of the master CLI: what commands without `@` go to; "master" or a process number. Null elsewhere. */
  #target: string | null;
  isInteractive = false;
  /** Of the command that is being run. */
  #payload: string | null = null;
  /** `set timeout cli`; null: the socket's. */
  idleTimeoutMs: number | null = null;

  constructor(actions: AdminActions, level: Level, isMaster = false) {
    this.#actions = actions;
    this.#level = level;
    this.#target = isMaster ? "master" : null;
  }

  get level(): Level {
    return this.#level;
  }

  /**
   * `line` has no newline. Commands run one after the other. Never rejects for a bad command. `payload` are
   * the lines behind one that wants them, for its last command.
   */
  async receiveLine(line: string, payload: string | null = null): Promise<LineResult> {
    let answer = "";
    const commands = splitLine(payload === null ? line : line.replace(/<<[ \t]*$/, ""));
    for (const [i, words] of commands.entries()) {
      this.#payload = i === commands.length - 1 ? payload : null;
      if (words[0] === "quit") return { answer: `${answer}\n`, isOver: true, following: null, end: "" };
      const said = await this.#run(words);
      if (typeof said !== "string") return { answer, isOver: false, following: said, end: this.#endOf("") };
      answer += said + this.#endOf(said);
    }
    return { answer, isOver: false, following: null, end: "" };
  }

  #run(words: readonly string[]): Promise<string | Following> {
    return this.#target === null ? this.#runCommand(words, null) : this.#runAtMaster(words, this.#target);
  }

  /** The empty line or the prompt behind an answer. */
  #endOf(answer: string): string {
    if (this.#target === null) return this.isInteractive ? "\n> " : "\n";
    const prompt = `${this.#target}${this.#modes.flags}> `;
    return `${answer === "" ? "" : "\n"}${this.isInteractive ? prompt : ""}`;
  }

  /** The first word may say for which process the others are; alone, for which all further commands are. */
  async #runAtMaster(words: readonly string[], target: string): Promise<string | Following> {
    if (words[0]?.startsWith("@") !== true) return this.#runCommand(words, target);
    const named = this.#findTarget(words[0].slice(1));
    if (named === null) return `Can't find the target PID matching the prefix '${words[0]}'`;
    if (words.length > 1) return this.#runCommand(words.slice(1), named);
    this.#target = named;
    return "";
  }

  /** "", "0" and "master" are the master, "1" is the first worker, "!PID" a process by its number. */
  #findTarget(prefix: string): string | null {
    if (prefix === "" || prefix === "0" || prefix === "master") return "master";
    const pids = this.#actions.workerPids.map(String);
    if (prefix.startsWith("!")) return pids.find((pid) => pid === prefix.slice(1)) ?? null;
    return /^\d+$/.test(prefix) ? (pids[Number(prefix) - 1] ?? null) : null;
  }

  /** Whichever worker is meant, one answers for all of them. */
  async #runCommand(words: readonly string[], target: string | null): Promise<string | Following> {
    const sessionAnswer = this.#runSessionCommand(words, target);
    if (sessionAnswer !== null) return sessionAnswer;
    const command = this.#known(target).find(({ name }) =>
      name.split(" ").every((word, i) => word === words[i]),
    );
    if (command === undefined) return this.#describeUnknown(words, target);
    if (command.isExperimental === true && !this.#modes.has("experimental-mode"))
      return message("This command is restricted to experimental mode only.");
    if (!mayRun(this.#level, command.level)) return message("Permission denied");
    return command.run(words.slice(command.name.split(" ").length), {
      actions: this.#actions,
      level: this.#level,
      payload: this.#payload,
    });
  }

  #known(target: string | null): readonly Command[] {
    const isLimited = target === "master" && !this.#modes.has("mcli-debug-mode");
    return isLimited ? COMMANDS.filter(({ isMasters }) => isMasters === true) : COMMANDS;
  }

  /** Null: it is no command about the session. */
  #runSessionCommand(words: readonly string[], target: string | null): string | null {
    if (SessionModes.isMode(words[0]))
      return this.#level === "admin" ? this.#modes.set(words[0], words[1]) : message("Permission denied");
    switch (words[0]) {
      case "prompt":
        this.isInteractive = !this.isInteractive;
        return "";
      case "help":
        return this.#help(words.slice(1), target);
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

  #help(words: readonly string[], target: string | null): string {
    const found =
      words.length === 0
        ? this.#listed(target)
        : this.#listed(target).filter(([usage]) => usage.startsWith(words.join(" ")));
    const title = words.length === 0 ? "Commands of this level:" : "Commands that begin so:";
    return helpText(title, found.length === 0 ? this.#listed(target) : found);
  }

  #describeUnknown(words: readonly string[], target: string | null): string {
    if (words.length === 0) return helpText("Unknown command. There are:", this.#listed(target));
    const listed = this.#listed(target);
    const sameStart = listed.filter(([usage]) => usage.split(" ")[0] === words[0]);
    if (sameStart.length > 0) return helpText("Unknown command. There are:", sameStart);
    const nearest = nearestWord(words[0]!, [...new Set(listed.map(([usage]) => usage.split(" ")[0]!))]);
    const near = nearest === null ? listed : listed.filter(([usage]) => usage.split(" ")[0] === nearest);
    return helpText("Unknown command. There are:", near);
  }

  /** What this level may run, by name. */
  #listed(target: string | null): (readonly [usage: string, help: string])[] {
    const commands = this.#known(target).filter(({ level }) => mayRun(this.#level, level));
    const entries = commands.map(({ name, usage, help }) => [`${name} ${usage}`.trim(), help] as const);
    const own = target === null ? SESSION_COMMANDS : [...SESSION_COMMANDS, ...MASTER_WORDS];
    return [...entries, ...own].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

const USAGE_WIDTH = 40;

function helpText(title: string, entries: readonly (readonly [usage: string, help: string])[]): string {
  return (
    message(title) +
    entries.map(([usage, help]) => message(`  ${usage.padEnd(USAGE_WIDTH)}: ${help}`)).join("")
  );
}
