// The words behind a command: options and the rest. Everything wrong with them is one sentence, with the
// nearest option when there is one.
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { colour, type Terminal } from "./terminal.ts";

export interface OptionDefinition {
  /** Without the dashes. */
  readonly name: string;
  readonly letter?: string;
  /** False for a switch. */
  readonly takesValue: boolean;
}

export interface CommandLine {
  has(name: string): boolean;
  /** The last value given. */
  valueOf(name: string): string | null;
  /** All values given, in their order; a switch has "" for each time. */
  valuesOf(name: string): readonly string[];
  readonly words: readonly string[];
}

export type CommandLineReading =
  | { readonly kind: "read"; readonly line: CommandLine }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string; readonly help: string | null };

/**
 * Reads options in any place, as `--name value`, `--name=value` or `-n value`; what is behind `--` is no
 * option.
 */
export function readCommandLine(
  args: readonly string[],
  definitions: readonly OptionDefinition[],
): CommandLineReading {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (arg === "--") {
      words.push(...args.slice(at + 1));
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      words.push(arg);
      continue;
    }
    if (arg === "--help" || arg === "-h") return { kind: "help" };
    const [key = "", ...rest] = arg.split("=");
    const definition = definitions.find(({ name, letter }) => key === `--${name}` || key === `-${letter}`);
    if (definition === undefined) return unknownOption(key, definitions);
    const attached = rest.length > 0 ? rest.join("=") : null;
    if (!definition.takesValue && attached !== null) return wrong(`--${definition.name} takes no value`);
    const value = definition.takesValue ? (attached ?? args[++at]) : "";
    if (value === undefined) return wrong(`${key} needs a value`);
    values.set(definition.name, [...(values.get(definition.name) ?? []), value]);
  }
  const line: CommandLine = {
    has: (name) => values.has(name),
    valueOf: (name) => values.get(name)?.at(-1) ?? null,
    valuesOf: (name) => values.get(name) ?? [],
    words,
  };
  return { kind: "read", line };
}

/** Says what is wrong with the words of a command. Returns the exit code. */
export function complainOfUsage(
  terminal: Terminal,
  command: string,
  message: string,
  help: string | null = null,
): 1 {
  terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${message}\n`);
  terminal.error(`  ${help ?? `sallyport ${command} --help shows what it takes`}\n`);
  return 1;
}

function unknownOption(key: string, definitions: readonly OptionDefinition[]): CommandLineReading {
  const known = [...definitions.map(({ name }) => `--${name}`), "--help"];
  return { kind: "wrong", message: `there is no option ${key}`, help: suggestWord(key, known) };
}

function wrong(message: string): CommandLineReading {
  return { kind: "wrong", message, help: null };
}
