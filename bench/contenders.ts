// Starts HAProxy, nginx and Sallyport with equivalent configurations on one core: TLS and clear ports, one
// backend, X-Forwarded-For, a log line per request to a syslog socket, statistics on.
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchCase } from "./cases.ts";

export interface Contender {
  readonly name: string;
  readonly clearPort: number;
  readonly tlsPort: number;
  readonly process: ChildProcess;
}

export interface Site {
  readonly directory: string;
  readonly originPort: number;
  readonly syslogPort: number;
  /** PEM with certificate and key. */
  readonly certificatePath: string;
  /** Core of the contenders; the other one runs load and origin. */
  readonly core: number;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The origin: nginx, which serves fixed bodies from memory. */
export function startOrigin(site: Site, cases: readonly BenchCase[], core: number): ChildProcess {
  for (const { path, bodyBytes } of cases)
    writeFileSync(join(site.directory, path.slice(1)), "x".repeat(bodyBytes));
  const text = `worker_processes 1; daemon off; pid ${site.directory}/origin.pid; error_log /dev/null;
    events { worker_connections 4096; }
    http { access_log off; keepalive_requests 1000000000; open_file_cache max=100; sendfile on;
      client_body_temp_path ${site.directory}; proxy_temp_path ${site.directory}; fastcgi_temp_path ${site.directory};
      uwsgi_temp_path ${site.directory}; scgi_temp_path ${site.directory};
      server { listen 127.0.0.1:${site.originPort}; root ${site.directory}; } }`;
  return start(site, core, "nginx", ["-c", write(site, "origin.conf", text)]);
}

export function startHaproxy(site: Site, clearPort: number, tlsPort: number): Contender {
  const file = write(site, "haproxy.cfg", haproxyConfiguration(site, clearPort, tlsPort));
  return {
    name: "haproxy",
    clearPort,
    tlsPort,
    process: start(site, site.core, "haproxy", ["-db", "-f", file]),
  };
}

export function startSallyport(site: Site, clearPort: number, tlsPort: number): Contender {
  const file = write(site, "sallyport.cfg", haproxyConfiguration(site, clearPort, tlsPort));
  const process = start(site, site.core, join(ROOT, "bin/sallyport"), ["run", file]);
  return { name: "sallyport", clearPort, tlsPort, process };
}

/** The same with a dashboard; whoever calls it looks at it. */
export function startWatched(
  site: Site,
  clearPort: number,
  tlsPort: number,
  dashboardPort: number,
): Contender {
  const file = write(site, "watched.cfg", haproxyConfiguration(site, clearPort, tlsPort));
  const words = ["run", "--dashboard", `127.0.0.1:${dashboardPort}`, file];
  const process = start(site, site.core, join(ROOT, "bin/sallyport"), words);
  return { name: "with dashboard", clearPort, tlsPort, process };
}

/** A browser that has the dashboard open, as far as the server sees it. */
export function startLooking(dashboardPort: number, core: number): ChildProcess {
  const url = `http://127.0.0.1:${dashboardPort}/api/v1/events`;
  const words = [
    "-c",
    String(core),
    "curl",
    "--silent",
    "--no-buffer",
    "--retry",
    "9",
    "--retry-connrefused",
  ];
  return spawn("taskset", [...words, "--output", "/dev/null", url], { stdio: "ignore" });
}

export function startNginx(site: Site, clearPort: number, tlsPort: number): Contender {
  const text = `worker_processes 1; daemon off; pid ${site.directory}/nginx.pid; error_log /dev/null;
    events { worker_connections 4096; }
    http { keepalive_requests 1000000000; access_log syslog:server=127.0.0.1:${site.syslogPort} combined;
      client_body_temp_path ${site.directory}; proxy_temp_path ${site.directory}; fastcgi_temp_path ${site.directory};
      uwsgi_temp_path ${site.directory}; scgi_temp_path ${site.directory};
      upstream origin { server 127.0.0.1:${site.originPort}; keepalive 128; keepalive_requests 1000000000; }
      server { listen 127.0.0.1:${clearPort}; listen 127.0.0.1:${tlsPort} ssl http2;
        ssl_certificate ${site.certificatePath}; ssl_certificate_key ${site.certificatePath}; ssl_protocols TLSv1.2 TLSv1.3;
        location = /nginx_status { stub_status; }
        location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
          proxy_buffers 16 64k; proxy_buffer_size 16k; proxy_busy_buffers_size 128k;
          proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; } } }`;
  return {
    name: "nginx",
    clearPort,
    tlsPort,
    process: start(site, site.core, "nginx", ["-c", write(site, "nginx.conf", text)]),
  };
}

/** Resolves when a port answers. */
export async function waitForPort(port: number, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await answers(port))) {
    if (performance.now() > deadline) throw new Error(`nothing answers on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function haproxyConfiguration(site: Site, clearPort: number, tlsPort: number): string {
  return `global
  nbthread 1
  log 127.0.0.1:${site.syslogPort} local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend main
  bind 127.0.0.1:${clearPort}
  bind 127.0.0.1:${tlsPort} ssl crt ${site.certificatePath} alpn h2,http/1.1
  stats enable
  stats uri /stats-page
  http-request set-header X-Forwarded-Proto https
  default_backend application
backend application
  balance roundrobin
  option forwardfor
  cookie SERVERID insert indirect nocache
  server WEB-001 127.0.0.1:${site.originPort} cookie A
  server WEB-002 127.0.0.1:${site.originPort} cookie B
  server WEB-003 127.0.0.1:${site.originPort} cookie C
`;
}

function write(site: Site, name: string, text: string): string {
  const path = join(site.directory, name);
  writeFileSync(path, text);
  return path;
}

function start(site: Site, core: number, command: string, commandArguments: readonly string[]): ChildProcess {
  return spawn("taskset", ["-c", String(core), command, ...commandArguments], {
    cwd: site.directory,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
