// The names in the certificates that a configuration uses, for explanations: which one would be shown to
// whom.
import { certificateNames } from "../../io/openssl/server-names.ts";
import type { ProxyConfiguration } from "../../model/proxy.ts";
import { readCertificate } from "../certificates/read-certificate.ts";

/** Certificates that cannot be read here are no reason not to explain. */
export function namesOfCertificates(
  configuration: ProxyConfiguration,
): Map<string, readonly (readonly string[])[]> {
  const names = new Map<string, readonly (readonly string[])[]>();
  const binds = configuration.proxies.flatMap(({ frontend }) => frontend?.binds ?? []);
  for (const { path, span } of binds.flatMap(({ tls }) => tls?.certificates ?? [])) {
    if (names.has(path)) continue;
    const { certificates } = readCertificate(path, span, { environment: process.env });
    if (certificates.length > 0)
      names.set(
        path,
        certificates.map(({ certificatePem }) => certificateNames(certificatePem)),
      );
  }
  return names;
}
