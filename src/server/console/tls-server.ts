// An HTTPS server on one address with one or more certificates, chosen by server name (SNI). It knows nothing
// of consoles.

import { X509Certificate } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createSecureContext } from "node:tls";
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

/** Not listening yet. */
export function createTlsServer({ certificates }: TlsEndpoint): Server {
  const contexts = certificates.map(({ certificatePem, keyPem }) =>
    createSecureContext({ cert: certificatePem, key: keyPem, minVersion: "TLSv1.2" }),
  );
  const names = new ServerNames();
  certificates.forEach(({ certificatePem }, index) => {
    for (const name of certificateFacts(new X509Certificate(certificatePem)).names) names.add(name, index);
  });
  const [first] = certificates;
  const server = createServer({
    cert: first!.certificatePem,
    key: first!.keyPem,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["http/1.1"],
    SNICallback: (name, done) => done(null, contexts[Math.max(names.find(name), 0)]),
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: HEAD_TIMEOUT_MS,
    handshakeTimeout: HEAD_TIMEOUT_MS,
    maxHeaderSize: 16 * 1024,
  });
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
