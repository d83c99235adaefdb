// The names in the certificates that a configuration uses, for explanations: which one would be shown to
// whom.

import type { Span } from "../../diagnostic/span.ts";
import { certificateNames } from "../../io/openssl/server-names.ts";
import { readCrtList } from "../../language/haproxy/crt-list.ts";
import type { CertificateSource, ProxyConfiguration } from "../../model/proxy.ts";
import { realDisk } from "../certificates/certificate-disk.ts";
import { readCertificate } from "../certificates/read-certificate.ts";

/** Certificates that cannot be read here are no reason not to explain. */
export function namesOfCertificates(
  configuration: ProxyConfiguration,
): Map<string, readonly (readonly string[])[]> {
  const names = new Map<string, readonly (readonly string[])[]>();
  const binds = configuration.proxies.flatMap(({ frontend }) => frontend?.binds ?? []);
  for (const source of binds.flatMap(({ tls }) => tls?.certificates ?? [])) {
    const { path, span, isList } = source;
    if (names.has(path)) continue;
    const found = isList === true ? namesInList(configuration, source) : namesIn(path, span);
    if (found.length > 0) names.set(path, found);
  }
  return names;
}

function namesIn(path: string, span: Span): (readonly string[])[] {
  const { certificates } = readCertificate(path, span, { environment: process.env });
  return certificates.map(({ certificatePem }) => certificateNames(certificatePem));
}

/** A line that says for which names it is stands for them, whatever its certificate says. */
function namesInList(
  { global }: ProxyConfiguration,
  { path, span, bases }: CertificateSource,
): (readonly string[])[] {
  const bytes = attemptRead(path);
  if (bytes === null) return [];
  const { lines } = readCrtList(Buffer.from(bytes).toString("utf8"), path, bases ?? global.serverDefaults);
  return lines.flatMap(({ path: certificate, filters }) =>
    namesIn(certificate, span).map((own) => (filters.length > 0 ? filters : own)),
  );
}

function attemptRead(path: string): Uint8Array | null {
  try {
    return realDisk.readFile(path);
  } catch {
    return null;
  }
}
