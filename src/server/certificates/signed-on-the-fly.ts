// `generate-certificates`: a certificate for whatever name a client asks for, signed by an authority whose
// key is here (`ca-sign-file`), as those who look into their own clients' connections want it. What stands in
// it is what HAProxy puts there; its key is that of the listener's first certificate, so that only the
// signature has to be made. Nothing in it is left to chance, so that all workers show a client the same.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  X509Certificate,
} from "node:crypto";
import type { CertificateMaker, CertificateMaterial } from "../../transport/contract.ts";
import {
  type Asn1,
  bitString,
  childOf,
  childrenOf,
  integer,
  objectIdentifier,
  octetString,
  octetsOf,
  oidOf,
  parseAsn1,
  sequence,
  set,
  tagged,
  time,
  toDer,
  utf8String,
} from "./asn1.ts";
import { derToPem } from "./pem.ts";
import { extension, OID } from "./x509-names.ts";

const DAY_MS = 86_400_000;
const VALID_DAYS = 366;

/** How keys sign here: the algorithm as it is written, and the digest for node:crypto. */
interface Signing {
  readonly algorithm: Asn1;
  readonly digest: string | null;
}

/** Null when the authority has a kind of key that signs nothing, or a certificate that cannot be read. */
export function makerOf(
  authority: CertificateMaterial,
  own: CertificateMaterial,
  countMax: number,
): CertificateMaker | null {
  try {
    const certificate = new X509Certificate(authority.certificatePem);
    const key = createPrivateKey(authority.keyPem);
    const signing = signingOf(key);
    if (signing === null) return null;
    const publicKey = createPublicKey(own.keyPem).export({ type: "spki", format: "der" });
    const facts: Facts = { authority, certificate, key, signing, publicKey, keyPem: own.keyPem };
    const id = createHash("sha256").update(authority.certificatePem).update(own.keyPem).digest("hex");
    return { id, countMax, make: (name, nowMs) => make(name, nowMs, facts) };
  } catch {
    return null;
  }
}

interface Facts {
  readonly authority: CertificateMaterial;
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  readonly signing: Signing;
  readonly publicKey: Uint8Array;
  readonly keyPem: string;
}

function signingOf(key: KeyObject): Signing | null {
  switch (key.asymmetricKeyType) {
    case "ec":
      return { algorithm: sequence(objectIdentifier("1.2.840.10045.4.3.2")), digest: "sha256" };
    case "rsa":
      return {
        algorithm: sequence(objectIdentifier("1.2.840.113549.1.1.11"), parseAsn1(Uint8Array.of(5, 0))),
        digest: "sha256",
      };
    case "ed25519":
      return { algorithm: sequence(objectIdentifier("1.3.101.112")), digest: null };
    default:
      return null;
  }
}

function make(name: string, nowMs: number, facts: Facts): CertificateMaterial {
  const { authority, certificate, key, signing, publicKey, keyPem } = facts;
  const subject = subjectOf(certificate);
  const notBefore = Math.floor(nowMs / DAY_MS - 1) * DAY_MS;
  const owner = set(sequence(objectIdentifier(OID.commonName), utf8String(name)));
  const body = sequence(
    tagged(0, [integer(Uint8Array.of(2))]),
    integer(serialOf(name, notBefore, certificate)),
    signing.algorithm,
    subject,
    sequence(time(notBefore), time(notBefore + VALID_DAYS * DAY_MS)),
    // The authority's own name, and the one that was asked for behind it.
    sequence(...childrenOf(subject), owner),
    parseAsn1(publicKey),
    tagged(3, [extensions(name, certificate, publicKey)]),
  );
  const signature = sign(signing.digest, toDer(body), key);
  const pem = derToPem("CERTIFICATE", toDer(sequence(body, signing.algorithm, bitString(signature))));
  return { name, certificatePem: `${pem}${authority.certificatePem}`, keyPem };
}

/** Positive, and never with a leading zero byte, as DER wants it. */
function serialOf(name: string, notBefore: number, { fingerprint256 }: X509Certificate): Uint8Array {
  const digest = createHash("sha256").update(`${name} ${notBefore} ${fingerprint256}`).digest();
  const serial = digest.subarray(0, 16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

function extensions(name: string, authority: X509Certificate, publicKey: Uint8Array): Asn1 {
  const authorityKey = keyIdentifierOf(authority);
  return sequence(
    extension(OID.basicConstraints, false, sequence()),
    extension(OID.subjectKeyIdentifier, false, octetString(digestOfKey(publicKey))),
    ...(authorityKey === null
      ? []
      : [extension(OID.authorityKeyIdentifier, false, sequence(tagged(0, authorityKey)))]),
    // digitalSignature, nonRepudiation, keyEncipherment: the first three bits.
    extension(OID.keyUsage, true, bitString(Uint8Array.of(0xe0), 5)),
    extension(OID.subjectAlternativeName, false, sequence(tagged(2, Buffer.from(name, "latin1")))),
  );
}

/** RFC 5280, section 4.2.1.2: of the bits of the key alone. */
function digestOfKey(publicKey: Uint8Array): Uint8Array {
  const bits = octetsOf(childOf(parseAsn1(publicKey), 1));
  return createHash("sha1").update(bits.subarray(1)).digest();
}

/** Version, serial number, algorithm, issuer, validity, subject, key, …; the first is absent in version 1. */
function fieldsOf(certificate: X509Certificate): readonly Asn1[] {
  const fields = childrenOf(childOf(parseAsn1(certificate.raw), 0));
  return fields[0]!.type === 0 && Array.isArray(fields[0]!.value) ? fields.slice(1) : fields;
}

function subjectOf(certificate: X509Certificate): Asn1 {
  return childOf(sequence(...fieldsOf(certificate)), 4);
}

function keyIdentifierOf(certificate: X509Certificate): Uint8Array | null {
  const wrapped = fieldsOf(certificate).find(
    (field, i) => i > 5 && Array.isArray(field.value) && field.type === 3,
  );
  if (wrapped === undefined) return null;
  const found = childrenOf(childOf(wrapped, 0)).find(
    (one) => oidOf(childOf(one, 0)) === OID.subjectKeyIdentifier,
  );
  return found === undefined ? null : octetsOf(parseAsn1(octetsOf(childrenOf(found).at(-1))));
}
