// What `crt PATH` means: reads the certificates, chains and keys that a path stands for, as HAProxy 2.6 does
// (manual section 5.1), and from PKCS#12 files besides. It never throws: what is wrong comes back as
// diagnostics at the place that named the path, everything at once.
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import type { Diagnostic, Severity } from "../../diagnostic/diagnostic.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { BUNDLE_EXTENSIONS } from "./bundle-extensions.ts";
import { type CertificateDisk, realDisk } from "./certificate-disk.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { type KeyWithChain, pairKeysWithChains } from "./chain.ts";
import { isPasswordError, type KeyFile, type KeyFileError, openKeyFile } from "./key-file.ts";

export interface CertificateReading {
  /** In the order in which HAProxy would load them. Those that could be read, also when others could not. */
  readonly certificates: readonly CertificateMaterial[];
  readonly diagnostics: readonly Diagnostic[];
  /** Files that stay closed for want of the right password: ask for it and read again with `passwordFor`. */
  readonly passwordsNeeded: readonly string[];
}

export interface CertificateReadingOptions {
  readonly disk?: CertificateDisk;
  /** A password somebody typed for this file; null when nobody did. Comes before all other sources. */
  readonly passwordFor?: (path: string) => string | null;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly nowMs?: number;
}

/** Holds the password of PKCS#12 files and encrypted keys that have no password file of their own. */
export const PASSWORD_VARIABLE = "SALLYPORT_PFX_PASSWORD";

/**
 * Files in a directory of certificates that belong to another file there. The last is ours, the others
 * HAProxy's.
 */
const COMPANION_EXTENSIONS: readonly string[] = [".key", ".ocsp", ".issuer", ".sctl", ".password"];

/** Reads what `path` stands for: a file, a bundle of files by kind of key, or a directory of them. */
export function readCertificate(
  path: string,
  span: Span,
  options: CertificateReadingOptions = {},
): CertificateReading {
  const reader = new Reader(span, options);
  reader.readPath(path);
  const { certificates, diagnostics, passwordsNeeded } = reader;
  return { certificates, diagnostics, passwordsNeeded };
}

/** The PEM that HAProxy, nginx and OpenSSL read: leaf, chain, key. */
export function toPem(material: CertificateMaterial): string {
  return [material.certificatePem, material.keyPem].map((text) => `${text.trimEnd()}\n`).join("");
}

type Explanation = Pick<Diagnostic, "code" | "message" | "help">;

class Reader {
  readonly certificates: CertificateMaterial[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly passwordsNeeded: string[] = [];
  readonly #span: Span;
  readonly #disk: CertificateDisk;
  readonly #passwordFor: (path: string) => string | null;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #nowMs: number;

  constructor(span: Span, options: CertificateReadingOptions) {
    this.#span = span;
    this.#disk = options.disk ?? realDisk;
    this.#passwordFor = options.passwordFor ?? (() => null);
    this.#environment = options.environment ?? process.env;
    this.#nowMs = options.nowMs ?? Date.now();
  }

  readPath(path: string): void {
    const names = this.#attempt(path, () => this.#disk.listFiles(path));
    if (names === MISSING) this.#readBundle(path);
    else if (names === null) this.#readFile(path);
    else if (names !== UNREADABLE) this.#readDirectory(path, names);
  }

  #readBundle(path: string): void {
    const members = BUNDLE_EXTENSIONS.map((extension) => path + extension).filter((member) =>
      this.#exists(member),
    );
    for (const member of members) this.#readFile(member);
    if (members.length === 0) this.#report("certificate-missing", `there is no file ${path}`);
  }

