// From files on disk to a PreparedConfiguration: reads, checks, loads certificates and trust, resolves
// names. All faults of all these steps are reported together; nothing that runs is touched.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import type { Span } from "../diagnostic/span.ts";
import { readCrtList } from "../language/haproxy/crt-list.ts";
import type { CrtListLine } from "../model/crt-list.ts";
import type { BindTls, CertificateSource, ProxyConfiguration } from "../model/proxy.ts";
import type { CertificateMaterial } from "../transport/contract.ts";
import { type IssuerChain, readIssuerChains } from "./certificates/issuer-chains.ts";
import { readCertificate } from "./certificates/read-certificate.ts";
import { readProxyFiles } from "./proxy-files.ts";
import { fileDiagnostic } from "./source-files.ts";
import { bindsOf, serversOf } from "./tls-places.ts";

const SYSTEM_TRUST = "@system-ca";

export interface SourceText {
  readonly name: string;
  readonly text: string;
}

export interface Loaded {
  readonly sources: readonly SourceText[];
  readonly diagnostics: readonly Diagnostic[];
  /** Null when there is an error among the diagnostics. */
  readonly loaded: LoadedConfiguration | null;
}

export interface LoadedConfiguration {
  readonly configuration: ProxyConfiguration;
  readonly certificates: Readonly<Record<string, readonly CertificateMaterial[]>>;
  readonly crtLists: Readonly<Record<string, readonly CrtListLine[]>>;
  readonly trust: Readonly<Record<string, string>>;
  /** Of `issuers-chain-path`. */
  readonly issuers: readonly IssuerChain[];
  /** Of `ca-sign-file`, by path: authorities with their keys. */
  readonly signers: Readonly<Record<string, CertificateMaterial>>;
}

export interface LoadOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A password for a certificate file, typed by somebody. */
  readonly passwordFor?: (path: string) => string | null;
}

/** Reads and checks everything that a configuration names, without resolving host names. */
export function loadConfiguration(paths: readonly string[], options: LoadOptions): Loaded {
  const read = readProxyFiles(paths, options.environment);
  const { sources, diagnostics } = read;
  if (read.configuration === null) return { sources, diagnostics, loaded: null };
  const material = loadMaterial(read.configuration, NOTHING_LOADED, options, diagnostics);
  const isBroken = diagnostics.some((diagnostic) => diagnostic.severity === "error");
  return {
    sources,
    diagnostics,
    loaded: isBroken ? null : { configuration: read.configuration, ...material },
  };
}

export type Material = Omit<LoadedConfiguration, "configuration">;
const NOTHING_LOADED: Material = { certificates: {}, crtLists: {}, trust: {}, issuers: [], signers: {} };

/** The certificates and authorities that a configuration names, on top of those that are loaded already. */
export function loadMaterial(
  configuration: ProxyConfiguration,
  loaded: Material,
  options: LoadOptions,
  diagnostics: Diagnostic[],
): Material {
  const certificates: Record<string, readonly CertificateMaterial[]> = { ...loaded.certificates };
  const trust: Record<string, string> = { ...loaded.trust };
  const crtLists = loadCrtLists(configuration, loaded.crtLists, diagnostics);
  for (const { path, span } of certificatePaths(configuration, crtLists)) {
    if (path in certificates) continue;
    const reading = readCertificate(path, span, {
      environment: options.environment,
      ...(options.passwordFor === undefined ? {} : { passwordFor: options.passwordFor }),
    });
    diagnostics.push(...reading.diagnostics);
    certificates[path] = reading.certificates;
  }
  for (const { path, span } of trustPaths(configuration, crtLists)) {
    if (path in trust) continue;
    try {
      trust[path] = readTrust(path);
    } catch (error) {
      diagnostics.push(fileDiagnostic("trust-unreadable", span, error));
    }
  }
  const { tls, span } = configuration.global;
  // What serves goes on with those that it has.
  const issuers =
    loaded === NOTHING_LOADED ? readIssuerChains(tls.issuersPath, span, diagnostics) : loaded.issuers;
  const signers = loadSigners(configuration, loaded.signers, options, diagnostics);
  return { certificates, crtLists, trust, issuers, signers };
}

