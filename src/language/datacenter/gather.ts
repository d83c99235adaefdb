// One tree of several files: what a file includes is merged by key. Variables are looked up while values are
// read (`Reading.textOf`), so places stay those of the text.
import { NO_SPAN, type Span } from "../../diagnostic/span.ts";
import { variableNameFault, variableValue } from "./datacenter-keys.ts";
import type { Reading } from "./reading.ts";
import { parseTree } from "./tree.ts";
import type { MapEntry, ScalarNode, TreeNode } from "./tree-node.ts";
import { isEmptyScalar } from "./value-type.ts";

export interface DatacenterEnvironment {
  /** Environment variables; one that is not set is absent or undefined. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Text of a file that is included; null when it cannot be read. */
  readFile(path: string): string | null;
  /** Files that a pattern with `*` stands for, in order. Without it nothing matches a pattern. */
  listFiles?(pattern: string): readonly string[];
}

export interface SourceFile {
  /** As the user gave it; appears in spans. */
  readonly name: string;
  readonly text: string;
}

interface Gathered {
  /** Null when no file has anything that can be read. */
  readonly tree: TreeNode | null;
  /** Text of each file by its name, in the order in which they were read. */
  readonly sources: ReadonlyMap<string, string>;
}

const FILES_MAX = 1000;

/** Reads `files` and all that they include, and gives `reading` their variables. */
export function gatherTree(
  files: readonly SourceFile[],
  environment: DatacenterEnvironment,
  reading: Reading,
): Gathered {
  const gathering = new Gathering(environment, reading);
  // What is in the environment may be in a path to include, too.
  reading.variables = environmentVariables(environment);
  for (const file of files) gathering.add(file, []);
  const { entries, root, sources } = gathering;
  if (root === null) return { tree: null, sources };
  reading.variables = fileVariables(entries.get("variables")?.value, reading);
  return { tree: { kind: "map", entries: [...entries.values()], span: root }, sources };
}

class Gathering {
  readonly sources = new Map<string, string>();
  /** Of all files, by key. */
  readonly entries = new Map<string, MapEntry>();
  /** Where the first file begins. */
  root: Span | null = null;
  readonly #environment: DatacenterEnvironment;
  readonly #reading: Reading;

  constructor(environment: DatacenterEnvironment, reading: Reading) {
    this.#environment = environment;
    this.#reading = reading;
  }

  /** `path`: the files by way of which it is included. */
  add({ name, text }: SourceFile, path: readonly string[]): void {
    this.sources.set(name, text);
    const tree = parseTree(text, name, this.#reading);
    if (tree === null || isEmptyScalar(tree)) {
      const span = { ...NO_SPAN, file: name, line: 1, column: 1, endColumn: 1 };
      if (path.length === 0 && this.#reading.diagnostics.length === 0)
        this.#reading.error("empty-file", span, "the file says nothing", {
          help: "`sallyport init` writes one to start from.",
        });
      return;
    }
    if (tree.kind !== "map") {
      this.#reading.error("wrong-kind", tree.span, "a datacentre file is made of `key: value` lines", {
        help: "Begin with `datacenter: NAME`.",
      });
      return;
    }
    this.root ??= tree.span;
    for (const entry of tree.entries) {
      if (entry.key.text === "include") this.#include(entry.value, name, [...path, name]);
      // Keys that begin with x- are the user's own: a place for anchors.
      else if (!entry.key.text.startsWith("x-")) this.#merge(entry);
    }
  }

  #include(node: TreeNode, includedBy: string, path: readonly string[]): void {
    for (const item of node.kind === "list" ? node.items : [node]) {
      const text = item.kind === "scalar" && !item.isEmpty ? this.#reading.textOf(item) : null;
      if (item.kind !== "scalar" || item.isEmpty)
        this.#reading.error("wrong-kind", item.span, "the name of a file is expected here");
      else if (text !== null) this.#includePattern(besideFile(includedBy, text), item, path);
    }
  }

  #includePattern(pattern: string, item: ScalarNode, path: readonly string[]): void {
    if (!/[*?[{]/.test(pattern)) {
      this.#includeFile(pattern, item, path);
      return;
    }
    // A pattern that also matches the file that says it is no cycle.
    const names = (this.#environment.listFiles?.(pattern) ?? []).filter((name) => !path.includes(name));
    if (names.length === 0)
      this.#reading.warning("include-unreadable", item.span, `no file matches \`${item.text}\``);
    for (const name of names) this.#includeFile(name, item, path);
  }

  #includeFile(name: string, item: ScalarNode, path: readonly string[]): void {
    if (path.includes(name)) {
      const way = [...path.slice(path.indexOf(name)), name].join(" → ");
      this.#reading.error("include-cycle", item.span, `${name} includes itself: ${way}`);
      return;
    }
    // Two files may include the same third one.
    if (this.sources.has(name)) return;
    if (this.sources.size >= FILES_MAX) {
      this.#reading.error("include-cycle", item.span, `these are more than ${FILES_MAX} files`);
      return;
    }
    const text = this.#environment.readFile(name);
    if (text === null)
      this.#reading.error("include-unreadable", item.span, `the file ${name} cannot be read`, {
        help: "Paths are relative to the file that includes.",
      });
    else this.add({ name, text }, path);
  }

  /** Maps of several files become one map, lists one list. */
  #merge(entry: MapEntry): void {
    const { key, value } = entry;
    const first = this.entries.get(key.text);
    if (first === undefined || isEmptyScalar(first.value)) {
      this.entries.set(key.text, entry);
      return;
    }
    const { value: present } = first;
    if (present.kind === "list" && value.kind === "list") {
      const items = [...present.items, ...value.items];
      this.entries.set(key.text, { key: first.key, value: { ...present, items } });
    } else if (present.kind === "map" && value.kind === "map") {
      const known = new Map(present.entries.map((one) => [one.key.text, one.key.span]));
      const added = value.entries.filter((one) => {
        const other = known.get(one.key.text);
        if (other !== undefined) this.#reportTwice(one.key.text, one.key.span, other);
        return other === undefined;
      });
      const entries = [...present.entries, ...added];
      this.entries.set(key.text, { key: first.key, value: { ...present, entries } });
    } else if (!isEmptyScalar(value)) this.#reportTwice(key.text, key.span, first.key.span);
  }

  #reportTwice(name: string, span: Span, first: Span): void {
    this.#reading.error("duplicate-key", span, `\`${name}\` is there twice`, {
      help: "Each name is defined once, in one of the files.",
      related: [{ span: first, message: "the first is here" }],
    });
  }
}

function environmentVariables({ variables }: DatacenterEnvironment): Map<string, string> {
  const known = new Map<string, string>();
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) known.set(name, value);
  return known;
}

/** What the file defines comes before the environment. Each may use those above it. */
function fileVariables(node: TreeNode | undefined, reading: Reading): ReadonlyMap<string, string> {
  const variables = new Map(reading.variables);
  reading.variables = variables;
  for (const { key, value } of node?.kind === "map" ? node.entries : []) {
    const read = variableNameFault(key.text) === null ? variableValue.read(value, reading) : undefined;
    // A wrong one is told once, not at each of its uses.
    variables.set(key.text, read?.value ?? "");
  }
  return variables;
}

/** A path that a file names: relative to the folder of that file. */
function besideFile(file: string, path: string): string {
  if (path.startsWith("/")) return path;
  const slash = file.lastIndexOf("/");
  return slash < 0 ? path : `${file.slice(0, slash + 1)}${path}`;
}
