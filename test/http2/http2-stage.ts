// A Sallyport that speaks HTTP/2 with its clients, on a real engine, and a server behind it that says what it
// got, or sends as much as it is asked for.
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createSelfSignedCertificate } from "../../src/io/test-certificates.ts";
import { freePort } from "../free-port.ts";
import { type EngineName, RunningSallyport, TestDirectory } from "../processes/running-sallyport.ts";

export class Http2Stage implements AsyncDisposable {
  readonly directory: TestDirectory = new TestDirectory();
  readonly server: Server = createServer(answer);
  sallyport!: RunningSallyport;
  /** Clear, TLS, clear with `proto h2`, clear without upgrade. */
  ports: number[] = [];
  /** Of requests that have come to the server. */
  requestCount = 0;

  static async start(engine: EngineName, more = ""): Promise<Http2Stage> {
    const stage = new Http2Stage();
    stage.server.on("request", () => stage.requestCount++);
    stage.server.listen(0, "127.0.0.1");
    await once(stage.server, "listening");
    stage.ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
    const { certificatePem, keyPem } = createSelfSignedCertificate({ commonName: "localhost" });
    stage.directory.file("a.pem", `${certificatePem}${keyPem}`, 0o600);
    const path = stage.directory.file("x.cfg", stage.#configuration(more));
    stage.sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
    return stage;
  }

  #configuration(more: string): string {
    const { port } = this.server.address() as AddressInfo;
    const [clear, secure, forced, old] = this.ports;
    return `
global
  log stdout format raw local0
  stats socket ${this.directory.file("stats")} level admin
${more}
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend web
  log global
  log-format "%HM %HU %HV %ST %ts fc=%[fc_http_major] ver=%[var(txn.version)] alpn=%[ssl_fc_alpn]"
  bind 127.0.0.1:${clear}
  bind 127.0.0.1:${secure} ssl crt ${this.directory.file("a.pem")} alpn h2,http/1.1
  bind 127.0.0.1:${forced} proto h2
  option forwardfor
  http-request set-var(txn.version) req.ver
  http-request deny if { path /denied }
  default_backend web
frontend old
  option disable-h2-upgrade
  bind 127.0.0.1:${old}
  default_backend web
backend web
  server a 127.0.0.1:${port}
`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sallyport[Symbol.asyncDispose]();
    this.server.closeAllConnections();
    this.server.close();
    this.directory[Symbol.dispose]();
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url!;
  if (url.startsWith("/bytes/")) {
    response.end(Buffer.alloc(Number(url.slice("/bytes/".length)), "b"));
    return;
  }
  // Nobody answers.
  if (url === "/never") return;
  const parts: Buffer[] = [];
  request.on("data", (part) => parts.push(part));
  request.on("error", () => undefined);
  request.on("end", () => {
    if (url === "/trailers") {
      response.writeHead(200, { trailer: "x-sum" });
      response.write("data");
      response.addTrailers({ "x-sum": "5" });
      response.end();
      return;
    }
    const { method, rawHeaders, rawTrailers } = request;
    const length = Buffer.concat(parts).length;
    response.end(JSON.stringify({ method, url, headers: rawHeaders, length, trailers: rawTrailers }));
  });
}
