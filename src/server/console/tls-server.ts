// An HTTPS server on one address with one or more certificates, chosen by server name (SNI). It knows nothing
// of consoles.

import { X509Certificate } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { ServerNames } from "../../protocol/tls/server-names.ts";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { certificateFacts } from "../certificates/certificate-facts.ts";

export interface TlsEndpoint {
  readonly ip: string;
  /** 0: any that is free. */
  readonly port: number;
  /** At least one; the first is shown to who asks for no name, or for none of these. */
  readonly certificates: readonly CertificateMaterial[];
  /** "consoles.company.com:443", where that is another address for browsers. */
  readonly public: string | null;
}

const HEAD_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 10_000;

/** Which certificate is shown to whom. All of them can be replaced while a server serves. */
class ShownCertificates {
  #names = new ServerNames();
  #contexts: readonly SecureContext[] = [];

  /** Throws when one of them and its key do not belong together; then all stay as they were. */
  set(certificates: readonly CertificateMaterial[]): void {
    const contexts = certificates.map((one) => createSecureContext(contextOptions(one)));
    const names = new ServerNames();
    certificates.forEach(({ certificatePem }, index) => {
      names.add(certificateFacts(new X509Certificate(certificatePem)).names, index);
    });
    this.#contexts = contexts;
    this.#names = names;
  }

  contextFor(name: string): SecureContext | undefined {
    return this.#contexts[Math.max(this.#names.find(name), 0)];
  }
}

function contextOptions({ certificatePem, keyPem }: CertificateMaterial): SecureContextOptions {
  return { cert: certificatePem, key: keyPem, minVersion: "TLSv1.2" };
}

const shownBy = new WeakMap<Server, ShownCertificates>();

/** From the next handshake on; open connections stay. Null, or why all stays as it was. */
export function replaceCertificates(
  server: Server,
  certificates: readonly CertificateMaterial[],
): string | null {
  try {
    shownBy.get(server)!.set(certificates);
    // For who asks for no name.
    server.setSecureContext(contextOptions(certificates[0]!));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Not listening yet. */
export function createTlsServer({ certificates }: TlsEndpoint): Server {
  const shown = new ShownCertificates();
  shown.set(certificates);
  const server = createServer({
    ...contextOptions(certificates[0]!),
    ALPNProtocols: ["http/1.1"],
    SNICallback: (name, done) => done(null, shown.contextFor(name)),
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: HEAD_TIMEOUT_MS,
    connectionsCheckingInterval: HEAD_TIMEOUT_MS / 2,
    handshakeTimeout: HEAD_TIMEOUT_MS,
    maxHeaderSize: 16 * 1024,
  });
  shownBy.set(server, shown);
  server.maxConnections = CONNECTIONS_MAX;
  // Scanners and browsers that do not like a certificate are no news.
  server.on("tlsClientError", () => {});
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

/** Rejects when the address cannot be had. */
export function listen(server: Server, { ip, port }: TlsEndpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, ip, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** What browsers call it: "https://consoles.company.com", without the port when it is 443. */
export function originOf(endpoint: Omit<TlsEndpoint, "certificates">, server: Server | null = null): string {
  if (endpoint.public !== null) return `https://${endpoint.public.replace(/:443$/, "").toLowerCase()}`;
  const port = server === null ? endpoint.port : (server.address() as AddressInfo).port;
  const host = endpoint.ip.includes(":") ? `[${endpoint.ip}]` : endpoint.ip;
  return `https://${host}${port === 443 ? "" : `:${port}`}`;
}
