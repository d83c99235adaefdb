// What browsers may call the dashboard: its addresses, the names in its certificates, and those that the
// operator adds. A request with any other Host is not for us, wherever its name points to.
import { X509Certificate } from "node:crypto";
import { networkInterfaces } from "node:os";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { certificateFacts } from "../certificates/certificate-facts.ts";
import type { ListenPlace } from "./settings.ts";

/** In lower case, IPv6 in brackets, as they stand in a Host header. */
export function namesOf(
  places: readonly ListenPlace[],
  certificates: readonly CertificateMaterial[],
  more: readonly string[],
): ReadonlySet<string> {
  const inCertificates = certificates.flatMap(
    ({ certificatePem }) => certificateFacts(new X509Certificate(certificatePem)).names,
  );
  const names = [...places.flatMap(namesOfPlace), ...inCertificates, ...more];
  // "*.company.com" says nothing of which of them we are.
  return new Set(names.filter((name) => !name.includes("*")).map((name) => asHost(name.toLowerCase())));
}

function namesOfPlace({ host }: ListenPlace): string[] {
  if (host === "::1" || host.startsWith("127.")) return [host, "localhost"];
  if (host !== "0.0.0.0" && host !== "::") return [host];
  // An address can be given to a foreign name, but a foreign page cannot have an address as its name.
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return ["localhost", ...own.map(({ address }) => address.split("%")[0]!)];
}

function asHost(name: string): string {
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
}
