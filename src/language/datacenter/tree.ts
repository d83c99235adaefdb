// A YAML text as a tree of our own: maps, lists and scalars, each with the place where it stands. Nearly all
// files are written in the plain part of YAML, which we read ourselves at once; the others are left to the
// parser for all of it, which is loaded only then.
import { lateModule } from "../../base/program-files.ts";
import { readPlainTree } from "./plain-tree.ts";
import type { Reading } from "./reading.ts";
import type { TreeNode } from "./tree-node.ts";
import type * as WholeYaml from "./whole-yaml.ts";

/** Null when the text is empty or nothing of it could be read. Everything wrong is reported. */
export function parseTree(text: string, file: string, reading: Reading): TreeNode | null {
  const plain = readPlainTree(text, file);
  if (plain !== null) return plain;
  return lateModule<typeof WholeYaml>("language/datacenter/whole-yaml.ts").parseWholeYaml(
    text,
    file,
    reading,
  );
}
