// Damages datacentre files as hands, editors and scripts do: words replaced by others that stand in such
// files, lines moved, indented and doubled, brackets and quotes lost, odd characters put in. The same seed
// gives the same damage.
import { readdirSync, readFileSync } from "node:fs";
import { starterFile } from "./starter.ts";

/** 0 up to 1, not included. */
export type Chance = () => number;

/** Mulberry32. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(items: readonly T[], chance: Chance): T {
  return items[Math.floor(chance() * items.length)]!;
}

/** The starter file, the examples, and the inputs of the goldens, by name. */
export function knownFiles(): ReadonlyMap<string, string> {
  const files = new Map([["starter.yaml", starterFile()]]);
  const folders = [
    new URL("golden/", import.meta.url),
    new URL("../../../examples/network/", import.meta.url),
  ];
  for (const folder of folders) {
    for (const name of readdirSync(folder))
      files.set(name, readFileSync(new URL(name, folder), "utf8").split("----\n")[0]!);
  }
  const company = new URL("../../../examples/company/datacenter.yaml", import.meta.url);
  return files.set("company.yaml", readFileSync(company, "utf8"));
}

const ODD: readonly string[] = [
  ..."\t{}[]\"'&*!|>%@`#:,-?~\\\r\n\0\u0007\u0085\u2028\ufeff\ud800 é🙂",
  ": ",
  " #",
  "---\n",
  "...\n",
  "<<: ",
  "&a ",
  "*a",
  "? ",
  "!!str ",
  "${",
  `\${X}`,
  "$${",
  `\${A-b}`,
  "|\n",
  ">-\n",
  "999999999999999999999",
  "-1",
  "1e9",
  "0x10",
  "010",
  ".inf",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "true",
];

export function mutate(text: string, words: readonly string[], chance: Chance): string {
  let result = text;
  const count = 1 + Math.floor(chance() * 6);
  for (let turn = 0; turn < count; turn++) result = mutateOnce(result, words, chance);
  return result;
}

function mutateOnce(text: string, words: readonly string[], chance: Chance): string {
  const at = Math.floor(chance() * (text.length + 1));
  const lines = text.split("\n");
  const index = Math.floor(chance() * lines.length);
  const line = lines[index]!;
  switch (Math.floor(chance() * 10)) {
    case 0:
      return text.slice(0, at) + pick(ODD, chance) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + Math.floor(chance() * 3));
    case 2:
      return lines.toSpliced(index, 1).join("\n");
    case 3:
      return lines.toSpliced(Math.floor(chance() * lines.length), 0, line).join("\n");
    case 4:
      return lines.with(index, " ".repeat(Math.floor(chance() * 9)) + line.trimStart()).join("\n");
    case 5:
      return lines
        .with(
          index,
          line.replace(/[^\s:{},[\]]+/, () => pick(words, chance)),
        )
        .join("\n");
    case 6:
      return lines
        .with(
          index,
          line.replace(/[^\s:{},[\]]+(?=[\s,\]}]*$)/, () => pick(words, chance)),
        )
        .join("\n");
    case 7:
      return lines
        .with(
          index,
          line.replace(/: .*$/, () => `: ${pick(ODD, chance)}`),
        )
        .join("\n");
    case 8:
      return chance() < 0.1
        ? text.slice(0, at)
        : lines.with(index, `${line}${pick(words, chance)}`).join("\n");
    default:
      return chance() < 0.1
        ? text.replaceAll("\n", "\r\n")
        : text.replace(pick(words, chance), () => pick(words, chance));
  }
}

/** Keys and values that stand in `files`. */
export function wordsOf(files: Iterable<string>): string[] {
  const words = new Set<string>();
  for (const text of files) for (const [word] of text.matchAll(/[^\s:{},[\]"'#]+/g)) words.add(word);
  return [...words];
}
