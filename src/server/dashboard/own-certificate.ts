// The dashboard's certificate: read when it starts, and again with each reload. What browsers would refuse,
// or cannot be read, does not take the place of one that serves.
import type { Server } from "node:https";
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { certificateFacts } from "../certificates/certificate-facts.ts";
import { readCertificate } from "../certificates/read-certificate.ts";
import { replaceCertificates } from "../console/tls-server.ts";
import type { DashboardSource } from "./source.ts";

export type OwnCertificates =
  | { readonly ok: true; readonly certificates: readonly CertificateMaterial[] }
  | { readonly ok: false; readonly message: string };

/** What the dashboard starts with: one that has expired is better than none. */
export function readOwnCertificate(
  file: string,
  environment: DashboardSource["environment"],
): OwnCertificates {
  const { certificates, diagnostics } = read(file, environment);
  if (certificates.length > 0) return { ok: true, certificates };
  return { ok: false, message: `the dashboard's certificate: ${reasonOf(diagnostics, file)}` };
}

export type CertificateRenewal =
  /** It is the one that is shown already. */
  | { readonly kind: "same" }
  | {
      readonly kind: "renewed";
      readonly certificates: readonly CertificateMaterial[];
      readonly message: string;
    }
  | { readonly kind: "refused"; readonly message: string };

/** Reads it again, and shows it from the next handshake on. */
export function renewOwnCertificate(
  file: string,
  environment: DashboardSource["environment"],
  present: readonly CertificateMaterial[],
  servers: readonly Server[],
): CertificateRenewal {
  const { certificates, diagnostics } = read(file, environment);
  const [first] = certificates;
  if (first !== undefined && isSame(certificates, present)) return { kind: "same" };
  const isGood = first !== undefined && diagnostics.every(isHarmless);
  const fault = isGood ? replaceAll(servers, certificates, present) : reasonOf(diagnostics, file);
  if (fault !== null || first === undefined)
    return { kind: "refused", message: `the dashboard goes on with its old certificate: ${fault}` };
  const until = new Date(certificateFacts(first.certificatePem).notAfterMs).toISOString().slice(0, 10);
  return {
    kind: "renewed",
    certificates,
    message: `the dashboard has a new certificate, good until ${until}`,
  };
}

/** `localhost` is two servers, which must not part. */
function replaceAll(
  servers: readonly Server[],
  certificates: readonly CertificateMaterial[],
  present: readonly CertificateMaterial[],
): string | null {
  for (const server of servers) {
    const fault = replaceCertificates(server, certificates);
    if (fault === null) continue;
    for (const one of servers) replaceCertificates(one, present);
    return fault;
  }
  return null;
}

function read(file: string, environment: DashboardSource["environment"]) {
  return readCertificate(file, { file, line: 0, column: 0, endColumn: 0 }, { environment });
}

/** What browsers would refuse is no use, even if it could be served. */
function isHarmless({ severity, code }: Diagnostic): boolean {
  return severity !== "error" && code !== "certificate-expired" && code !== "certificate-not-yet-valid";
}

function reasonOf(diagnostics: readonly Diagnostic[], file: string): string {
  const worst = diagnostics.find((one) => !isHarmless(one)) ?? diagnostics[0];
  return worst?.message ?? `${file} holds none`;
}

function isSame(one: readonly CertificateMaterial[], other: readonly CertificateMaterial[]): boolean {
  const texts = (all: readonly CertificateMaterial[]) =>
    all.map(({ certificatePem, keyPem }) => certificatePem + keyPem).join();
  return texts(one) === texts(other);
}
