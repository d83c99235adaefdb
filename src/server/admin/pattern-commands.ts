// `show|get|add|del|clear|prepare|commit acl` and the same of `map`, and `set map` (management manual 9.3),
// in HAProxy's words. What is changed here is changed in all workers when the answer comes; a version that is
// being prepared is the master's alone until it is committed.
import type { PatternDefinition } from "../../model/pattern-list.ts";
import type { PatternChange } from "../../proxy/rules/patterns/pattern-change.ts";
import type { PatternEntry } from "../../proxy/rules/patterns/pattern-entry.ts";
import type { PatternList } from "../../proxy/rules/patterns/pattern-list.ts";
import { matchInputType, type PatternMatcher } from "../../proxy/rules/patterns/pattern-matcher.ts";
import { castTo } from "../../proxy/rules/sample-cast.ts";
import { type Command, type CommandContext, type Level, message } from "./command.ts";

type Kind = "acl" | "map";
type Run = (kind: Kind, words: readonly string[], context: CommandContext) => string | Promise<string>;

export const PATTERN_COMMANDS: readonly Command[] = [...commandsOf("acl"), ...commandsOf("map")];

function commandsOf(kind: Kind): readonly Command[] {
  const noun = kind === "acl" ? "acl" : "map";
  const command = (verb: string, usage: string, help: string, level: Level, run: Run): Command => ({
    name: `${verb} ${noun}`,
    usage,
    help,
    level,
    run: (words, context) => run(kind, words, context),
  });
  // The manual lets nobody change anything at the level "user"; HAProxy 2.6 does.
  return [
    command("show", "[@<ver>] [#<id>|<file>]", `${noun}s, or what is in one`, "user", show),
    command("get", `<${noun}> <value>`, `which patterns of ${article(noun)} a value matches`, "user", get),
    command(
      "add",
      kind === "acl" ? "[@<ver>] <acl> <pattern>" : "[@<ver>] <map> {<key> <value>|<payload>}",
      `add to ${article(noun)}`,
      "operator",
      add,
    ),
    ...(kind === "map"
      ? [command("set", "<map> {<key>|#<ref>} <value>", "change the value of a key", "operator", set)]
      : []),
    command("del", `<${noun}> {<key>|#<ref>}`, `delete from ${article(noun)}`, "operator", remove),
    command("clear", `[@<ver>] <${noun}>`, `delete all of ${article(noun)}`, "operator", clear),
    command("prepare", `<${noun}>`, "begin a new version, to be filled and committed", "operator", prepare),
    command("commit", `@<ver> <${noun}>`, "match by a version that was prepared", "operator", commit),
  ];
}

function article(noun: string): string {
  return noun === "acl" ? "an acl" : "a map";
}

function nounOf(kind: Kind): string {
  return kind === "acl" ? "ACL" : "map";
}

function unknown(kind: Kind): string {
  return message(`Unknown ${nounOf(kind)} identifier. Please use #<id> or <file>.`);
}

function find(kind: Kind, word: string | undefined, { actions }: CommandContext): PatternList | null {
  const found = actions.patterns.all.find(({ definition: { id, path } }) =>
    word?.startsWith("#") === true ? `#${id}` === word : path !== null && path === word,
  );
  return found?.isUsedBy(kind) === true ? found : null;
}

/** "@2" in front; null: the version in use. */
function takeVersion(words: readonly string[]): [version: number | null, rest: readonly string[]] {
  if (words[0]?.startsWith("@") !== true) return [null, words];
  return [Number.parseInt(words[0].slice(1), 10) || 0, words.slice(1)];
}

async function show(kind: Kind, words: readonly string[], context: CommandContext): Promise<string> {
  // What workers have on their way to us is to be seen.
  await context.actions.share([]);
  if (words.length === 0) return showAll(kind, context);
  const [version, [word]] = takeVersion(words);
  const list = find(kind, word, context);
  if (list === null) return unknown(kind);
  const entries = version === null ? list.entries : (list.versionOf(version) ?? []);
  return [...entries].map((entry) => message(`${referenceOf(entry)} ${textOf(entry)}`)).join("");
}

