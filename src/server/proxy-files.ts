// What an haproxy.cfg on disk says. Certificates and trust that it names are not looked at: who only asks
// what a file says need not load what reads them.
import { readFileSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import type { ReaderEnvironment } from "../language/haproxy/environment.ts";
import { readConfiguration } from "../language/haproxy/reader.ts";
import type { ProxyConfiguration } from "../model/proxy.ts";
import type { LoadOptions, SourceText } from "./prepare.ts";
import { readSources } from "./source-files.ts";

/** What files say, as one configuration; null when there is an error among the diagnostics. */
export function readProxyFiles(
  paths: readonly string[],
  environment: LoadOptions["environment"],
): {
  readonly sources: SourceText[];
  readonly diagnostics: Diagnostic[];
  readonly configuration: ProxyConfiguration | null;
} {
  const { sources, diagnostics } = readSources(paths);
  if (diagnostics.length > 0) return { sources, diagnostics, configuration: null };
  const read = readConfiguration(sources, proxyEnvironment(environment));
  return { sources, diagnostics: [...read.diagnostics], configuration: read.configuration };
}

/** What the reader may ask of this machine. */
export function proxyEnvironment(environment: LoadOptions["environment"]): ReaderEnvironment {
  return {
    variables: definedOnly(environment),
    readFile: readFileOrNull,
    hostname: hostname(),
    cpuCount: availableParallelism(),
  };
}

function readFileOrNull(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

function definedOnly(variables: LoadOptions["environment"]): Record<string, string> {
  const defined = Object.entries(variables).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(defined);
}
