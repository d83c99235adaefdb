// `show|add|del ssl crt-list` (management manual 9.3), in HAProxy's words. Nothing is read from the disk:
// certificates and files that a line names have to be in memory.
import { readCrtListLine } from "../../language/haproxy/crt-list.ts";
import { Report } from "../../language/haproxy/report.ts";
import type { CrtListLine } from "../../model/crt-list.ts";
import type { PreparedConfiguration } from "../messages.ts";
import { type Command, type CommandContext, message } from "./command.ts";
import { findCertificate } from "./material.ts";

export const CRT_LIST_COMMANDS: readonly Command[] = [
  {
    name: "show ssl crt-list",
    usage: "[-n] [<list>]",
    help: "the crt-lists, or the lines of one, with their numbers",
    level: "operator",
    run: show,
  },
  {
    name: "add ssl crt-list",
    usage: "<list> <cert>|<payload>",
    help: "add a line to a crt-list",
    level: "admin",
    run: add,
  },
  {
    name: "del ssl crt-list",
    usage: "<list> <cert[:line]>",
    help: "delete a line of a crt-list",
    level: "admin",
    run: remove,
  },
];

function show(words: readonly string[], { actions }: CommandContext): string {
  const { crtLists } = actions.material.present;
  const isNumbered = words[0] === "-n";
  const word = words[isNumbered ? 1 : 0];
  if (word === undefined) return Object.keys(crtLists).sort().map(message).join("");
  const name = withoutSlashes(word);
  const lines = linesOf(crtLists, name);
  if (lines === null) return message("didn't find the specified filename");
  const texts = lines.map(({ path, line, options, filters }) =>
    [isNumbered ? `${path}:${line}` : path, ...(options === "" ? [] : [`[${options}]`]), ...filters].join(
      " ",
    ),
  );
  return [`# ${name}`, ...texts].map(message).join("");
}

/** Slashes at the end tell a directory, which HAProxy keeps without them. */
function withoutSlashes(word: string): string {
  return word.replace(/\/+$/, "");
}

function linesOf(crtLists: PreparedConfiguration["crtLists"], name: string): readonly CrtListLine[] | null {
  return Object.hasOwn(crtLists, name) ? crtLists[name]! : null;
}

async function add(words: readonly string[], { actions, payload }: CommandContext): Promise<string> {
  const [list, certificate] = words;
  if (list === undefined || (certificate === undefined && payload === null))
    return message("'add ssl crtlist' expects a filename and a certificate name");
  const refuse = (why: string) => message(`Can't edit the crt-list: ${why}`);
  const text = payload === null ? certificate! : payload.replace(/\n$/, "");
  if (text === "" || text.includes("\n")) return refuse("only one line of payload is supported!");
  const name = withoutSlashes(list);
  let added: CrtListLine | null = null;
  const problem = await actions.material.change((present) => {
    const lines = linesOf(present.crtLists, name);
    if (lines === null) return `crt-list '${name}' does not exist!`;
    const line = readLine(present, text);
    if (typeof line === "string") return line;
    added = line;
    const { path } = line;
    // One that was read with its directory is known by its own name from now on.
    const certificates = { ...present.certificates, [path]: findCertificate(present, path)! };
    return { certificates, crtLists: { ...present.crtLists, [name]: [...lines, line] } };
  });
  if (problem !== null) return refuse(problem);
  const dots = ".".repeat(listeners(actions.material.present, name).length);
  const { path } = added as unknown as CrtListLine;
  return message(`Inserting certificate '${path}' in crt-list '${name}'${dots}`) + message("Success!");
}

function readLine(present: PreparedConfiguration, text: string): CrtListLine | string {
  const report = new Report();
  const place = { file: "CLI", line: 1 };
  const line = readCrtListLine(text, 0, place, present.configuration.global.serverDefaults, report);
  const wrong = report.diagnostics.find(({ severity }) => severity === "error");
  if (wrong !== undefined) return `parsing [CLI:1]: ${wrong.message}`;
  if (line === null) return "a certificate is expected";
  const { caFile, caVerifyFile, crlFile } = line.tls;
  const files = { "ca-file": caFile, "ca-verify-file": caVerifyFile, "crl-file": crlFile };
  for (const [keyword, path] of Object.entries(files))
    if (path != null && !Object.hasOwn(present.trust, path)) return `'${keyword}' : unable to load ${path}`;
  const materials = findCertificate(present, line.path);
  if (materials === null) return `certificate '${line.path}' does not exist!`;
  return materials.length === 0 ? `certificate '${line.path}' is empty!` : line;
}

async function remove(words: readonly string[], { actions }: CommandContext): Promise<string> {
  const [list, word] = words;
  if (list === undefined || word === undefined)
    return message("'del ssl crtlist' expects a filename and a certificate name");
  const name = withoutSlashes(list);
  const [, path, number] = /^(.*?)(?::(\d+))?$/s.exec(word)!;
  const problem = await actions.material.change((present) => {
    const lines = linesOf(present.crtLists, name);
    if (lines === null) return `crt-list '${name}' does not exist!`;
    if (findCertificate(present, path!) === null) return `certificate '${path}' does not exist!`;
    const line = chooseLine(lines, path!, number);
    if (typeof line === "string") return line;
    const places = defaultOf(present, name, line);
    if (places.length > 0)
      return (
        `certificate '${path}' cannot be deleted, it is used as default certificate by the following ` +
        `frontends:\n${places.map((place) => `\t- ${place}\n`).join("")}`
      );
    return { crtLists: { ...present.crtLists, [name]: lines.filter((one) => one !== line) } };
  });
  if (problem !== null) return message(`Can't delete the entry: ${problem}`);
  return message(`Entry '${path}' deleted in crtlist '${name}'!`);
}

function chooseLine(
  lines: readonly CrtListLine[],
  path: string,
  number: string | undefined,
): CrtListLine | string {
  const found = lines.filter((line) => line.path === path);
  const numbers = found.map(({ line }) => line).join(", ");
  const [first, second] = number === undefined ? found : found.filter(({ line }) => line === Number(number));
  if (found.length === 0) return `certificate '${path}' is not in the crt-list!`;
  if (first === undefined)
    return (
      `found a certificate '${path}' but the line number is incorrect, please specify a correct line number ` +
      `preceded by colons (${numbers})!`
    );
  if (number === undefined && second !== undefined)
    return (
      `found the certificate '${path}' in several entries, please specify a line number preceded by colons ` +
      `(${numbers})!`
    );
  return first;
}

interface ListListener {
  readonly place: string;
  /** The list is the first that it names. */
  readonly isFirst: boolean;
  readonly strictSni: boolean;
}

function listeners({ configuration }: PreparedConfiguration, list: string): readonly ListListener[] {
  return configuration.proxies.flatMap(({ frontend }) =>
    (frontend?.binds ?? []).flatMap(({ tls, span }) => {
      const at = tls?.certificates.findIndex(({ path, isList }) => isList === true && path === list) ?? -1;
      if (at < 0) return [];
      return [{ place: `${span.file}:${span.line}`, isFirst: at === 0, strictSni: tls!.strictSni }];
    }),
  );
}

/** Where it is what clients without a known name are shown. */
function defaultOf(present: PreparedConfiguration, list: string, line: CrtListLine): readonly string[] {
  const isFirstLine = present.crtLists[list]?.[0] === line;
  return listeners(present, list)
    .filter(({ isFirst, strictSni }) => isFirst && isFirstLine && !strictSni)
    .map(({ place }) => place);
}
