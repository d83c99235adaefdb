// Certificates for tests, made anew in each process: authorities, leaves signed by them, and revocation
// lists. Keys come from node:crypto (forge's own take seconds). Not for use outside of tests: keys are
// short-lived and RSA only.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import forge from "node-forge";
import type { CertificateMaterial } from "../transport/contract.ts";

const DAY_MS = 24 * 3600 * 1000;

export interface LeafOptions {
  readonly commonName: string;
  /** DNS names, and IP addresses as such. Default: the common name. */
  readonly names?: readonly string[];
  /** Days from now until it ends; negative for one that has expired. Default 30. */
  readonly validDays?: number;
}

export interface TestAuthority {
  readonly certificatePem: string;
  /** A leaf for servers and clients alike. `name` of the result is the common name. */
  issue(options: LeafOptions): CertificateMaterial;
  /** A signed revocation list that names the given leaves. */
  revoke(materials: readonly CertificateMaterial[]): string;
}

interface Identity {
  readonly key: forge.pki.rsa.PrivateKey;
  readonly keyPem: string;
  readonly certificate: forge.pki.Certificate;
}

/** A root authority of its own. */
export function createTestAuthority(commonName: string): TestAuthority {
  const root = makeRoot(commonName);
  return {
    certificatePem: forge.pki.certificateToPem(root.certificate),
    issue(options) {
      const leaf = makeLeaf(options, root);
      return materialOf(options.commonName, leaf);
    },
    revoke: (materials) => revocationList(root, materials),
  };
}

/** A leaf that is signed by itself. */
export function createSelfSignedCertificate(options: LeafOptions): CertificateMaterial {
  return materialOf(options.commonName, makeLeaf(options, null));
}

function materialOf(name: string, leaf: Identity): CertificateMaterial {
  return { name, certificatePem: forge.pki.certificateToPem(leaf.certificate), keyPem: leaf.keyPem };
}

function makeKeys(): { key: forge.pki.rsa.PrivateKey; keyPem: string; publicKey: forge.pki.rsa.PublicKey } {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return {
    key: forge.pki.privateKeyFromPem(privateKey),
    keyPem: privateKey,
    publicKey: forge.pki.publicKeyFromPem(publicKey),
  };
}

function makeCertificate(
  publicKey: forge.pki.rsa.PublicKey,
  commonName: string,
  validDays: number,
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  // Positive and without leading zero, as DER integers must be.
  certificate.serialNumber = `1${randomBytes(8).toString("hex").slice(1)}`;
  certificate.validity.notBefore = new Date(Date.now() - 60 * DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + validDays * DAY_MS);
  certificate.setSubject([{ name: "commonName", value: commonName }]);
  return certificate;
}

function makeRoot(commonName: string): Identity {
  const { key, keyPem, publicKey } = makeKeys();
  const certificate = makeCertificate(publicKey, commonName, 365);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ]);
  certificate.sign(key, forge.md.sha256.create());
  return { key, keyPem, certificate };
}

function makeLeaf(options: LeafOptions, issuer: Identity | null): Identity {
  const { key, keyPem, publicKey } = makeKeys();
  const certificate = makeCertificate(publicKey, options.commonName, options.validDays ?? 30);
  certificate.setIssuer((issuer?.certificate ?? certificate).subject.attributes);
  const names = options.names ?? [options.commonName];
  certificate.setExtensions([
    { name: "basicConstraints", cA: false },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true },
    { name: "extKeyUsage", serverAuth: true, clientAuth: true },
    { name: "subjectAltName", altNames: names.map(alternativeName) },
  ]);
  certificate.sign(issuer?.key ?? key, forge.md.sha256.create());
  return { key, keyPem, certificate };
}

/** The numbers are the GeneralName tags of RFC 5280 section 4.2.1.6. */
function alternativeName(name: string): { type: number; value?: string; ip?: string } {
  return /^[\d.]+$|:/.test(name) ? { type: 7, ip: name } : { type: 2, value: name };
}

/** A CertificateList of RFC 5280 section 5.1, version 1, which forge cannot make by itself. */
function revocationList(root: Identity, materials: readonly CertificateMaterial[]): string {
  const { asn1 } = forge;
  const sequence = (...parts: forge.asn1.Asn1[]) =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, parts);
  const time = (atMs: number) =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.UTCTIME, false, asn1.dateToUtcTime(new Date(atMs)));
  const algorithm = sequence(
    asn1.create(
      asn1.Class.UNIVERSAL,
      asn1.Type.OID,
      false,
      asn1.oidToDer(forge.pki.oids["sha256WithRSAEncryption"]!).getBytes(),
    ),
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.NULL, false, ""),
  );
  const revoked = materials.map(({ certificatePem }) => {
    const serial = forge.util.hexToBytes(forge.pki.certificateFromPem(certificatePem).serialNumber);
    return sequence(
      asn1.create(asn1.Class.UNIVERSAL, asn1.Type.INTEGER, false, serial),
      time(Date.now() - DAY_MS),
    );
  });
  const list = sequence(
    algorithm,
    forge.pki.distinguishedNameToAsn1(root.certificate.subject),
    time(Date.now() - DAY_MS),
    time(Date.now() + 30 * DAY_MS),
    ...(revoked.length > 0 ? [sequence(...revoked)] : []),
  );
  const digest = forge.md.sha256.create().update(asn1.toDer(list).getBytes());
  const signature = asn1.create(
    asn1.Class.UNIVERSAL,
    asn1.Type.BITSTRING,
    false,
    `\0${root.key.sign(digest)}`,
  );
  const der = asn1.toDer(sequence(list, algorithm, signature)).getBytes();
  return forge.pem.encode({ type: "X509 CRL", body: der });
}
