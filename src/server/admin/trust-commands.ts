// `show|new|set|add|commit|abort|del ssl ca-file` and the same of `crl-file` (management manual 9.3), in
// HAProxy's words. Both are files of which only the kind of content differs.
import { parseRevocationLists, type RevocationList } from "../certificates/revocation-list.ts";
import type { PreparedConfiguration } from "../messages.ts";
import { trustFilesOf } from "../prepare.ts";
import { type Command, type CommandContext, message } from "./command.ts";
import { describeCertificate, parseChain } from "./describe-certificate.ts";
import { countUsers, type MaterialTransactions, type TrustKind } from "./material.ts";

interface Kind {
  readonly kind: TrustKind;
  /** How HAProxy calls it. */
  readonly noun: string;
  readonly contents: string;
  /** Of each item a description; null when the text has none, or a damaged one. */
  describe(pem: string): readonly string[] | null;
}

const KINDS: readonly Kind[] = [
  {
    kind: "ca-file",
    noun: "CA",
    contents: "CAs",
    describe: (pem) =>
      parseChain(pem)?.map((one, i) => message(`Certificate #${i + 1}:`) + describeCertificate(one)) ?? null,
  },
  {
    kind: "crl-file",
    noun: "CRL",
    contents: "CRLs",
    describe: (pem) => parseRevocationLists(pem)?.map(describeList) ?? null,
  },
];

export const TRUST_COMMANDS: readonly Command[] = KINDS.flatMap(commandsOf);

function commandsOf(kind: Kind): readonly Command[] {
  const { noun } = kind;
  const file = `<${noun.toLowerCase()}file>`;
  const admin = (verb: string, usage: string, help: string, run: TrustCommand): Command => ({
    name: `${verb} ssl ${kind.kind}`,
    usage,
    help,
    level: "admin",
    run: (words, context) => run(kind, words, context),
  });
  return [
    {
      name: `show ssl ${kind.kind}`,
      usage: `[${file}[:<index>]]`,
      help: `the ${noun} files in memory, or what is in one`,
      level: "operator",
      run: (words, context) => show(kind, words, context),
    },
    admin("new", file, `a place for a ${noun} file, to be set and then used in a crt-list`, create),
    admin("set", `${file} <payload>`, `begin to replace a ${noun} file`, (...call) => set(...call, false)),
    admin("add", `${file} <payload>`, `begin to add to a ${noun} file`, (...call) => set(...call, true)),
    admin("commit", file, "serve by what was set", commit),
    admin("abort", file, "forget what was set", abort),
    admin("del", file, `delete a ${noun} file that is not used`, remove),
  ];
}

type TrustCommand = (
  kind: Kind,
  words: readonly string[],
  context: CommandContext,
) => string | Promise<string>;

function show(kind: Kind, [word]: readonly string[], { actions }: CommandContext): string {
  const { present, transactions } = actions.material;
  const pending = transactions.trust.get(kind.kind);
  const line = (name: string, pem: string) =>
    message(kind.kind === "crl-file" ? name : `${name} - ${kind.describe(pem)?.length ?? 0} certificate(s)`);
  if (word === undefined) {
    const begun =
      pending === undefined ? "" : message("# transaction") + line(`*${pending.name}`, pending.pem);
    const names = namesOf(kind, present, transactions);
    return begun + message("# filename") + names.map((name) => line(name, present.trust[name]!)).join("");
  }
  const [, name, index] = /^(.*?)(?::(\d+))?$/s.exec(word)!;
  const isPending = pending !== undefined && name === `*${pending.name}`;
  const pem = isPending ? pending.pem : knownPem(kind, present, transactions, name!);
  if (pem === null) return message(`Can't display the ${kind.noun} file : Not found!`);
  const items = kind.describe(pem) ?? [];
  const isUsed = !isPending && usedTrust(present).has(name!);
  const status = items.length === 0 ? "Empty" : isUsed ? "Used" : "Unused";
  const shown = index === undefined ? items : items.slice(Number(index) - 1, Number(index));
  const head = message(`Filename: ${name}`) + message(`Status: ${status}`);
  return head + shown.map((item) => message(" ") + item).join("");
}

/** A new file has no content to be known by, and one in use may have lost it. */
function namesOf(
  kind: Kind,
  present: PreparedConfiguration,
  { kinds }: MaterialTransactions,
): readonly string[] {
  const isList = (pem: string) => pem.includes("-----BEGIN X509 CRL-----");
  return Object.entries(present.trust)
    .filter(([name, pem]) => (kinds.get(name) ?? (isList(pem) ? "crl-file" : "ca-file")) === kind.kind)
    .map(([name]) => name)
    .sort();
}

function knownPem(
  kind: Kind,
  present: PreparedConfiguration,
  transactions: MaterialTransactions,
  name: string,
): string | null {
  return namesOf(kind, present, transactions).includes(name) ? present.trust[name]! : null;
}

function usedTrust(present: PreparedConfiguration): Set<string> {
  const { configuration, crtLists } = present;
  const users = [
    ...configuration.proxies.flatMap(({ frontend, backend }) => [
      ...(frontend?.binds ?? []).map(({ tls }) => tls),
      ...(backend?.servers ?? []).map(({ tls }) => tls),
    ]),
    ...Object.values(crtLists).flatMap((lines) => lines.map(({ tls }) => tls)),
  ];
  return new Set(users.flatMap((tls) => trustFilesOf(tls)));
}

