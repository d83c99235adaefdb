// The floors of the house: a file imports from its own folder and from lower floors only, the cores do not
// touch the outside world, and each door to it is in one place. ARCHITECTURE.md says why.
import { posix } from "node:path";
import { errorAt, type Finding, isFixture, isTest, isTypeScript, lineAt, type Tree } from "./finding.ts";
import { importsOf, takeApart } from "./source.ts";

/** Folder of src/ -> floor. Folders of one floor do not know each other. */
export const FLOORS: Readonly<Record<string, number>> = {
  base: 0,
  diagnostic: 0,
  transport: 1,
  model: 2,
  protocol: 2,
  wire: 2,
  language: 3,
  proxy: 3,
  network: 3,
  io: 4,
  driver: 4,
  server: 5,
  cli: 6,
};

/** Sans-I/O: bytes and events come in, bytes and events come out. */
const CORES: readonly string[] = [
  "base",
  "diagnostic",
  "transport",
  "model",
  "protocol",
  "wire",
  "proxy",
  "network",
];
const OUTSIDE_WORLD =
  /^node:(fs|net|tls|http|https|http2|dgram|dns|child_process|worker_threads|cluster|process|timers|os)(\/|$)/;

const MAY_FFI: readonly string[] = ["io"];
const MAY_TELL_TIME: readonly string[] = ["io", "driver", "server", "cli"];
const CLOCK =
  /\b(?:Date\.now|Math\.random|performance\.now|setTimeout|setInterval)\b|\bnew Date(?:\(\s*\)|(?![\w(]))/g;

export function checkFloors(tree: Tree): Finding[] {
  const findings: Finding[] = [];
  for (const [file, text] of tree) {
    if (file.startsWith("src/") && isTypeScript(file)) findings.push(...checkFile(file, text));
  }
  return findings;
}

function isForTests(file: string): boolean {
  return isTest(file) || isFixture(file);
}

function checkFile(file: string, text: string): Finding[] {
  const folder = file.split("/")[1]!;
  if (file.split("/").length < 3) return [errorAt(file, 1, "lies in no folder of src/")];
  if (FLOORS[folder] === undefined)
    return [errorAt(file, 1, `src/${folder} has no floor: give it one in tools/tidy/floors.ts`)];
  const source = takeApart(text);
  const findings: Finding[] = [];
  for (const { specifier, position } of importsOf(source)) {
    const message = faultOfImport(file, folder, specifier);
    if (message !== null) findings.push(errorAt(file, lineAt(text, position), message));
  }
  if (MAY_TELL_TIME.includes(folder) || isForTests(file)) return findings;
  for (const match of source.code.matchAll(CLOCK)) {
    findings.push(
      errorAt(
        file,
        lineAt(text, match.index),
        `${match[0]} in src/${folder}: time and chance come in as arguments`,
      ),
    );
  }
  return findings;
}

function faultOfImport(file: string, folder: string, specifier: string): string | null {
  if (specifier.startsWith(".")) return faultOfPath(file, folder, posix.join(posix.dirname(file), specifier));
  if (specifier === "node:ffi" && !MAY_FFI.includes(folder))
    return `node:ffi in src/${folder}: only src/io may call foreign functions`;
  if (CORES.includes(folder) && OUTSIDE_WORLD.test(specifier) && !isForTests(file)) {
    return `${specifier} in src/${folder}: a core does not touch the outside world`;
  }
  return null;
}

function faultOfPath(file: string, folder: string, target: string): string | null {
  const [top, targetFolder] = target.split("/");
  if (top !== "src") {
    return isForTests(file) && top === "test"
      ? null
      : `imports ${target}: the program imports from src/ only`;
  }
  if (targetFolder === undefined || targetFolder === folder) return null;
  const floor = FLOORS[targetFolder];
  if (floor === undefined || floor < FLOORS[folder]!) return null;
  const relation =
    floor === FLOORS[folder] ? "is a neighbour on the same floor" : `is ${floor - FLOORS[folder]!} above`;
  return `src/${folder} imports ${target}, but src/${targetFolder} ${relation}`;
}
