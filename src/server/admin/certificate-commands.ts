// `show|new|set|commit|abort|del ssl cert` (management manual 9.3), in HAProxy's words.
import { createPrivateKey, type KeyObject } from "node:crypto";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { pairKeysWithChains } from "../certificates/chain.ts";
import { type IssuerChain, issuerChainOf } from "../certificates/issuer-chains.ts";
import { openKeyFile } from "../certificates/key-file.ts";
import type { PreparedConfiguration } from "../messages.ts";
import { type Command, type CommandContext, message } from "./command.ts";
import { describeCertificate, parseChain } from "./describe-certificate.ts";
import {
  type CertificateTransaction,
  certificateNames,
  countUsers,
  findCertificate,
  isCertificateUsed,
} from "./material.ts";

const FILE = "<certfile>";

export const CERTIFICATE_COMMANDS: readonly Command[] = [
  {
    name: "show ssl cert",
    usage: "[<certfile>]",
    help: "the certificates in memory, or what one says",
    level: "operator",
    run: show,
  },
  {
    name: "new ssl cert",
    usage: FILE,
    help: "a place for a certificate, to be set and then used in a crt-list",
    level: "admin",
    run: create,
  },
  {
    name: "set ssl cert",
    usage: `${FILE} <payload>`,
    help: "begin to replace a certificate, its key, or both",
    level: "admin",
    run: set,
  },
  {
    name: "commit ssl cert",
    usage: FILE,
    help: "serve by what was set",
    level: "admin",
    run: commit,
  },
  { name: "abort ssl cert", usage: FILE, help: "forget what was set", level: "admin", run: abort },
  {
    name: "del ssl cert",
    usage: FILE,
    help: "delete a certificate that is not used",
    level: "admin",
    run: remove,
  },
];

function show([name]: readonly string[], { actions }: CommandContext): string {
  const { present, transactions } = actions.material;
  const pending = transactions.certificate;
  if (name === undefined) {
    const begun = pending === null ? "" : message("# transaction") + message(`*${pending.name}`);
    return begun + message("# filename") + certificateNames(present).map(message).join("");
  }
  if (pending !== null && name === `*${pending.name}`)
    return message(`Filename: ${name}`) + message("Status: Unused") + describeStored(pending.chain);
  const found = findCertificate(present, name);
  if (found === null || found.length > 1)
    return message("Can't display the certificate: Not found or the certificate is a bundle!");
  const [material] = found;
  const status = material === undefined ? "Empty" : isCertificateUsed(present, name) ? "Used" : "Unused";
  const chain = material === undefined ? [] : (parseChain(material.certificatePem) ?? []);
  const completion = material === undefined ? null : issuerChainOf(material, present.issuers);
  return message(`Filename: ${name}`) + message(`Status: ${status}`) + describeStored(chain, completion);
}

function describeStored(
  chain: CertificateTransaction["chain"],
  completion: IssuerChain | null = null,
): string {
  const [leaf, ...own] = chain;
  const issuers = completion === null ? own : (parseChain(completion.pem) ?? []);
  // HAProxy writes the space behind the colon also where nothing follows.
  const facts = leaf === undefined ? "" : describeCertificate(leaf);
  return (
    (completion === null ? "" : message(`Chain Filename: ${completion.file}`)) +
    facts +
    issuers.map((one) => describeCertificate(one, "Chain ")).join("") +
    message("OCSP Response Key: ")
  );
}

async function create([name]: readonly string[], { actions }: CommandContext): Promise<string> {
  if (name === undefined) return message("'new ssl cert' expects a filename");
  const problem = await actions.material.change((present) =>
    findCertificate(present, name) !== null
      ? `Certificate '${name}' already exists!`
      : { certificates: { ...present.certificates, [name]: [] } },
  );
  return message(problem ?? `New empty certificate store '${name}'!`);
}

async function remove([name]: readonly string[], { actions }: CommandContext): Promise<string> {
  if (name === undefined) return message("'del ssl cert' expects a certificate name");
  const problem = await actions.material.change((present) => {
    if (findCertificate(present, name) === null) return `certificate '${name}' doesn't exist!`;
    if (isCertificateUsed(present, name)) return `certificate '${name}' in use, can't be deleted!`;
    const { [name]: _deleted, ...certificates } = present.certificates;
    return { certificates };
  });
  if (problem !== null) return message(`Can't remove the certificate: ${problem}\n`);
  return message(`Certificate '${name}' deleted!`);
}

