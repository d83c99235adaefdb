// Draws the proxy's configuration, as text: what is tested includes the way from text to a running
// generation. Timeouts and limits are such that a clean scenario never meets them.
import type { Draw } from "./draw.ts";
import { HTTP_PORT, PROXY_PORT, TCP_PORT, TLS_PORT } from "./server.ts";

export interface ConfigurationTemper {
  readonly isClean: boolean;
  readonly serverCount: number;
  readonly hasChecks: boolean;
  readonly hasCookies: boolean;
}

/** What stays the same over all generations of a run. */
export interface ConfigurationBase {
  readonly defaults: string;
  readonly frontends: string;
  /** Drawn anew for each generation. */
  readonly temper: ConfigurationTemper;
  readonly hasAbortOnClose: boolean;
}

/** Where log lines go. */
export const LOG_ADDRESS = "127.0.0.1:514";
export const CERTIFICATE_PATH = "/sim/certificate.pem";

export function drawBase(draw: Draw, temper: ConfigurationTemper): ConfigurationBase {
  const hasAbortOnClose = !temper.isClean && draw.chance(0.3);
  return {
    defaults: drawDefaults(draw, temper, hasAbortOnClose),
    frontends: drawFrontends(draw, temper),
    temper,
    hasAbortOnClose,
  };
}

/** The text of one generation. */
export function drawGeneration(draw: Draw, base: ConfigurationBase): string {
  return [
    base.defaults,
    base.frontends,
    ...["one", "two"].map((name) => drawBackend(draw, name, base.temper)),
  ].join("\n");
}

function drawDefaults(draw: Draw, { isClean }: ConfigurationTemper, hasAbortOnClose: boolean): string {
  const most = (clean: number, least: number) => (isClean ? clean : draw.integer(least, clean));
  const lines = [
    `timeout connect ${most(3000, 200)}`,
    `timeout client ${most(10_000, 1000)}`,
    `timeout server ${most(10_000, 1000)}`,
    `timeout queue ${most(100_000, 300)}`,
    `timeout http-request ${most(10_000, 500)}`,
    `timeout http-keep-alive ${most(5000, 100)}`,
    `timeout tarpit ${draw.integer(100, 2000)}`,
    `retries ${draw.integer(0, 4)}`,
    "option httplog",
    `log ${LOG_ADDRESS} local0`,
  ];
  if (draw.chance(0.4)) lines.push(`timeout tunnel ${draw.integer(10_000, 20_000)}`);
  if (draw.chance(0.4)) lines.push(`timeout client-fin ${most(5000, 500)}`);
  if (draw.chance(0.4)) lines.push(`timeout server-fin ${most(5000, 500)}`);
  if (draw.chance(0.5))
    lines.push(draw.pick(["option redispatch", "option redispatch -1", "option redispatch 2"]));
  if (hasAbortOnClose) lines.push("option abortonclose");
  const mode = draw.weighted({ "http-keep-alive": 5, "http-server-close": 1, httpclose: 1 });
  lines.push(`option ${mode}`);
  const size = draw.pick([4096, 8192, 16_384]);
  return (
    section("global", [`tune.bufsize ${size}`, "maxconn 10000"]) +
    section("defaults", ["mode http", ...lines])
  );
}

