// The dashboard in the master: listens, asks the counters once a second, and ends with the rest. It never
// stands between a client and a server, and a defect in it is told and ends nothing but the call, so traffic
// and health checks go on.
import { createServer, type RequestListener, type Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { ApiError } from "../../model/dashboard-api.ts";
import type { CertificateMaterial } from "../../transport/contract.ts";
import { renewCertificates } from "../certificates/renewal.ts";
import { createTlsServer } from "../console/tls-server.ts";
import type { EndedRequest } from "../messages.ts";
import type { SourceText } from "../prepare.ts";
import { ApiServer } from "./api-server.ts";
import { AuditTail } from "./audit-tail.ts";
import { firstOwnCertificate, readOwnCertificate } from "./own-certificate.ts";
import { namesOf } from "./own-names.ts";
import { allRoutes } from "./routes.ts";
import { Sessions } from "./sessions.ts";
import { type DashboardSettings, type ListenPlace, readPlaces } from "./settings.ts";
import type { DashboardSource } from "./source.ts";
import { DashboardState } from "./state.ts";
import { builtDashboard, StaticFiles } from "./static-files.ts";

const TICK_MS = 1000;
/** Who takes longer to ask is cut off, and this is looked at more often than Node would. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 5000,
} as const;
const CONNECTIONS_MAX = 1000;
const SILENCE_MS = 60_000;
/** How often a browser hears of new requests: as fast as anybody reads. */
const REQUESTS_MS = 250;

export class Dashboard {
  readonly #settings: DashboardSettings;
  readonly #source: DashboardSource;
  readonly #state: DashboardState;
  readonly #servers: Server[] = [];
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  /** None: no TLS. */
  #certificates: readonly CertificateMaterial[] = [];
  #names: ReadonlySet<string> = new Set();
  #origin: string | null = null;
  #lastDefect = "";

  constructor(settings: DashboardSettings, source: DashboardSource) {
    this.#settings = settings;
    this.#source = source;
    const auditTail = new AuditTail(settings.auditFile, source.report);
    this.#state = new DashboardState(settings, source, auditTail);
  }

  /** As browsers see it; null until it listens. */
  get origin(): string | null {
    return this.#origin;
  }

  /** Null once it listens; else why it cannot, and nothing is open. */
  async start(): Promise<string | null> {
    const places = readPlaces(this.#settings);
    if (!places.ok) return places.help === null ? places.message : `${places.message}. ${places.help}`;
    const { certificateFile } = this.#settings;
    const scheme = certificateFile === null ? "http" : "https";
    if (certificateFile !== null) {
      const reading = firstOwnCertificate(certificateFile, this.#source.environment);
      if (!reading.ok) return reading.message;
      this.#certificates = reading.certificates;
    }
    this.#names = namesOf(places.places, this.#certificates, this.#settings.names);
    const { usersFile, signOn } = this.#settings;
    const sessions = new Sessions({ usersFile, signOn, isSecure: scheme === "https" });
    const api = new ApiServer({
      gate: { scheme, isOwnName: (name) => this.#names.has(name) },
      routes: allRoutes(this.#state, sessions),
      sessions,
      files: new StaticFiles(this.#settings.assetsDirectory ?? builtDashboard()),
      noteRefusal: ({ user }, client, what, { body }) => {
        const { error } = body as ApiError;
        this.#state.audit({ event: "refused", user, client, what, reason: error.code });
      },
      report: this.#source.report,
    });
    const problem = await this.#listen(places.places, (request, response) => api.handle(request, response));
    if (problem !== null) {
      await this.close();
      return problem;
    }
    const { port } = this.#servers[0]!.address() as AddressInfo;
    const standard = scheme === "https" ? 443 : 80;
    const name = this.#settings.names[0] ?? hostOf(places.places);
    this.#origin = `${scheme}://${name}${port === standard ? "" : `:${port}`}`;
    this.#timers.push(setInterval(() => this.tick(), TICK_MS));
    this.#timers.push(setInterval(() => this.#guard(() => this.#state.tellRequests()), REQUESTS_MS));
    return null;
  }

  /** What happens once a second. */
  tick(): void {
    this.#guard(() => this.#state.tick());
  }

  handleReload(sources: readonly SourceText[]): void {
    this.#guard(() => this.#state.handleReload(sources));
  }

  /** With a reload. Null, or why the old one goes on. */
  renewCertificate(): string | null {
    const { certificateFile } = this.#settings;
    const places = readPlaces(this.#settings);
    if (certificateFile === null || !places.ok) return null;
    const reading = readOwnCertificate(certificateFile, this.#source.environment);
    const servers = this.#servers as TlsServer[];
    const renewal = renewCertificates("the dashboard", reading, this.#certificates, servers);
    if (renewal.kind === "same") return null;
    if (renewal.kind === "refused") return renewal.message;
    this.#source.report(renewal.message);
    this.#certificates = renewal.certificates;
    this.#names = namesOf(places.places, renewal.certificates, this.#settings.names);
    return null;
  }

  handleRequests(requests: readonly EndedRequest[], endedCount: number): void {
    this.#guard(() => this.#state.handleRequests(requests, endedCount));
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      const text = `dashboard: ${String(error)}`;
      // Once a second it would fill the log.
      if (text !== this.#lastDefect) this.#source.report(text);
      this.#lastDefect = text;
    }
  }

  /** Readers of events are told; whatever else is going on is cut. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#state.close();
    await Promise.all(
      this.#servers.splice(0).map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeIdleConnections();
            setTimeout(() => server.closeAllConnections(), CLOSE_MS).unref();
          }),
      ),
    );
  }

  /** A text: why the certificate cannot be served. */
  #createServer({ host }: ListenPlace, port: number): Server | string {
    if (this.#certificates.length === 0) return createServer(TIMEOUTS);
    try {
      return createTlsServer({ ip: host, port, certificates: this.#certificates, public: null });
    } catch (error) {
      // Such as a key that OpenSSL takes for too short.
      return (error as Error).message;
    }
  }

  async #listen(places: readonly ListenPlace[], handle: RequestListener): Promise<string | null> {
    let port = places[0]!.port;
    for (const place of places) {
      const server = this.#createServer(place, port);
      if (typeof server === "string") return `the dashboard's certificate: ${server}`;
      server.maxConnections = CONNECTIONS_MAX;
      // Who takes nothing for so long is gone; events come more often.
      server.setTimeout(SILENCE_MS);
      server.on("clientError", (_error, socket) => socket.destroy());
      server.on("request", handle);
      const problem = await listenAt(server, place.host, port);
      if (problem === null) this.#servers.push(server);
      else if (!place.isOptional) return `the dashboard cannot listen on ${place.host}:${port}: ${problem}`;
      // `localhost:0` is one port on both addresses.
      port = (this.#servers[0]!.address() as AddressInfo).port;
    }
    return null;
  }
}

/** How long an answer that is being written may still take. */
const CLOSE_MS = 500;

function hostOf(places: readonly ListenPlace[]): string {
  const [first] = places;
  if (places.length > 1) return "localhost";
  return first!.host.includes(":") ? `[${first!.host}]` : first!.host;
}

/** Null, or why not. */
function listenAt(server: Server, host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    server.once("error", (error) => resolve(error.message));
    server.listen(port, host, () => resolve(null));
  });
}