function set([word]: readonly string[], { actions, payload }: CommandContext): string {
  if (word === undefined || payload === null)
    return message("'set ssl cert expects a filename and a certificate as a payload");
  const refuse = (why: string) => message(why) + message(`Can't update ${word}!`);
  const { present, transactions } = actions.material;
  const pending = transactions.certificate;
  const name = certificateOf(present, word);
  if (pending !== null && pending.name !== (name ?? word))
    return refuse(
      `The ongoing transaction is about '${pending.name}' but you are trying to set '${name ?? word}'`,
    );
  if (name === null)
    return refuse("Can't replace a certificate which is not referenced by the configuration!");
  const base = pending ?? transactionFor(present, name);
  const changed = word === name ? readWhole(name, payload) : readKey(base, payload);
  if (changed === null)
    return refuse(
      `unable to load ${word === name ? "certificate" : "private key"} from file '${word}'.\nCan't load the payload`,
    );
  transactions.certificate = changed;
  return message(`Transaction ${pending === null ? "created" : "updated"} for certificate ${name}!`);
}

/** `NAME.key` stands for the key of `NAME`, or of the certificate that has another ending instead. */
function certificateOf(present: PreparedConfiguration, word: string): string | null {
  if (findCertificate(present, word) !== null) return word;
  if (!word.endsWith(".key")) return null;
  const base = word.slice(0, -".key".length);
  if (findCertificate(present, base) !== null) return base;
  return certificateNames(present).find((name) => name.replace(/\.[^./]+$/, "") === base) ?? null;
}

function transactionFor(present: PreparedConfiguration, name: string): CertificateTransaction {
  const [material] = findCertificate(present, name) ?? [];
  const chain = material === undefined ? null : parseChain(material.certificatePem);
  return { name, chain: chain ?? [], keyPem: material?.keyPem ?? null, dhPem: material?.dhPem ?? null };
}

/** A certificate, its chain, and its key if that comes along. */
function readWhole(name: string, payload: string): CertificateTransaction | null {
  const opened = openKeyFile(Buffer.from(payload, "latin1"), null);
  if (!opened.ok || opened.value.certificates.length === 0) return null;
  const { keys, certificates, dhPem = null } = opened.value;
  const [pair] = pairKeysWithChains(keys, certificates);
  const key = pair?.key ?? keys[0];
  const keyPem = key === undefined ? null : exportKey(key);
  return { name, chain: pair?.chain ?? certificates, keyPem, dhPem };
}

function readKey(base: CertificateTransaction, payload: string): CertificateTransaction | null {
  const opened = openKeyFile(Buffer.from(payload, "latin1"), null);
  const key = opened.ok ? opened.value.keys[0] : undefined;
  return key === undefined ? null : { ...base, keyPem: exportKey(key) };
}

function exportKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

async function commit([name]: readonly string[], { actions }: CommandContext): Promise<string> {
  if (name === undefined) return message("'commit ssl cert expects a filename");
  const { transactions, present } = actions.material;
  const refuse = (why: string) => message(why) + message(`Can't commit ${name}!`);
  const pending = transactions.certificate;
  if (pending === null) return refuse("No ongoing transaction! !");
  if (pending.name !== name)
    return refuse(`The ongoing transaction is about '${pending.name}' but you are trying to set '${name}'`);
  const material = materialOf(pending);
  if (typeof material === "string") return refuse(material);
  const problem = await actions.material.change((now) => ({ certificates: replaced(now, name, material) }));
  if (problem !== null) return refuse(problem);
  // Whoever has begun another one meanwhile keeps it.
  if (transactions.certificate === pending) transactions.certificate = null;
  const dots = ".".repeat(countUsers(present, ({ certificate }) => certificate === name));
  return message(`Committing ${name}${dots}`) + message("Success!");
}

function materialOf({ name, chain, keyPem, dhPem }: CertificateTransaction): CertificateMaterial | string {
  const [leaf] = chain;
  if (leaf === undefined || keyPem === null)
    return "The transaction must contain at least a certificate and a private key!";
  if (!leaf.checkPrivateKey(createPrivateKey(keyPem)))
    return `inconsistencies between private key and certificate loaded '${name}'.`;
  const certificatePem = chain.map((one) => `${one.toString().trimEnd()}\n`).join("");
  return { name, certificatePem, keyPem, ...(dhPem === null ? {} : { dhPem }) };
}

/** Under every path that stands for it: a file may be named by itself and by its directory. */
function replaced(
  { certificates }: PreparedConfiguration,
  name: string,
  material: CertificateMaterial,
): PreparedConfiguration["certificates"] {
  const entries = Object.entries(certificates).map(([path, materials]) => [
    path,
    path === name ? [material] : materials.map((one) => (one.name === name ? material : one)),
  ]);
  return Object.fromEntries(entries) as PreparedConfiguration["certificates"];
}

function abort([name]: readonly string[], { actions }: CommandContext): string {
  if (name === undefined) return message("'abort ssl cert' expects a filename");
  const { transactions } = actions.material;
  const pending = transactions.certificate;
  if (pending === null) return message("No ongoing transaction!");
  if (pending.name !== name)
    return message(
      `The ongoing transaction is about '${pending.name}' but you are trying to abort a transaction for '${name}'`,
    );
  transactions.certificate = null;
  return message(`Transaction aborted for certificate '${name}'!`);
}
