// One tree of several files: what a file includes is merged by key, and variables are put into its values.
// Places stay those of the text.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { Report } from "./report.ts";
import { type MapEntry, type MapNode, parseTree, type ScalarNode, type TreeNode } from "./tree.ts";

export interface DatacenterEnvironment {
  /** Environment variables; one that is not set is absent or undefined. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Text of a file that is included; null when it cannot be read. */
  readFile(path: string): string | null;
  /** Files that a pattern with `*` stands for, in order. */
  listFiles(pattern: string): readonly string[];
}

export interface SourceFile {
  /** As the user gave it; appears in spans. */
  readonly name: string;
  readonly text: string;
}

const FILES_MAX = 1000;

/** Reads `files` and all that they include. `sources` gets the text of each. */
export function gatherTree(
  files: readonly SourceFile[],
  environment: DatacenterEnvironment,
  report: Report,
  sources: Map<string, string>,
): MapNode {
  const gathering = new Gathering(environment, report, sources);
  for (const file of files) gathering.add(file, []);
  return gathering.finish();
}

class Gathering {
  readonly #environment: DatacenterEnvironment;
  readonly #report: Report;
  readonly #sources: Map<string, string>;
  readonly #entries = new Map<string, MapEntry>();
  #root: MapNode["span"] = NO_SPAN;

  constructor(environment: DatacenterEnvironment, report: Report, sources: Map<string, string>) {
    this.#environment = environment;
    this.#report = report;
    this.#sources = sources;
  }

  add({ name, text }: SourceFile, path: readonly string[]): void {
    this.#sources.set(name, text);
    const tree = parseTree(text, name, this.#report);
    if (tree === null) return;
    if (this.#root.line === 0) this.#root = tree.span;
    if (tree.kind !== "map") {
      this.#report.error("wrong-kind", tree.span, "a datacentre file is made of `key: value` lines");
      return;
    }
    for (const entry of tree.entries) {
      if (entry.key.text === "include") this.#include(entry.value, name, [...path, name]);
      else this.#merge(entry);
    }
  }

  finish(): MapNode {
    const variables = this.#variables();
    const entries = [...this.#entries.values()].map(({ key, value }) => ({
      key,
      value: key.text === "variables" ? value : this.#substitute(value, variables),
    }));
    return { kind: "map", entries, span: this.#root };
  }

  #include(node: TreeNode, includedBy: string, path: readonly string[]): void {
    const items = node.kind === "list" ? node.items : [node];
    for (const item of items) {
      if (item.kind !== "scalar" || item.isEmpty) {
        this.#report.error("wrong-kind", item.span, "a file's name is expected here");
        continue;
      }
      const wanted = besideFile(includedBy, item.text);
      const names = wanted.includes("*") ? this.#environment.listFiles(wanted) : [wanted];
      for (const name of names) this.#includeFile(name, item, path);
    }
  }

  #includeFile(name: string, item: ScalarNode, path: readonly string[]): void {
    if (path.includes(name)) {
      this.#report.error("include-cycle", item.span, `${name} includes itself, by way of ${path.join(", ")}`);
      return;
    }
    if (this.#sources.has(name)) return;
    if (this.#sources.size >= FILES_MAX) {
      this.#report.error("include-cycle", item.span, `more than ${FILES_MAX} files`);
      return;
    }
    const text = this.#environment.readFile(name);
    if (text === null)
      this.#report.error("include-unreadable", item.span, `there is no file '${name}' to include`);
    else this.add({ name, text }, path);
  }

  /** Maps of several files become one map, lists one list. */
  #merge(entry: MapEntry): void {
    const first = this.#entries.get(entry.key.text);
    if (first === undefined) {
      this.#entries.set(entry.key.text, entry);
      return;
    }
    const [a, b] = [first.value, entry.value];
    if (a.kind === "list" && b.kind === "list") {
      this.#entries.set(entry.key.text, { key: first.key, value: { ...a, items: [...a.items, ...b.items] } });
    } else if (a.kind === "map" && b.kind === "map") {
      const names = new Map(a.entries.map(({ key }) => [key.text, key.span]));
      const added = b.entries.filter(({ key }) => {
        const other = names.get(key.text);
        if (other === undefined) return true;
        this.#report.error("duplicate-key", key.span, `\`${key.text}\` is there twice`, {
          related: [{ span: other, message: "the first is here" }],
        });
        return false;
      });
      this.#entries.set(entry.key.text, {
        key: first.key,
        value: { ...a, entries: [...a.entries, ...added] },
      });
    } else if (b.kind !== "scalar" || !b.isEmpty) {
      if (a.kind === "scalar" && a.isEmpty) this.#entries.set(entry.key.text, entry);
      else {
        this.#report.error("duplicate-key", entry.key.span, `\`${entry.key.text}\` is there twice`, {
          related: [{ span: first.key.span, message: "the first is here" }],
        });
      }
    }
  }

  #variables(): ReadonlyMap<string, string> {
    const node = this.#entries.get("variables")?.value;
    const values = new Map<string, string>();
    for (const { key, value } of node?.kind === "map" ? node.entries : []) {
      if (value.kind === "scalar") values.set(key.text, value.text);
      else this.#report.error("wrong-kind", value.span, "a variable is a text");
    }
    return values;
  }

  #substitute(node: TreeNode, variables: ReadonlyMap<string, string>): TreeNode {
    switch (node.kind) {
      case "map": {
        const entries = node.entries.map(({ key, value }) => ({
          key,
          value: this.#substitute(value, variables),
        }));
        return { ...node, entries };
      }
      case "list":
        return { ...node, items: node.items.map((item) => this.#substitute(item, variables)) };
      case "scalar":
        return node.text.includes("${") ? { ...node, text: this.#expand(node, variables) } : node;
    }
  }

  /** `${name}` and `${NAME-default}`: first the file's own variables, then the environment. */
  #expand(node: ScalarNode, variables: ReadonlyMap<string, string>): string {
    return node.text.replace(/\$\{([^}]*)\}/g, (whole, inside: string) => {
      const dash = inside.indexOf("-");
      const isOwn = variables.has(inside);
      const name = isOwn || dash < 0 ? inside : inside.slice(0, dash);
      const value = variables.get(name) ?? this.#environment.variables[name];
      if (value !== undefined) return value;
      if (dash >= 0 && !isOwn) return inside.slice(dash + 1);
      this.#report.error("unknown-variable", node.span, `there is no variable \`${name}\``, {
        help: suggestWord(name, variables.keys()) ?? "Set it under `variables:`, or in the environment.",
      });
      return whole;
    });
  }
}

/** A path that a file names: relative to the folder of that file. */
export function besideFile(file: string, path: string): string {
  if (path.startsWith("/")) return path;
  const slash = file.lastIndexOf("/");
  return slash < 0 ? path : `${file.slice(0, slash + 1)}${path}`;
}