function showAll(kind: Kind, { actions }: CommandContext): string {
  const lists = actions.patterns.all.filter((list) => list.isUsedBy(kind));
  const lines = lists.sort((a, b) => a.definition.id - b.definition.id).map(describeList);
  return message("# id (file) description") + lines.map(message).join("");
}

function describeList(list: PatternList): string {
  const { id, path, criterion, hasValues, uses } = list.definition;
  const user = hasValues ? "map" : "acl";
  const places = uses.map(({ span }) => `by ${user} at file '${span.file}' line ${span.line}`);
  const [own] = uses;
  const what =
    path === null
      ? `acl '${criterion}' file '${own?.span.file ?? ""}' line ${own?.span.line ?? 0}`
      : `pattern loaded from file '${path}' used ${places.join(", ")}`;
  // HAProxy counts each entry once for each way of matching.
  const count = list.entries.size * Math.max(1, list.matchers.length);
  const versions = `curr_ver=${list.currentVersion} next_ver=${list.nextVersion}`;
  return `${id} (${path ?? ""}) ${what}. ${versions} entry_cnt=${count}`;
}

/** HAProxy has an address there. */
function referenceOf({ id }: PatternEntry): string {
  return `0x${id.toString(16)}`;
}

function textOf({ key, value }: PatternEntry): string {
  return value === null ? key : `${key} ${value}`;
}

async function get(kind: Kind, words: readonly string[], context: CommandContext): Promise<string> {
  const [word, value] = words;
  if (word === undefined || value === undefined)
    return message(`Missing ${nounOf(kind)} identifier and/or key.`);
  await context.actions.share([]);
  const list = find(kind, word, context);
  if (list === null) return unknown(kind);
  return list.matchers
    .map((matcher) => message(describeMatch(kind, matcher, value, list.isAcl(matcher))))
    .join("");
}

function describeMatch(kind: Kind, matcher: PatternMatcher, value: string, isAcl: boolean): string {
  const { method, ignoreCase } = matcher;
  const input = matchInputType(method);
  const cast = castTo(value, "str", input === "any" ? "str" : input);
  const entry = cast === undefined ? undefined : matcher.find(cast);
  const type = `type=${method}, case=${ignoreCase ? "insensitive" : "sensitive"}`;
  const answer = kind === "acl" ? "match" : "found";
  if (entry === undefined) return `${type}, ${answer}=no`;
  const isTree = ["str", "beg", "ip"].includes(method) && !ignoreCase;
  const index = `${type}, ${answer}=yes, idx=${isTree ? "tree" : "list"}`;
  if (kind === "acl") return `${index}, pattern="${entry.key}"`;
  const found = isAcl || entry.value === null ? "value=none" : `value="${entry.value}", type="str"`;
  return `${index}, key="${entry.key}", ${found}`;
}

function add(kind: Kind, words: readonly string[], context: CommandContext): string | Promise<string> {
  const [version, [word, key, value]] = takeVersion(words);
  const { payload } = context;
  const isComplete =
    kind === "acl"
      ? word !== undefined && key !== undefined && payload === null
      : word !== undefined && (payload === null ? value !== undefined : true);
  if (!isComplete)
    return message(
      kind === "acl"
        ? "'add acl' expects two parameters: ACL identifier and pattern."
        : "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) and a payload",
    );
  const list = findToAdd(kind, word, context);
  if (list === null) return unknown(kind);
  if (kind === "acl" && list.definition.hasValues)
    return message(
      "This ACL is shared with a map containing samples. You must use the command 'add map' to add values.",
    );
  if (version !== null && version > list.nextVersion)
    return message("Version number in the future, please use 'prepare map' before.");
  const entries =
    payload === null
      ? [{ key: key!, value: kind === "acl" ? null : value! }]
      : payload.split("\n").slice(0, -1).map(entryOf);
  return addAll(list, version ?? list.currentVersion, entries, context);
}

/** A list that only maps use is known to `add acl`, which then says what to do. */
function findToAdd(kind: Kind, word: string | undefined, context: CommandContext): PatternList | null {
  return find(kind, word, context) ?? (kind === "acl" ? find("map", word, context) : null);
}

