// Certificates, authorities, revocation lists and lists of certificates as the runtime API changes them: what
// has been set but not committed, and how what serves is replaced. HAProxy has one transaction of each kind
// at a time, and so it is here.
import type { X509Certificate } from "node:crypto";
import type { BindTls } from "../../model/proxy.ts";
import type { CertificateMaterial } from "../../transport/contract.ts";
import type { PreparedConfiguration } from "../messages.ts";
import { type Material, trustFilesOf } from "../prepare.ts";
import { bindsOf, serversOf } from "../tls-places.ts";

/** From what serves to what is to serve, or a sentence that says why not. */
export type MaterialChange = (present: PreparedConfiguration) => Partial<Material> | string;

export interface MaterialActions {
  readonly present: PreparedConfiguration;
  readonly transactions: MaterialTransactions;
  /** In all workers, or in none. Null: done; else why not. */
  change(change: MaterialChange): Promise<string | null>;
}

export type TrustKind = "ca-file" | "crl-file";

export interface CertificateTransaction {
  readonly name: string;
  /** Leaf first. */
  readonly chain: readonly X509Certificate[];
  readonly keyPem: string | null;
  readonly dhPem: string | null;
}

export class MaterialTransactions {
  certificate: CertificateTransaction | null = null;
  readonly trust: Map<TrustKind, { readonly name: string; readonly pem: string }> = new Map();
  /** Of files that only the runtime API knows of: what they are for. */
  readonly kinds: Map<string, TrustKind> = new Map();

  clear(): void {
    this.certificate = null;
    this.trust.clear();
    this.kinds.clear();
  }
}

/**
 * The certificates of a path as the configuration has it, none for a new one, or that of a file in a
 * directory. Null: nothing goes by that name.
 */
export function findCertificate(
  { certificates }: PreparedConfiguration,
  name: string,
): readonly CertificateMaterial[] | null {
  if (Object.hasOwn(certificates, name)) return certificates[name]!;
  const members = Object.values(certificates).flat();
  const found = members.find((material) => material.name === name);
  return found === undefined ? null : [found];
}

/** Names of all certificates, in HAProxy's order. */
export function certificateNames({ certificates }: PreparedConfiguration): string[] {
  const names = Object.entries(certificates).flatMap(([path, materials]) =>
    materials.length === 0 ? [path] : materials.map(({ name }) => name),
  );
  return [...new Set(names)].sort();
}

/** The paths that something serves by. */
export function usedCertificates(present: PreparedConfiguration): Set<string> {
  const paths = new Set<string>();
  for (const { tls } of bindsOf(present.configuration))
    for (const { path } of tls?.certificates ?? []) paths.add(path);
  for (const { tls } of serversOf(present.configuration))
    if (tls?.certificate != null) paths.add(tls.certificate);
  for (const lines of Object.values(present.crtLists)) for (const { path } of lines) paths.add(path);
  return paths;
}

export function isCertificateUsed(present: PreparedConfiguration, name: string): boolean {
  for (const path of usedCertificates(present))
    if (path === name || present.certificates[path]?.some((material) => material.name === name)) return true;
  return false;
}

/** How many listeners and servers are made anew when a certificate or a file changes: HAProxy's dots. */
export function countUsers(present: PreparedConfiguration, isUsed: (user: MaterialUser) => boolean): number {
  let count = 0;
  for (const { tls } of bindsOf(present.configuration)) {
    for (const { path, isList } of tls?.certificates ?? []) {
      const users =
        isList === true
          ? (present.crtLists[path] ?? []).map((line) => userOf(line.path, { ...tls!, ...line.tls }))
          : (present.certificates[path] ?? []).map(({ name }) => userOf(name, tls!));
      count += users.filter(isUsed).length;
    }
  }
  for (const { tls } of serversOf(present.configuration))
    if (tls !== null && isUsed(userOf(tls.certificate ?? "", { caFile: tls.caFile, crlFile: tls.crlFile })))
      count++;
  return count;
}

export interface MaterialUser {
  readonly certificate: string;
  readonly trust: readonly string[];
}

function userOf(certificate: string, tls: Partial<BindTls>): MaterialUser {
  return { certificate, trust: trustFilesOf(tls) };
}