  #readDirectory(path: string, names: readonly string[]): void {
    const chosen = names.filter(
      (name) => !name.startsWith(".") && !COMPANION_EXTENSIONS.some((end) => name.endsWith(end)),
    );
    // Byte order, as HAProxy has it, so that the same file comes first and is the default.
    chosen.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    if (chosen.length === 0)
      this.#report("certificate-directory-empty", `the directory ${path} holds no certificate`);
    for (const name of chosen) this.#readFile(join(path, name));
  }

  #readFile(path: string): void {
    const file = this.#open(path);
    if (file === null) return;
    if (file.certificates.length === 0) {
      this.#report("certificate-absent", `${path} holds no certificate`);
      return;
    }
    const keyFile = file.keys.length > 0 ? file : this.#openCompanionKey(path);
    if (keyFile === null) return;
    const pairs = pairKeysWithChains(keyFile.keys, file.certificates);
    if (pairs.length === 0)
      this.#reportMismatch(path, keyFile === file ? "in the same file" : `in ${path}.key`, file);
    pairs.forEach((pair, i) => {
      this.#accept(pair, i === 0 ? path : `${path}#${i + 1}`, path, file.dhPem ?? null);
    });
  }

  #accept(pair: KeyWithChain, name: string, path: string, dhPem: string | null): void {
    this.certificates.push({
      name,
      certificatePem: pair.chain.map((certificate) => certificate.toString().replace(/\n*$/, "\n")).join(""),
      keyPem: exportKey(pair.key),
      ...(dhPem === null ? {} : { dhPem }),
    });
    const facts = certificateFacts(pair.chain[0]!);
    const subject = facts.names[0] ?? facts.addresses[0] ?? "no name";
    if (facts.notAfterMs < this.#nowMs) {
      const message = `the certificate for ${subject} in ${path} expired on ${isoDate(facts.notAfterMs)}`;
      this.#report("certificate-expired", message, "clients will refuse it: renew it", "warning");
    } else if (facts.notBeforeMs > this.#nowMs) {
      const message = `the certificate for ${subject} in ${path} is not valid before ${isoDate(facts.notBeforeMs)}`;
      this.#report(
        "certificate-not-yet-valid",
        message,
        "clients will refuse it until then: is this machine's clock right?",
        "warning",
      );
    }
  }

  #openCompanionKey(path: string): KeyFile | null {
    // HAProxy looks for the second with ssl-load-extra-del-ext only.
    const keyPath = [`${path}.key`, path.replace(/\.[^./]+$/, ".key")].find(
      (candidate) => candidate !== path && this.#exists(candidate),
    );
    if (keyPath !== undefined) {
      const file = this.#open(keyPath);
      if (file === null || file.keys.length > 0) return file;
      this.#report("certificate-key-absent", `${keyPath} holds no private key`);
    } else {
      const message = `${path} holds no private key, and there is no ${path}.key`;
      this.#report(
        "certificate-key-absent",
        message,
        `append the key to ${path}, or put it into ${path}.key`,
      );
    }
    return null;
  }

  #open(path: string): KeyFile | null {
    const bytes = this.#attempt(path, () => this.#disk.readFile(path));
    if (bytes === UNREADABLE) return null;
    if (bytes === MISSING) {
      this.#report("certificate-missing", `there is no file ${path}`);
      return null;
    }
    const password = this.#findPassword(path);
    const opened = openKeyFile(bytes, password?.text ?? null);
    if (opened.ok) return opened.value;
    if (isPasswordError(opened.error)) this.passwordsNeeded.push(path);
    const { code, message, help } = explainClosed(path, opened.error, password?.origin ?? "");
    this.#report(code, message, help);
    return null;
  }

  #reportMismatch(path: string, keyPlace: string, file: KeyFile): void {
    const certificate = file.certificates.length === 1 ? "the certificate" : "any certificate";
    const message = `the private key ${keyPlace} does not belong to ${certificate} in ${path}`;
    this.#report("certificate-key-mismatch", message, "use the key that the certificate was requested with");
  }

  #findPassword(path: string): { readonly text: string; readonly origin: string } | null {
    const typed = this.#passwordFor(path);
    if (typed !== null) return { text: typed, origin: "that was given" };
    const file = `${path}.password`;
    if (this.#exists(file)) {
      const bytes = this.#attempt(file, () => this.#disk.readFile(file));
      if (bytes instanceof Uint8Array) return { text: firstLine(bytes), origin: `in ${file}` };
    }
    const text = this.#environment[PASSWORD_VARIABLE];
    return text === undefined ? null : { text, origin: `in ${PASSWORD_VARIABLE}` };
  }

  #exists(path: string): boolean {
    try {
      this.#disk.listFiles(path);
      return true;
    } catch (error) {
      return !isMissing(error);
    }
  }

  /** Runs an operation on the disk. Whatever fails is reported, except that a file is missing. */
  #attempt<T>(path: string, operation: () => T): T | typeof MISSING | typeof UNREADABLE {
    try {
      return operation();
    } catch (error) {
      if (isMissing(error)) return MISSING;
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EACCES" || code === "EPERM") {
        const help =
          "start as root (sallyport gives its rights up afterwards), or let its account read the file";
        this.#report("certificate-permission", `there is no permission to read ${path}`, help);
      } else this.#report("certificate-unreadable", `${path} cannot be read: ${message}`);
      return UNREADABLE;
    }
  }

  #report(code: string, message: string, help: string | null = null, severity: Severity = "error"): void {
    this.diagnostics.push({ code, severity, span: this.#span, message, help, related: [] });
  }
}

const MISSING: unique symbol = Symbol("missing");
const UNREADABLE: unique symbol = Symbol("unreadable");

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

function explainClosed(path: string, error: KeyFileError, passwordOrigin: string): Explanation {
  switch (error.kind) {
    case "password-needed":
      return {
        code: "certificate-password-needed",
        message: `${path} is protected by a password, and none was given`,
        help: `set the environment variable ${PASSWORD_VARIABLE}, or write the password into ${path}.password`,
      };
    case "wrong-password":
      return {
        code: "certificate-password-wrong",
        message: `the password ${passwordOrigin} does not open ${path}`,
        help: null,
      };
    case "unsupported":
      return {
        code: "certificate-encryption-unknown",
        message: `${path} is encrypted by a scheme that is not known here (${error.algorithm})`,
        help: "export it again with AES256-SHA256 or TripleDES-SHA1",
      };
    case "malformed":
      return {
        code: "certificate-unreadable",
        message: `${path} cannot be read as a certificate: ${error.reason}`,
        help: null,
      };
  }
}

function exportKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function firstLine(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8").split(/\r?\n/, 1)[0]!;
}

function isoDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}