/** A line of a payload; no value behind the key is none. */
function entryOf(line: string): PatternDefinition {
  const match = /^[ \t]*([^ \t]*)[ \t]*(.*)$/.exec(line)!;
  return { key: match[1]!, value: match[2] === "" ? null : match[2]! };
}

/** Up to the first one that cannot be added, of which it is told why. */
async function addAll(
  list: PatternList,
  version: number,
  entries: readonly PatternDefinition[],
  context: CommandContext,
): Promise<string> {
  const changes: PatternChange[] = [];
  let problem = "";
  for (const entry of entries) {
    problem = describeBad(list, entry);
    if (problem !== "") break;
    if (version === list.currentVersion) changes.push({ kind: "add", ...entry });
    else list.addTo(version, entry);
  }
  if (changes.length > 0) await change(list, changes, context);
  return problem === "" ? "" : message(problem);
}

function describeBad(list: PatternList, { key, value }: PatternDefinition): string {
  if (list.definition.hasValues && value === null) return `Missing value for key '${key}'.`;
  const problem = list.describeBadKey(key);
  return problem === null ? "" : `${problem}.`;
}

function change(
  list: PatternList,
  changes: readonly PatternChange[],
  { actions }: CommandContext,
): Promise<void> {
  const place = actions.patterns.indexOf(list);
  return actions.share(changes.map((one) => ({ kind: "pattern", list: place, change: one })));
}

async function set(kind: Kind, words: readonly string[], context: CommandContext): Promise<string> {
  const [word, key, value] = words;
  if (word === undefined || key === undefined || value === undefined)
    return message("'set map' expects three parameters: map identifier, key and value.");
  await context.actions.share([]);
  const list = find(kind, word, context);
  if (list === null) return unknown(kind);
  const chosen = choose(list, key);
  if (chosen === null) return message("entry not found.");
  await change(list, [{ kind: "set", ...chosen, value }], context);
  return "";
}

async function remove(kind: Kind, words: readonly string[], context: CommandContext): Promise<string> {
  const [word, key] = words;
  if (word === undefined || key === undefined)
    return message(`This command expects two parameters: ${nounOf(kind)} identifier and key.`);
  await context.actions.share([]);
  const list = find(kind, word, context);
  if (list === null) return unknown(kind);
  const chosen = choose(list, key);
  if (chosen === null) return message("Key not found.");
  await change(list, [{ kind: "delete", ...chosen }], context);
  return "";
}

/** "#0x1f" is one entry; all else a key, which several may have. Null: there is none. */
function choose(list: PatternList, word: string): { key: string; occurrence: number | null } | null {
  if (!word.startsWith("#"))
    return list.entriesOf(word).length === 0 ? null : { key: word, occurrence: null };
  const entry = [...list.entries].find((one) => `#${referenceOf(one)}` === word.toLowerCase());
  return entry === undefined
    ? null
    : { key: entry.key, occurrence: list.entriesOf(entry.key).indexOf(entry) };
}

async function clear(kind: Kind, words: readonly string[], context: CommandContext): Promise<string> {
  const [version, [word]] = takeVersion(words);
  if (word === undefined) return message(`Missing ${nounOf(kind)} identifier.`);
  const list = find(kind, word, context);
  if (list === null) return unknown(kind);
  if (version === null || version === list.currentVersion)
    await change(list, [{ kind: "replace", entries: [] }], context);
  else list.clearVersion(version);
  return "";
}

function prepare(kind: Kind, words: readonly string[], context: CommandContext): string {
  const list = find(kind, words[0], context);
  return list === null ? unknown(kind) : message(`New version created: ${list.prepareVersion()}`);
}

async function commit(kind: Kind, words: readonly string[], context: CommandContext): Promise<string> {
  const [version, [word]] = takeVersion(words);
  if (version === null) return message("Missing version number.");
  const list = find(kind, word, context);
  if (list === null) return unknown(kind);
  const entries = list.commitVersion(version);
  if (entries === null) return message("Version number out of range.");
  await change(list, [{ kind: "replace", entries }], context);
  return "";
}
