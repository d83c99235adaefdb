// `sallyport convert certificate`: a certificate with its key, as IIS exports it, as the PEM that HAProxy
// wants. The result holds a private key in the clear, so only its owner may read it.
import {
  closeSync,
  existsSync,
  fchmodSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { parseArgs } from "node:util";
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import { NO_SPAN } from "../diagnostic/span.ts";
import { certificateFacts } from "../server/certificates/certificate-facts.ts";
import {
  type CertificateReading,
  PASSWORD_VARIABLE,
  readCertificate,
  toPem,
} from "../server/certificates/read-certificate.ts";
import { makeSelfSigned } from "../server/certificates/self-signed.ts";
import type { CertificateMaterial } from "../transport/contract.ts";
import { colour, columns, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport convert certificate IN [OUT.pem] [options]
       sallyport convert certificate --self-signed NAME… OUT.pem

Writes the certificate in IN, its chain and its private key as one PEM file for HAProxy: the certificate first, then its
issuers, then the key without a password. IN is a PFX/PKCS#12 file, old Windows exports included, or a PEM file.
OUT.pem is IN with the ending .pem when it is not given, and "-" is standard output. Only its owner may read the file.

With --self-signed it makes a new key and a certificate that vouches for itself, for trying things until the real one
is there. NAME is a host name or an address.

Options:
  --password-file FILE  the first line of FILE is IN's password
  --self-signed NAME    make one for this name; may be given several times
  --force               replace OUT.pem when it is there
  -h, --help            show this

Without --password-file the password is read from IN.password, else from ${PASSWORD_VARIABLE}, else asked for.
`;

const ATTEMPTS_MAX = 3;

interface Request {
  /** Null: `selfSignedNames` get a new one. */
  readonly input: string | null;
  readonly selfSignedNames: readonly string[];
  readonly output: string;
  readonly passwordFile: string | null;
  readonly isForced: boolean;
}

/** Returns the exit code: 0 when the file was written, 1 when not; the reason is on the terminal. */
export async function convertCertificate(args: readonly string[], terminal: Terminal): Promise<number> {
  const request = parseRequest(args);
  if (request === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (typeof request === "string")
    return complain(terminal, request, "see sallyport convert certificate --help");
  if (request.output !== "-" && existsSync(request.output) && !request.isForced) {
    return complain(terminal, `${request.output} exists`, "--force replaces it");
  }
  const { input } = request;
  if (input === null) {
    const material = { name: request.output, ...makeSelfSigned(request.selfSignedNames) };
    return writeResult(request.output, material, terminal);
  }
  const reading = await readWithPassword(input, request, terminal);
  if (typeof reading === "string") return complain(terminal, reading, null);
  for (const diagnostic of reading.diagnostics) printDiagnostic(terminal, diagnostic);
  const [material, second] = reading.certificates;
  if (material === undefined) return 1;
  if (second !== undefined) printDiagnostic(terminal, severalKeysNotice(input, material));
  return writeResult(request.output, material, terminal);
}

/** A request, "help", or what is wrong with the words. */
function parseRequest(args: readonly string[]): Request | "help" | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        "password-file": { type: "string" },
        "self-signed": { type: "string", multiple: true },
        force: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help === true) return "help";
    const names = values["self-signed"] ?? [];
    if (names.length > 0) return selfSignedRequest(names, positionals, values.force === true);
    const [input, output, ...rest] = positionals;
    if (input === undefined) return "which certificate file?";
    if (rest.length > 0) return `one file in, one file out: what is ${rest[0]}?`;
    return {
      input,
      selfSignedNames: [],
      output: output ?? `${input.replace(/\.[^./]+$/, "")}.pem`,
      passwordFile: values["password-file"] ?? null,
      isForced: values.force === true,
    };
  } catch (error) {
    return (error as Error).message.replace(/\.? To specify a positional.*$/s, "");
  }
}

function selfSignedRequest(
  selfSignedNames: readonly string[],
  positionals: readonly string[],
  isForced: boolean,
): Request | string {
  const [output, ...rest] = positionals;
  if (output === undefined) return "which file shall hold the new certificate and its key?";
  if (rest.length > 0) return `one file for the new certificate: what is ${rest[0]}?`;
  return { input: null, selfSignedNames, output, passwordFile: null, isForced };
}

/**
 * Reads, and asks for the password as often as it takes; a string is what is wrong with the password file.
 */
async function readWithPassword(
  input: string,
  request: Request,
  terminal: Terminal,
): Promise<CertificateReading | string> {
  let password: string | null = null;
  if (request.passwordFile !== null) {
    try {
      password = readFileSync(request.passwordFile, "utf8").split(/\r?\n/, 1)[0]!;
    } catch (error) {
      return `the password file cannot be read: ${(error as Error).message}`;
    }
  }
  const read = () => readCertificate(input, NO_SPAN, { passwordFor: () => password });
  let reading = read();
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    if (reading.passwordsNeeded.length === 0 || request.passwordFile !== null || !terminal.isInteractive)
      break;
    if (attempt > 1) terminal.error("That is not the password.\n");
    const answer = await terminal.askSecret(`Password of ${reading.passwordsNeeded[0]}: `);
    if (answer === null) break;
    password = answer;
    reading = read();
  }
  return reading;
}

function writeResult(output: string, material: CertificateMaterial, terminal: Terminal): number {
  const pem = toPem(material);
  if (output === "-") {
    terminal.write(pem);
    return 0;
  }
  try {
    writePrivately(output, pem);
  } catch (error) {
    return complain(terminal, `cannot write ${output}: ${(error as Error).message}`, null);
  }
  terminal.write(`${colour(terminal.isColour, "good", "written")} ${output}\n`);
  for (const line of columns(describe(material))) terminal.write(`  ${line}\n`);
  return 0;
}

/** At no moment can anybody else read the key, and an old file is replaced whole or not at all. */
function writePrivately(path: string, text: string): void {
  const draft = `${path}.${process.pid}.new`;
  const file = openSync(draft, "wx", 0o600);
  try {
    fchmodSync(file, 0o600);
    writeSync(file, text);
    closeSync(file);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function describe(material: CertificateMaterial): string[][] {
  const facts = certificateFacts(material.certificatePem);
  const chainLength = material.certificatePem.split("-----BEGIN CERTIFICATE-----").length - 1;
  return [
    ["names", [...facts.names, ...facts.addresses].join(" ")],
    ["valid", `${isoDate(facts.notBeforeMs)} to ${isoDate(facts.notAfterMs)}`],
    ["key", facts.keyDescription],
    ["chain", chainLength === 1 ? "no issuers in the file" : `${chainLength - 1} issuing certificates`],
  ];
}

function severalKeysNotice(input: string, first: CertificateMaterial): Diagnostic {
  const name = certificateFacts(first.certificatePem).names[0] ?? "the first";
  const message = `${input} holds several certificates with keys; only that of ${name} is written`;
  return {
    code: "certificate-several",
    severity: "warning",
    span: NO_SPAN,
    message,
    help: null,
    related: [],
  };
}

function printDiagnostic(terminal: Terminal, diagnostic: Diagnostic): void {
  terminal.error(
    `${colour(terminal.isErrorColour, diagnostic.severity, diagnostic.severity)}: ${diagnostic.message}\n`,
  );
  if (diagnostic.help !== null) terminal.error(`  ${diagnostic.help}\n`);
}

function complain(terminal: Terminal, message: string, help: string | null): 1 {
  printDiagnostic(terminal, { code: "usage", severity: "error", span: NO_SPAN, message, help, related: [] });
  return 1;
}

function isoDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
