// From a datacenter.yaml on disk to what check, explain, draw and apply work on: the file with all that it
// includes, the haproxy.cfg of its edges, and everything derived. All faults of all these steps are told
// together.
import { globSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { parseIp } from "../../base/ip.ts";
import { lateModule } from "../../base/program-files.ts";
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import { readDatacenter } from "../../language/datacenter/reader.ts";
import type { Datacenter, Located } from "../../model/datacenter.ts";
import type { ProxyConfiguration } from "../../model/proxy.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import type { LoadBalancerBind } from "../../network/resolve/resolution.ts";
import { resolveDatacenter } from "../../network/resolve/resolve.ts";
import type { SourceText } from "../prepare.ts";
import type * as ProxyFiles from "../proxy-files.ts";
import { readSources } from "../source-files.ts";

export interface LoadedDatacenter {
  readonly sources: readonly SourceText[];
  readonly diagnostics: readonly Diagnostic[];
  /** Null when too little could be read to go on; then `resolved` is null too. */
  readonly datacenter: Datacenter | null;
  readonly resolved: ResolvedDatacenter | null;
  readonly loadBalancers: readonly LoadBalancerFile[];
  readonly loadBalancerBinds: readonly LoadBalancerBind[];
}

/** The haproxy.cfg that is served inside an edge. */
export interface LoadBalancerFile {
  readonly edge: string;
  readonly path: string;
  /** Null when it could not be read without errors. */
  readonly configuration: ProxyConfiguration | null;
}

/** `texts`: what files would say after a change, by their names, instead of what they say. */
export function loadDatacenter(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
  texts: ReadonlyMap<string, string> = new Map(),
): LoadedDatacenter {
  const nothing = { datacenter: null, resolved: null, loadBalancers: [], loadBalancerBinds: [] };
  const read = readSources([path]);
  if (read.diagnostics.length > 0) return { ...read, ...nothing };
  const present = read.sources.map(({ name, text }) => ({ name, text: texts.get(name) ?? text }));
  const reading = readDatacenter(present, {
    variables: environment,
    readFile: (name) => texts.get(name) ?? readTextOrNull(name),
    listFiles: (pattern) => globSync(pattern).sort(),
  });
  const sources = [...reading.sources].map(([name, text]) => ({ name, text }));
  const diagnostics = [...reading.diagnostics];
  const { datacenter } = reading;
  if (datacenter === null) return { sources, diagnostics, ...nothing };
  const loadBalancers = datacenter.edges.flatMap(({ name, loadBalancer }): LoadBalancerFile[] => {
    if (loadBalancer === null) return [];
    // Most datacentres have none, and the language of haproxy.cfg is a third of what a call would load.
    const { readProxyFiles } = lateModule<typeof ProxyFiles>("server/proxy-files.ts");
    const file = readProxyFiles([besideFile(loadBalancer)], environment);
    diagnostics.push(...file.diagnostics.map((one) => atNamingLine(one, loadBalancer)));
    sources.push(...file.sources);
    return [{ edge: name, path: besideFile(loadBalancer), configuration: file.configuration }];
  });
  const loadBalancerBinds = loadBalancers.flatMap(bindsOf);
  const { resolved, diagnostics: found } = resolveDatacenter(datacenter, { loadBalancerBinds });
  diagnostics.push(...found, ...consolesOfNobody(datacenter, resolved));
  return { sources, diagnostics, datacenter, resolved, loadBalancers, loadBalancerBinds };
}

function consolesOfNobody({ consoles }: Datacenter, resolved: ResolvedDatacenter): Diagnostic[] {
  const names = resolved.machines.map(({ name }) => name);
  return (consoles?.backends ?? []).flatMap(({ machine: { value, span } }): Diagnostic[] => {
    if (names.includes(value)) return [];
    const [message, help] = [`there is no machine \`${value}\``, suggestWord(value, names)];
    return [{ code: "unknown-machine", severity: "error", span, message, help, related: [] }];
  });
}

/** Relative to the file that names it, as everything that a datacentre file names. */
function besideFile({ value, span }: Located<string>): string {
  return isAbsolute(value) ? value : join(dirname(span.file), value);
}

/** A file that cannot be read is best shown where it is named. */
function atNamingLine(diagnostic: Diagnostic, { span }: Located<string>): Diagnostic {
  return diagnostic.span.line === 0 ? { ...diagnostic, span } : diagnostic;
}

function bindsOf({ edge, configuration }: LoadBalancerFile): LoadBalancerBind[] {
  const binds = configuration?.proxies.flatMap(({ frontend }) => frontend?.binds ?? []) ?? [];
  return binds.flatMap(({ address, span }): LoadBalancerBind[] => {
    if (address.kind !== "tcp") return [];
    const ip = address.host === null ? null : parseIp(address.host);
    const isAny = ip === null || ip === "0.0.0.0" || ip === "::";
    return [{ edge, ip: isAny ? null : ip, port: address.port, span }];
  });
}

function readTextOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
