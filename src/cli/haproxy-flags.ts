// HAProxy's own command line (management manual, section 3), read into plain data. Every flag of HAProxy
// 2.6 is known; one that has nothing to do here leaves a note that says so.

export interface HaproxyFlags {
  readonly action: "serve" | "check" | "condition" | "version" | "build";
  readonly files: readonly string[];
  /** Behind -cc. */
  readonly condition: string;
  /** -C: change to it before reading files. */
  readonly directory: string | null;
  readonly pidFile: string | null;
  /** -L: the value of HAPROXY_LOCALPEER. */
  readonly localPeer: string | null;
  /** -D, unless -d, -db or -Ws keep it in the foreground. */
  readonly isDaemon: boolean;
  /** -d, -db, -Ws: also `daemon` in the file does not count. */
  readonly isForeground: boolean;
  /** -W, -Ws. */
  readonly isMasterWorker: boolean;
  /** -S: the address of the master CLI, with its options. */
  readonly masterSocket: string | null;
  readonly isQuiet: boolean;
  /** -dW. */
  readonly failsOnWarning: boolean;
  /** -sf and -st: who is told to stop once we serve, and how. */
  readonly oldPids: readonly number[];
  readonly oldSignal: "SIGUSR1" | "SIGTERM";
  /** What was accepted without effect, a sentence each. */
  readonly notes: readonly string[];
}

/** Either the flags, or what is wrong with them; "" when HAProxy only shows its usage. */
export type FlagsReading =
  | { readonly ok: true; readonly flags: HaproxyFlags }
  | { readonly ok: false; readonly message: string };

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] };

const NO_EFFECT: Readonly<Record<string, string>> = {
  n: "-n has no effect: write `maxconn` in the `global` section",
  N: "-N has no effect: write `maxconn` in a `defaults` section",
  m: "-m has no effect: limit the memory of the service instead, for example with systemd's MemoryMax=",
  x: "-x has no effect: old and new processes share their ports by themselves",
  dV: "-dV has no effect: write `verify none` on the server lines",
  dL: "-dL has no effect: there are no libraries of its own to list",
};

/** Accepted in silence: they choose between mechanisms that do not exist here, or are what happens anyway. */
const SILENT = /^(d[ekprvSGRD]|dM.*)$/;

export function readHaproxyFlags(args: readonly string[]): FlagsReading {
  const flags = newFlags();
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    if (!arg.startsWith("-") || arg === "-") return wrong(`what is ${arg}? Files come behind -f or --`);
    const flag = arg.slice(1);
    if (flag === "-") {
      flags.files.push(...args.slice(at + 1));
      break;
    }
    if (flag.startsWith("v")) {
      flags.action = flag.startsWith("vv") ? "build" : "version";
      break;
    }
    if (flag === "sf" || flag === "st") {
      flags.oldSignal = flag === "sf" ? "SIGUSR1" : "SIGTERM";
      for (; at + 1 < args.length && !args[at + 1]!.startsWith("-"); at++) {
        const problem = addPid(flags, flag, args[at + 1]!);
        if (problem !== null) return wrong(problem);
      }
      continue;
    }
    if (takesValue(flag)) {
      const value = args[++at];
      if (value === undefined) return wrong(`-${flag} needs a value`);
      setValue(flags, flag, value);
    } else if (!setSwitch(flags, flag))
      return wrong(flag.startsWith("dK") ? DUMP_ANSWER : `there is no flag -${flag}`);
  }
  return { ok: true, flags: { ...flags, isDaemon: flags.isDaemon && !flags.isForeground } };
}

const DUMP_ANSWER = "-dK has no list to dump: COMPATIBILITY.md has all keywords";

function newFlags(): Mutable<HaproxyFlags> {
  return {
    action: "serve",
    files: [],
    condition: "",
    directory: null,
    pidFile: null,
    localPeer: null,
    isDaemon: false,
    isForeground: false,
    isMasterWorker: false,
    masterSocket: null,
    isQuiet: false,
    failsOnWarning: false,
    oldPids: [],
    oldSignal: "SIGUSR1",
    notes: [],
  };
}

function takesValue(flag: string): boolean {
  return flag === "cc" || /^[CnmNLfpxS]$/.test(flag);
}

function setValue(flags: Mutable<HaproxyFlags>, flag: string, value: string): void {
  switch (flag) {
    case "cc":
      flags.action = "condition";
      flags.condition = value;
      return;
    case "C":
      flags.directory = value;
      return;
    case "L":
      flags.localPeer = value;
      return;
    case "p":
      flags.pidFile = value;
      return;
    case "S":
      flags.masterSocket = value;
      return;
    case "f":
      flags.files.push(value);
      return;
    default:
      flags.notes.push(NO_EFFECT[flag]!);
  }
}

/** False when there is no such flag. */
function setSwitch(flags: Mutable<HaproxyFlags>, flag: string): boolean {
  switch (flag) {
    case "c":
      flags.action = "check";
      return true;
    case "D":
      flags.isDaemon = true;
      return true;
    case "d":
    case "db":
      flags.isForeground = true;
      return true;
    case "W":
      flags.isMasterWorker = true;
      return true;
    case "Ws":
      flags.isMasterWorker = true;
      flags.isForeground = true;
      return true;
    case "q":
      flags.isQuiet = true;
      return true;
    case "V":
      flags.isQuiet = false;
      return true;
    case "dW":
      flags.failsOnWarning = true;
      return true;
  }
  const note = NO_EFFECT[flag];
  if (note !== undefined) flags.notes.push(note);
  return note !== undefined || SILENT.test(flag);
}

function addPid(flags: Mutable<HaproxyFlags>, flag: string, text: string): string | null {
  // `-sf "$(cat pidfile)"` brings several in one word.
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const pid = Number(word);
    if (!/^\d+$/.test(word) || pid <= 0) return `-${flag} takes process ids, and ${word} is none`;
    flags.oldPids.push(pid);
  }
  return null;
}

function wrong(message: string): FlagsReading {
  return { ok: false, message };
}

export const HAPROXY_USAGE = `Usage: sallyport -f FILE [flags] [-- FILE…]

HAProxy's flags, for scripts that know them:
  -f FILE         read FILE, or the *.cfg files of a directory; may be repeated
  -c              only check the files: exit 0 valid, 1 not valid, 2 valid without a listener
  -cc CONDITION   evaluate a condition of \`.if\`: exit 0 true, 1 false, 2 not understood
  -D              go to the background once everything serves
  -W, -Ws         master and workers, which is always so; -Ws stays in the foreground for systemd
  -S ADDRESS      the master CLI there; options of \`bind\` follow with commas: /run/x.sock,mode,600
  -d, -db         stay in the foreground
  -C DIRECTORY    change to it first
  -p FILE         write the process id there
  -sf PID…        once we serve, have these finish (USR1)
  -st PID…        once we serve, have these stop (TERM)
  -L NAME         the value of $HAPROXY_LOCALPEER
  -q, -V          say less, say more
  -dW             a warning is an error
  -v, -vv         version; and what it can do
Accepted without effect: -n -N -m -x -dM -de -dp -dr -dv -dk -dS -dG -dR -dD -dL -dV

sallyport --help shows the commands that are our own.
`;
