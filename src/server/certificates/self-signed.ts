// Makes a certificate that vouches for itself: for the demo and for tests, never for the public.
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { parseIpAddress } from "../../base/address.ts";
import {
  type Asn1,
  bitString,
  integer,
  objectIdentifier,
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

/** The most that browsers and macOS accept of a server's certificate. */
const VALID_DAYS = 825;
const DAY_MS = 86_400_000;
/** Clocks of neighbours differ. */
const BACKDATED_MS = 3_600_000;

const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";

/**
 * A new P-256 key and its certificate (RFC 5280), valid for 825 days, for DNS names and IP addresses; the
 * first becomes the subject's common name. `names` must not be empty.
 */
export function makeSelfSigned(
  names: readonly string[] = ["localhost", "127.0.0.1", "::1"],
  nowMs: number = Date.now(),
): { readonly certificatePem: string; readonly keyPem: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const subject = sequence(set(sequence(objectIdentifier(OID.commonName), utf8String(names[0]!))));
  const notBefore = nowMs - BACKDATED_MS;
  const body = sequence(
    tagged(0, [integer(Uint8Array.of(2))]),
    integer(serialNumber()),
    algorithm,
    subject,
    sequence(time(notBefore), time(notBefore + VALID_DAYS * DAY_MS)),
    subject,
    parseAsn1(publicKey.export({ type: "spki", format: "der" })),
    tagged(3, [extensions(names)]),
  );
  const signature = sign("sha256", toDer(body), privateKey);
  return {
    certificatePem: derToPem("CERTIFICATE", toDer(sequence(body, algorithm, bitString(signature)))),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** Positive and never with a leading zero byte, as DER wants it. */
function serialNumber(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}

function extensions(names: readonly string[]): Asn1 {
  return sequence(
    extension(OID.basicConstraints, true, sequence()),
    // digitalSignature, the first of the bits.
    extension(OID.keyUsage, true, bitString(Uint8Array.of(0x80), 7)),
    extension(OID.extendedKeyUsage, false, sequence(objectIdentifier(SERVER_AUTHENTICATION))),
    extension(OID.subjectAlternativeName, false, sequence(...names.map(generalName))),
  );
}

/** RFC 5280 section 4.2.1.6: [7] iPAddress, [2] dNSName. */
function generalName(name: string): Asn1 {
  const address = parseIpAddress(name);
  return address === null ? tagged(2, Buffer.from(name, "latin1")) : tagged(7, address.bytes);
}
