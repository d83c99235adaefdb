// A datacentre file and the kernel beside each other: what the machine should have for the file, the driver
// that makes it so, and the place where it is remembered.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { launcher } from "../../base/program-files.ts";
import { sha256 } from "../../base/sha256.ts";
import { DiskStore, dataDirectoryOf } from "../../driver/linux/disk-store.ts";
import { LinuxDriver } from "../../driver/linux/linux-driver.ts";
import { findAbilities } from "../../driver/linux/preflight.ts";
import { openNamespaceDoor } from "../../io/namespace-door.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import { type Desired, type DesiredOptions, desiredState } from "../../network/plan/desired-state.ts";
import { BUNDLE_EXTENSIONS } from "../certificates/bundle-extensions.ts";
import type { LoadBalancerFile } from "./load-datacenter.ts";

export interface LiveNetwork {
  readonly desired: Desired;
  readonly driver: LinuxDriver;
  readonly store: DiskStore;
}

/**
 * Driver and memory of the datacentre of that name. Throws like node:fs when its directory cannot be made.
 */
export function openDriver(name: string): Omit<LiveNetwork, "desired"> {
  const store = new DiskStore(name);
  return { store, driver: new LinuxDriver(name, store.directory, openNamespaceDoor()) };
}

/**
 * `host`: which of the file's hosts this machine is; null: none, so that everything of the file runs here.
 */
export async function openNetwork(
  resolved: ResolvedDatacenter,
  loadBalancers: readonly LoadBalancerFile[],
  host: string | null,
  more: Pick<DesiredOptions, "probedSwitches" | "unconvertedLags"> = {},
): Promise<LiveNetwork> {
  const desired = desiredState(resolved, {
    host,
    ...more,
    ...(await findAbilities(openNamespaceDoor(), host !== null)),
    loadBalancers: new Map(
      loadBalancers.map(({ edge, path }) => [edge, { path: resolve(path), hash: hashOfFiles(path) }]),
    ),
    program: [launcher()],
    dataDirectory: dataDirectoryOf(resolved.source.name.value),
    absolutePath: (path, namedIn) => resolve(namedIn === undefined ? "." : dirname(namedIn), path),
  });
  const notes = [...desired.notes, ...loadBalancers.flatMap(missingCertificates)];
  return { desired: { ...desired, notes }, ...openDriver(resolved.source.name.value) };
}

/** Without them a balancer ends as soon as it is started: better said before than found in its log. */
export function missingCertificates({ edge, path, configuration }: LoadBalancerFile): string[] {
  const binds = configuration?.proxies.flatMap(({ frontend }) => frontend?.binds ?? []) ?? [];
  const certificates = binds.flatMap(({ tls }) => tls?.certificates ?? []);
  // A bundle has its members beside a name that is no file.
  const isThere = (name: string) =>
    ["", ...BUNDLE_EXTENSIONS].some((end) => existsSync(resolve(dirname(resolve(path)), name + end)));
  const missing = certificates.filter((one) => !isThere(one.path));
  return missing.map(
    (one) =>
      `the load balancer of ${edge} will not serve: there is no ${one.path} (${one.span.file}:${one.span.line})`,
  );
}

/** Of the file and of the certificates beside it: when one of them changes, the balancer is told. */
function hashOfFiles(path: string): string {
  const parts: Uint8Array[] = [];
  for (const file of [path, ...certificatesIn(dirname(resolve(path)))]) {
    try {
      parts.push(Buffer.from(file), readFileSync(file));
    } catch {
      // What cannot be read, the balancer itself complains of.
    }
  }
  return sha256(Buffer.concat(parts)).slice(0, 16);
}

/**
 * Sorted. (Node's globSync would take longer for it, the first time, than all the rest of a short command.)
 */
function certificatesIn(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => /\.(?:pem|pfx|crt|key)$/.test(name));
    return names.sort().map((name) => join(directory, name));
  } catch {
    return [];
  }
}
