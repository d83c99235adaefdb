// Parameters of ephemeral Diffie-Hellman (manual, `ssl-dh-param-file`): those of a certificate's own file,
// else those of the file that is named for all, else a group of RFC 3526 as large as the key, up to a limit
// that the configuration has to set. Without any of them such ciphers are not offered, as in HAProxy.
import { createDiffieHellmanGroup, X509Certificate } from "node:crypto";
import type { GlobalSettings } from "../../model/global-settings.ts";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { integer, sequence, toDer } from "./asn1.ts";
import { derToPem } from "./pem.ts";

const LABEL = "DH PARAMETERS";
/** By the least number of bits of a key. */
const GROUPS: readonly (readonly [bits: number, group: string])[] = [
  [4096, "modp16"],
  [2048, "modp14"],
  [0, "modp2"],
];

export function dhParametersFor(
  { dhPem, certificatePem }: CertificateMaterial,
  { dhParameterPem, dhBitsMax }: GlobalSettings["tls"],
): string | null {
  const given = dhPem ?? dhParameterPem ?? null;
  if (given !== null || dhBitsMax === null) return given;
  const key = new X509Certificate(certificatePem).publicKey;
  // Keys of other kinds have no ciphers with ephemeral Diffie-Hellman.
  const keyBits = key.asymmetricKeyDetails?.modulusLength;
  if (keyBits === undefined) return null;
  const [, group] = GROUPS.find(([bits]) => Math.min(keyBits, dhBitsMax) >= bits)!;
  return groupPem(group);
}

const groups: Map<string, string> = new Map();

function groupPem(name: string): string {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const group = createDiffieHellmanGroup(name);
  // RFC 3526: positive, so a zero stands before a first bit that is set. PKCS#3: prime and base.
  const prime = Buffer.concat([Buffer.of(0), group.getPrime()]);
  const pem = derToPem(LABEL, toDer(sequence(integer(prime), integer(group.getGenerator()))));
  groups.set(name, pem);
  return pem;
}
