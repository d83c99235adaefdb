// Links in the documents: each relative one leads to a file that is there and, where it names one, to a
// heading in it.
import { posix } from "node:path";
import { errorAt, type Finding, lineAt, type Tree } from "./finding.ts";

const LINK = /\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^\[[^\]]+\]:\s*(\S+)/gm;

/** `exists` answers for files that are no text and for folders. */
export function checkLinks(tree: Tree, exists: (path: string) => boolean): Finding[] {
  const findings: Finding[] = [];
  for (const [file, text] of tree) {
    if (!file.endsWith(".md")) continue;
    for (const match of withoutCode(text).matchAll(LINK)) {
      const message = faultOfLink(tree, exists, file, match[1] ?? match[2]!);
      if (message !== null) findings.push(errorAt(file, lineAt(text, match.index), message));
    }
  }
  return findings;
}

function faultOfLink(
  tree: Tree,
  exists: (path: string) => boolean,
  file: string,
  link: string,
): string | null {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(link)) return null;
  if (link.startsWith("/")) return `the link ${link} is not relative`;
  const [path, heading] = link.split("#");
  const target = path === "" ? file : posix.join(posix.dirname(file), decodeURIComponent(path!));
  if (!tree.has(target) && !exists(target)) return `the link ${link} leads nowhere`;
  const text = tree.get(target);
  if (heading === undefined || heading === "" || text === undefined || !target.endsWith(".md")) return null;
  return headingsOf(text).has(heading.toLowerCase()) ? null : `${target} has no heading #${heading}`;
}

/** The anchors that GitHub gives a document's headings. */
function headingsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading] of withoutCodeBlocks(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replace(/[^\p{Letter}\p{Number}\s_-]/gu, "").replace(/\s/g, "-");
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

function withoutCode(text: string): string {
  return withoutCodeBlocks(text).replace(/`[^`\n]*`/g, (code) => " ".repeat(code.length));
}

function withoutCodeBlocks(text: string): string {
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, (code) => code.replace(/[^\n]/g, " "));
}