function loadSigners(
  configuration: ProxyConfiguration,
  loaded: Material["signers"],
  { environment }: LoadOptions,
  diagnostics: Diagnostic[],
): Material["signers"] {
  const signers: Record<string, CertificateMaterial> = { ...loaded };
  for (const { tls, span } of bindsOf(configuration)) {
    if (tls?.signer == null || tls.signer.path in signers) continue;
    const { path, password } = tls.signer;
    const reading = readCertificate(path, span, { environment, passwordFor: () => password });
    diagnostics.push(...reading.diagnostics);
    const [signer] = reading.certificates;
    if (signer !== undefined) signers[path] = signer;
  }
  return signers;
}

function loadCrtLists(
  configuration: ProxyConfiguration,
  loaded: Material["crtLists"],
  diagnostics: Diagnostic[],
): Material["crtLists"] {
  const crtLists: Record<string, readonly CrtListLine[]> = { ...loaded };
  for (const { path, span, bases } of bindCertificates(configuration).filter(
    ({ isList }) => isList === true,
  )) {
    if (path in crtLists) continue;
    try {
      const { serverDefaults } = configuration.global;
      const { lines, report } = readCrtList(readFileSync(path, "utf8"), path, bases ?? serverDefaults);
      crtLists[path] = lines;
      diagnostics.push(...report.diagnostics);
      if (lines.length === 0)
        diagnostics.push({
          code: "certificate-absent",
          severity: "error",
          span,
          message: `the list ${path} names no certificate`,
          help: null,
          related: [],
        });
    } catch (error) {
      crtLists[path] = [];
      diagnostics.push(fileDiagnostic("file-unreadable", span, error));
    }
  }
  return crtLists;
}

export function makeTicketKeys(): Uint8Array {
  return randomBytes(80);
}

function bindCertificates(configuration: ProxyConfiguration): readonly CertificateSource[] {
  return bindsOf(configuration).flatMap(({ tls }) => tls?.certificates ?? []);
}

type Place = { readonly path: string; readonly span: Span };

function* certificatePaths(
  configuration: ProxyConfiguration,
  crtLists: Material["crtLists"],
): Generator<Place> {
  yield* bindCertificates(configuration).filter(({ isList }) => isList !== true);
  for (const [file, lines] of Object.entries(crtLists))
    for (const { path, line } of lines) yield { path, span: lineSpan(file, line) };
  for (const { tls, span } of serversOf(configuration))
    if (tls?.certificate != null) yield { path: tls.certificate, span };
}

function* trustPaths(configuration: ProxyConfiguration, crtLists: Material["crtLists"]): Generator<Place> {
  for (const { tls, span } of bindsOf(configuration)) yield* trustOf(tls, span);
  for (const { tls, span } of serversOf(configuration)) yield* trustOf(tls, span);
  for (const [file, lines] of Object.entries(crtLists))
    for (const { tls, line } of lines) yield* trustOf(tls, lineSpan(file, line));
}

type TrustFiles = Partial<Pick<BindTls, "caFile" | "caVerifyFile" | "crlFile">>;

/** The files with authorities and revocation lists that a `bind`, a line of a list or a server names. */
export function trustFilesOf(tls: TrustFiles | null): string[] {
  return [tls?.caFile, tls?.caVerifyFile, tls?.crlFile].filter((path) => path != null);
}

function* trustOf(tls: TrustFiles | null, span: Span): Generator<Place> {
  for (const path of trustFilesOf(tls)) yield { path, span };
}

function lineSpan(file: string, line: number): Span {
  return { file, line, column: 1, endColumn: 1 };
}

/**
 * A file, or a directory whose files are read together, or what the machine trusts: a worker may not see
 * its files.
 */
function readTrust(path: string): string {
  if (path === SYSTEM_TRUST) return getCACertificates("system").join("\n");
  if (!statSync(path).isDirectory()) return readFileSync(path, "utf8");
  return readdirSync(path)
    .sort()
    .map((name) => readFileSync(join(path, name), "utf8"))
    .join("\n");
}