async function create(kind: Kind, [name]: readonly string[], { actions }: CommandContext): Promise<string> {
  if (name === undefined) return message(`'new ssl ${kind.kind}' expects a filename`);
  const { transactions } = actions.material;
  const problem = await actions.material.change((present) => {
    if (Object.hasOwn(present.trust, name)) return `${kind.noun} file '${name}' already exists!`;
    return { trust: { ...present.trust, [name]: "" } };
  });
  if (problem !== null) return message(problem);
  transactions.kinds.set(name, kind.kind);
  return message(`New ${kind.noun} file created '${name}'!`);
}

function set(
  kind: Kind,
  [name]: readonly string[],
  { actions, payload }: CommandContext,
  isAdded: boolean,
): string {
  const verb = isAdded ? "add" : "set";
  if (name === undefined || payload === null)
    return message(`'${verb} ssl ${kind.kind} expects a filename and ${kind.contents} as a payload`);
  const refuse = (why: string) => message(why) + message(`Can't update ${name}!`);
  const { present, transactions } = actions.material;
  const pending = transactions.trust.get(kind.kind);
  if (pending !== undefined && pending.name !== name)
    return refuse(`The ongoing transaction is about '${pending.name}' but you are trying to set '${name}'`);
  const known = knownPem(kind, present, transactions, name);
  if (known === null)
    return refuse(`Can't replace a ${kind.noun} file which is not referenced by the configuration!`);
  if (kind.describe(payload) === null) return refuse("Invalid payload");
  const before = isAdded ? (pending?.pem ?? known) : "";
  const pem = before === "" ? payload : `${before.trimEnd()}\n${payload}`;
  transactions.trust.set(kind.kind, { name, pem });
  return message(`transaction ${pending === undefined ? "created" : "updated"} for ${kind.noun} ${name}!`);
}

async function commit(kind: Kind, [name]: readonly string[], { actions }: CommandContext): Promise<string> {
  if (name === undefined) return message(`'commit ssl ${kind.kind} expects a filename`);
  const refuse = (why: string) => message(why) + message(`Can't commit ${name}!`);
  const { present, transactions } = actions.material;
  const pending = transactions.trust.get(kind.kind);
  if (pending === undefined) return refuse("No ongoing transaction! !");
  if (pending.name !== name)
    return refuse(`The ongoing transaction is about '${pending.name}' but you are trying to set '${name}'`);
  const problem = await actions.material.change((now) => ({ trust: { ...now.trust, [name]: pending.pem } }));
  if (problem !== null) return refuse(problem);
  transactions.kinds.set(name, kind.kind);
  if (transactions.trust.get(kind.kind) === pending) transactions.trust.delete(kind.kind);
  const dots = ".".repeat(countUsers(present, ({ trust }) => trust.includes(name)));
  return message(`Committing ${name}${dots}`) + message("Success!");
}

function abort(kind: Kind, [name]: readonly string[], { actions }: CommandContext): string {
  if (name === undefined) return message(`'abort ssl ${kind.kind}' expects a filename`);
  const { trust } = actions.material.transactions;
  const pending = trust.get(kind.kind);
  if (pending === undefined) return message("No ongoing transaction!");
  if (pending.name !== name)
    return message(
      `The ongoing transaction is about '${pending.name}' but you are trying to abort a transaction for '${name}'`,
    );
  trust.delete(kind.kind);
  return message(`Transaction aborted for certificate '${name}'!`);
}

async function remove(kind: Kind, [name]: readonly string[], { actions }: CommandContext): Promise<string> {
  if (name === undefined) return message(`'del ssl ${kind.kind}' expects a ${kind.noun} file name`);
  const { transactions } = actions.material;
  const problem = await actions.material.change((present) => {
    if (knownPem(kind, present, transactions, name) === null)
      return `${kind.noun} file '${name}' doesn't exist!`;
    if (usedTrust(present).has(name)) return `${kind.noun} file '${name}' in use, can't be deleted!`;
    const { [name]: _deleted, ...trust } = present.trust;
    return { trust };
  });
  if (problem !== null) return message(`Can't remove the ${kind.noun} file: ${problem}\n`);
  transactions.kinds.delete(name);
  return message(`${kind.noun} file '${name}' deleted!`);
}

function describeList(list: RevocationList, index: number): string {
  const revoked = list.revoked.flatMap(({ serial, revokedAtMs }) => [
    `    Serial Number: ${serial}`,
    `        Revocation Date: ${formatTime(revokedAtMs)}`,
  ]);
  const lines = [
    `Certificate Revocation List #${index + 1}:`,
    `Version ${list.version}`,
    `Signature Algorithm: ${list.signatureAlgorithm}`,
    `Issuer: ${list.issuer}`,
    `Last Update: ${formatTime(list.lastUpdateMs)}`,
    `Next Update: ${list.nextUpdateMs === null ? "NONE" : formatTime(list.nextUpdateMs)}`,
    ...(revoked.length === 0 ? ["No Revoked Certificates."] : ["Revoked Certificates:", ...revoked]),
  ];
  return lines.map(message).join("");
}

/** OpenSSL's "Sep  8 14:34:27 2048 GMT". */
function formatTime(ms: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/.exec(
    new Date(ms).toUTCString(),
  )!;
  return `${month} ${String(Number(day)).padStart(2)} ${time} ${year} GMT`;
}
