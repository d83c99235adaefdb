// TLS as far as facts go: which certificate, version, protocol and session two specs agree on, and who
// refuses whom. Nothing is encrypted. Certificates that are no PEM count as certificates for the name they
// carry, so that a simulation need not make keys. Chains are one authority deep, and dates are not looked at.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { failed, failure, type Result, success } from "../../base/failure.ts";
import { ServerNames } from "../../protocol/tls/server-names.ts";
import type {
  CertificateMaterial,
  TlsClientContext,
  TlsClientSpec,
  TlsFacts,
  TlsServerContext,
  TlsServerSpec,
  TlsVersion,
} from "../../transport/contract.ts";

const VERSIONS: readonly TlsVersion[] = ["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
const DEFAULT_SUITE = "TLS_AES_128_GCM_SHA256";
const DEFAULT_CIPHER = "ECDHE-RSA-AES128-GCM-SHA256";

interface ShownCertificate {
  readonly names: readonly string[];
  readonly der: Uint8Array;
  readonly x509: X509Certificate | null;
}

/** What a server gave a client to come back with. */
export interface MemorySession {
  readonly ticketKeys: string;
  readonly version: string;
  readonly clientCertificate: Uint8Array | null;
  readonly serverCertificate: Uint8Array;
}

export interface ClientHello {
  readonly context: MemoryTlsClientContext;
  readonly serverName: string;
  readonly session: MemorySession | null;
}

/** What the server answers: facts for both ends, and the certificate that the client still has to judge. */
export interface ServerHello {
  readonly serverFacts: TlsFacts;
  readonly clientFacts: TlsFacts;
  readonly shown: ShownCertificate | null;
  readonly session: MemorySession | null;
}

export class MemoryTlsServerContext implements TlsServerContext {
  readonly kind = "tls-server";
  readonly spec: TlsServerSpec;
  readonly #certificates: readonly ShownCertificate[];
  readonly #names = new ServerNames();

  /** Throws at a key that does not belong to its certificate. */
  constructor(spec: TlsServerSpec) {
    this.spec = spec;
    this.#certificates = spec.certificates.map(readCertificate);
    for (const [index, { names }] of spec.certificates.entries())
      this.#names.add(names ?? this.#certificates[index]!.names, index);
  }

  /** Exact name, then one wildcard label, then the first unless SNI is strict. */
  certificateFor(serverName: string): ShownCertificate | null {
    const found = serverName === "" ? undefined : this.#certificates[this.#names.find(serverName)];
    return found ?? (this.spec.strictSni ? null : (this.#certificates[0] ?? null));
  }
}

export class MemoryTlsClientContext implements TlsClientContext {
  readonly kind = "tls-client";
  readonly spec: TlsClientSpec;
  readonly certificate: ShownCertificate | null;
  readonly sessions: Map<string, MemorySession> = new Map();

  constructor(spec: TlsClientSpec) {
    this.spec = spec;
    this.certificate = spec.certificate === null ? null : readCertificate(spec.certificate);
  }
}

export function createMemoryTlsServerContext(spec: TlsServerSpec): Result<TlsServerContext> {
  return attempt(() => new MemoryTlsServerContext(spec));
}

export function createMemoryTlsClientContext(spec: TlsClientSpec): Result<TlsClientContext> {
  return attempt(() => new MemoryTlsClientContext(spec));
}

/** The server's answer to a hello, or why it refuses. */
export function answerHello(
  context: MemoryTlsServerContext,
  hello: ClientHello,
): Result<ServerHello, string> {
  const { spec } = context;
  const client = hello.context;
  const version = commonVersion(spec, client.spec);
  if (version === null) return failed("no protocol version in common");
  const shown = context.certificateFor(hello.serverName);
  if (shown === null) return failed(`no certificate for "${hello.serverName}"`);
  const ticketKeys = spec.ticketKeys === null ? null : Buffer.from(spec.ticketKeys).toString("hex");
  const { session } = hello;
  const resumed =
    session !== null && session.ticketKeys === ticketKeys && session.version === version ? session : null;
  const refusal = resumed === null ? clientRefusal(spec, client.certificate) : null;
  if (refusal !== null) return failed(refusal);
  const presented = spec.clientVerify === null ? null : (client.certificate?.der ?? null);
  const clientCertificate = resumed === null ? presented : resumed.clientCertificate;
  const facts = {
    version,
    cipher: cipherFor(version, spec),
    serverName: hello.serverName,
    alpn: spec.alpn.find((protocol) => client.spec.alpn.includes(protocol)) ?? "",
    isResumed: resumed !== null,
    verifyResult: 0,
  };
  const serverCertificate = resumed?.serverCertificate ?? shown.der;
  return success({
    serverFacts: {
      ...facts,
      peerCertificate: clientCertificate,
      peerChain: null,
      ownCertificate: serverCertificate,
    },
    clientFacts: {
      ...facts,
      peerCertificate: serverCertificate,
      peerChain: serverCertificate,
      ownCertificate: clientCertificate,
    },
    shown: resumed === null ? shown : null,
    session: ticketKeys === null ? null : { ticketKeys, version, clientCertificate, serverCertificate },
  });
}

/** Why the client does not go on with this server, or null. */
export function serverRefusal(hello: ClientHello, answer: ServerHello): string | null {
  const { verify } = hello.context.spec;
  if (verify === null || answer.shown === null) return null;
  const wrong = authorityRefusal(answer.shown, verify.caPem, verify.crlPem);
  if (wrong !== null) return wrong;
  const name = verify.host ?? hello.serverName;
  if (name === "") return null;
  const { x509, names } = answer.shown;
  const isNamed = x509 === null ? names.includes(name.toLowerCase()) : x509.checkHost(name) !== undefined;
  return isNamed ? null : `the certificate is not for ${name}`;
}

function clientRefusal(spec: TlsServerSpec, certificate: ShownCertificate | null): string | null {
  const { clientVerify } = spec;
  if (clientVerify === null) return null;
  if (certificate === null) return clientVerify.mode === "required" ? "the client sent no certificate" : null;
  return authorityRefusal(certificate, clientVerify.caPem, clientVerify.crlPem);
}

function authorityRefusal(
  certificate: ShownCertificate,
  caPem: string,
  crlPem: string | null,
): string | null {
  if (certificate.x509 === null || caPem === "") return null;
  const leaf = certificate.x509;
  const authorities = (caPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );
  const isSigned = authorities.some(
    (authority) => leaf.checkIssued(authority) && leaf.verify(authority.publicKey),
  );
  if (!isSigned) return "unable to get local issuer certificate";
  return crlPem !== null && isListed(leaf, crlPem) ? "certificate revoked" : null;
}

/** Whether the list has the serial number as a DER integer: enough where lists are honest. */
function isListed(leaf: X509Certificate, crlPem: string): boolean {
  const list = Buffer.from(crlPem.replace(/-----[^-]+-----/g, ""), "base64");
  const serial = Buffer.from(leaf.serialNumber, "hex");
  return list.includes(Buffer.concat([Buffer.from([0x02, serial.length]), serial]));
}

function commonVersion(server: TlsServerSpec, client: TlsClientSpec): TlsVersion | null {
  const at = (version: TlsVersion) => VERSIONS.indexOf(version);
  const highest = Math.min(at(server.maxVersion), at(client.maxVersion));
  return highest < Math.max(at(server.minVersion), at(client.minVersion)) ? null : VERSIONS[highest]!;
}

function cipherFor(version: TlsVersion, spec: TlsServerSpec): string {
  const list = version === "TLSv1.3" ? spec.ciphersuites : spec.ciphers;
  return list?.split(":")[0] ?? (version === "TLSv1.3" ? DEFAULT_SUITE : DEFAULT_CIPHER);
}

function readCertificate(material: CertificateMaterial): ShownCertificate {
  if (!material.certificatePem.includes("BEGIN CERTIFICATE")) {
    return { names: [material.name.toLowerCase()], der: Buffer.from(material.name), x509: null };
  }
  const x509 = new X509Certificate(material.certificatePem);
  if (!x509.checkPrivateKey(createPrivateKey(material.keyPem))) throw new Error("key values mismatch");
  const alternative = [...(x509.subjectAltName ?? "").matchAll(/DNS:([^,\s]+)/g)].map((match) => match[1]!);
  const common = [...x509.subject.matchAll(/^CN=(.+)$/gm)].map((match) => match[1]!);
  return { names: [...alternative, ...common].map((name) => name.toLowerCase()), der: x509.raw, x509 };
}

function attempt<T>(make: () => T): Result<T> {
  try {
    return success(make());
  } catch (error) {
    return failed(failure("tls", "proxy", error instanceof Error ? error.message : String(error)));
  }
}
