// New certificates for servers that go on: the dashboard's and those of consoles. What browsers would refuse,
// or cannot be read, does not take the place of one that serves.
import type { Server } from "node:https";
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { replaceCertificates } from "../console/tls-server.ts";
import { certificateFacts } from "./certificate-facts.ts";
import type { CertificateReading } from "./read-certificate.ts";

export type CertificateRenewal =
  /** It is the one that is shown already. */
  | { readonly kind: "same" }
  | {
      readonly kind: "renewed";
      readonly certificates: readonly CertificateMaterial[];
      readonly message: string;
    }
  | { readonly kind: "refused"; readonly message: string };

/** Shows what was read from the next handshake on. `whose`: "the dashboard"; its servers must not part. */
export function renewCertificates(
  whose: string,
  { certificates, diagnostics }: Pick<CertificateReading, "certificates" | "diagnostics">,
  present: readonly CertificateMaterial[],
  servers: readonly Server[],
): CertificateRenewal {
  const [first] = certificates;
  if (first !== undefined && isSame(certificates, present)) return { kind: "same" };
  const isGood = first !== undefined && diagnostics.every(isHarmless);
  const fault = isGood ? replaceAll(servers, certificates, present) : reasonOf(diagnostics);
  if (fault !== null || first === undefined)
    return { kind: "refused", message: `${whose} goes on with its old certificate: ${fault}` };
  const until = new Date(certificateFacts(first.certificatePem).notAfterMs).toISOString().slice(0, 10);
  return { kind: "renewed", certificates, message: `${whose} has a new certificate, good until ${until}` };
}

/** Why a certificate is not taken; the worst first. */
export function reasonOf(diagnostics: readonly Diagnostic[]): string {
  const worst = diagnostics.find((one) => !isHarmless(one)) ?? diagnostics[0];
  return worst?.message ?? "there is none";
}

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

/** What browsers would refuse is no use, even if it could be served. */
function isHarmless({ severity, code }: Diagnostic): boolean {
  return severity !== "error" && code !== "certificate-expired" && code !== "certificate-not-yet-valid";
}

function isSame(one: readonly CertificateMaterial[], other: readonly CertificateMaterial[]): boolean {
  const texts = (all: readonly CertificateMaterial[]) =>
    all.map(({ certificatePem, keyPem }) => certificatePem + keyPem).join();
  return texts(one) === texts(other);
}
