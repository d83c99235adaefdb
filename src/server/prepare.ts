// From files on disk to a PreparedConfiguration: reads, checks, loads certificates and trust, resolves
// names. All faults of all these steps are reported together; nothing that runs is touched.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import type { Span } from "../diagnostic/span.ts";
import type { ProxyConfiguration } from "../model/proxy.ts";
import type { CertificateMaterial } from "../transport/contract.ts";
import { readCertificate } from "./certificates/read-certificate.ts";
import { readProxyFiles } from "./proxy-files.ts";
import { fileDiagnostic } from "./source-files.ts";

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
  readonly trust: Readonly<Record<string, string>>;
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
  const { certificates, trust } = loadMaterial(read.configuration, NOTHING_LOADED, options, diagnostics);
  const isBroken = diagnostics.some((diagnostic) => diagnostic.severity === "error");
  return {
    sources,
    diagnostics,
    loaded: isBroken ? null : { configuration: read.configuration, certificates, trust },
  };
}

type Material = Pick<LoadedConfiguration, "certificates" | "trust">;
const NOTHING_LOADED: Material = { certificates: {}, trust: {} };

/** The certificates and authorities that a configuration names, on top of those that are loaded already. */
export function loadMaterial(
  configuration: ProxyConfiguration,
  loaded: Material,
  options: LoadOptions,
  diagnostics: Diagnostic[],
): Material {
  const certificates: Record<string, readonly CertificateMaterial[]> = { ...loaded.certificates };
  const trust: Record<string, string> = { ...loaded.trust };
  for (const { path, span } of certificatePaths(configuration)) {
    if (path in certificates) continue;
    const reading = readCertificate(path, span, {
      environment: options.environment,
      ...(options.passwordFor === undefined ? {} : { passwordFor: options.passwordFor }),
    });
    diagnostics.push(...reading.diagnostics);
    certificates[path] = reading.certificates;
  }
  for (const { path, span } of trustPaths(configuration)) {
    if (path in trust) continue;
    try {
      trust[path] = readTrust(path);
    } catch (error) {
      diagnostics.push(fileDiagnostic("trust-unreadable", span, error));
    }
  }
  return { certificates, trust };
}

export function makeTicketKeys(): Uint8Array {
  return randomBytes(80);
}

function* certificatePaths(configuration: ProxyConfiguration): Generator<{ path: string; span: Span }> {
  for (const { frontend, backend } of configuration.proxies) {
    for (const bind of frontend?.binds ?? []) yield* bind.tls?.certificates ?? [];
    for (const server of backend?.servers ?? []) {
      if (server.tls?.certificate != null) yield { path: server.tls.certificate, span: server.span };
    }
  }
}

function* trustPaths(configuration: ProxyConfiguration): Generator<{ path: string; span: Span }> {
  for (const { frontend, backend } of configuration.proxies) {
    for (const item of [...(frontend?.binds ?? []), ...(backend?.servers ?? [])]) {
      for (const path of [item.tls?.caFile, item.tls?.crlFile]) {
        if (path != null) yield { path, span: item.span };
      }
    }
  }
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