function drawFrontends(draw: Draw, { isClean, serverCount }: ConfigurationTemper): string {
  const web = [
    "bind 10.0.0.1:80",
    `bind 10.0.0.1:443 ssl crt ${CERTIFICATE_PATH}`,
    "bind 10.0.0.1:8080 accept-proxy",
    "http-request deny if { path_beg /deny/ }",
    'http-request return status 200 content-type text/plain lf-string "returned %[path]" if { path_beg /return/ }',
    "http-request redirect prefix https://elsewhere code 302 if { path_beg /redirect/ }",
    "http-request tarpit if { path_beg /tarpit/ }",
    `http-request wait-for-body time ${isClean ? 8000 : draw.integer(200, 3000)} if { path_beg /wait/ }`,
    "use_backend two if { path_beg /two/ }",
    "default_backend one",
  ];
  if (draw.chance(0.3)) web.push(`maxconn ${draw.integer(2, 12)}`);
  if (draw.chance(0.5))
    web.push("http-request set-header X-Proxied 1", "http-response set-header X-Seen %[status]");
  if (draw.chance(0.3)) web.push("http-after-response set-header X-After 1", "option forwardfor");
  if (draw.chance(0.3)) web.push("capture request header Host len 20", "unique-id-format %ci:%cp_%Ts:%rt");
  const servers = Array.from(
    { length: serverCount },
    (_, i) => `server s${i + 1} 10.0.1.${i + 1}:${TCP_PORT}`,
  );
  const wire = [
    "mode tcp",
    "option tcplog",
    "bind 10.0.0.1:9000",
    `balance ${draw.pick(["roundrobin", "leastconn"])}`,
  ];
  if (draw.chance(0.4))
    wire.push("tcp-request inspect-delay 500ms", "tcp-request content accept if WAIT_END");
  if (draw.chance(0.3)) wire.push(`maxconn ${draw.integer(1, 4)}`);
  return section("frontend web", web) + section("listen wire", [...wire, ...servers]);
}

function drawBackend(draw: Draw, name: string, temper: ConfigurationTemper): string {
  const { isClean, serverCount, hasChecks, hasCookies } = temper;
  const lines = [
    `balance ${draw.pick(["roundrobin", "leastconn", "static-rr", "random", "source", "uri", "first", "hdr(x-id)"])}`,
  ];
  const reuse = draw.weighted({ safe: 3, always: 3, aggressive: 2, never: 1.5 });
  lines.push(`http-reuse ${reuse}`);
  if (hasCookies) lines.push(`cookie SIM${name.toUpperCase()} insert indirect nocache`);
  if (hasChecks) lines.push("option httpchk GET /health", "http-check expect status 200");
  if (draw.chance(0.2)) lines.push(`option ${draw.pick(["http-server-close", "httpclose"])}`);
  const hasLimits = draw.chance(0.4);
  const observes = !isClean && hasChecks && draw.chance(0.4);
  const way = draw.weighted({ clear: 6, proxied: 1.5, "proxied-v2": 1, tls: 1.5 });
  for (let i = 1; i <= serverCount; i++) {
    // Clean scenarios keep all servers, so that cookies go on leading somewhere.
    if (!isClean && i > 1 && draw.chance(0.15)) continue;
    const words = [`server s${i} 10.0.1.${i}:${WAYS[way]}`];
    if (hasCookies) words.push(`cookie s${i}`);
    if (hasLimits) words.push(`maxconn ${draw.integer(1, 4)}`);
    if (hasLimits && !isClean && draw.chance(0.3)) words.push(`maxqueue ${draw.integer(1, 3)}`);
    if (hasLimits && draw.chance(0.2)) words.push("minconn 1");
    if (draw.chance(0.3)) words.push(`weight ${draw.integer(1, 50)}`);
    if (draw.chance(0.2)) words.push(`pool-max-conn ${draw.integer(0, 3)}`);
    if (draw.chance(0.2)) words.push(`pool-purge-delay ${draw.integer(100, 3000)}ms`);
    if (hasChecks)
      words.push(
        `check inter ${draw.integer(200, 2000)} fall ${draw.integer(1, 3)} rise ${draw.integer(1, 2)}`,
      );
    if (observes) words.push("observe layer7 error-limit 5 on-error mark-down");
    if (hasChecks && !isClean && draw.chance(0.3)) words.push("on-marked-down shutdown-sessions");
    if (!isClean && i > 1 && draw.chance(0.15)) words.push("backup");
    lines.push(words.join(" "));
  }
  return section(`backend ${name}`, lines);
}

/** Port, and the words behind it, by how a backend's servers are spoken to. */
const WAYS: Readonly<Record<string, string>> = {
  clear: `${HTTP_PORT}`,
  proxied: `${PROXY_PORT} send-proxy`,
  "proxied-v2": `${PROXY_PORT} send-proxy-v2`,
  tls: `${TLS_PORT} ssl verify none`,
};

function section(title: string, lines: readonly string[]): string {
  return `${title}\n${lines.map((line) => `    ${line}\n`).join("")}`;
}
