// The dashboard's certificate: read when it starts, and again with each reload.
import type { CertificateMaterial } from "../../transport/contract.ts";
import { type CertificateReading, readCertificate } from "../certificates/read-certificate.ts";
import { reasonOf } from "../certificates/renewal.ts";
import type { DashboardSource } from "./source.ts";

export type OwnCertificates =
  | { readonly ok: true; readonly certificates: readonly CertificateMaterial[] }
  | { readonly ok: false; readonly message: string };

/** What the dashboard starts with: one that has expired is better than none. */
export function firstOwnCertificate(
  file: string,
  environment: DashboardSource["environment"],
): OwnCertificates {
  const { certificates, diagnostics } = readOwnCertificate(file, environment);
  if (certificates.length > 0) return { ok: true, certificates };
  return { ok: false, message: `the dashboard's certificate: ${reasonOf(diagnostics)}` };
}

export function readOwnCertificate(
  file: string,
  environment: DashboardSource["environment"],
): CertificateReading {
  return readCertificate(file, { file, line: 0, column: 0, endColumn: 0 }, { environment });
}
