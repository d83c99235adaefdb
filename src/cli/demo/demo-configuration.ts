// The configuration of the demo: the file that a cluster of three IIS servers behind HAProxy 1.5 had, with
// the demo's own addresses in it, and a page of statistics beside it.

export interface DemoAddresses {
  /** Addresses that `localhost` has here: "127.0.0.1", "[::1]". */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly statisticsPort: number;
  readonly certificatePath: string;
  readonly servers: readonly { readonly name: string; readonly cookie: string; readonly port: number }[];
}

export function demoConfiguration(addresses: DemoAddresses): string {
  const bind = (port: number) => addresses.hosts.map((host) => `${host}:${port}`).join(",");
  const servers = addresses.servers.map(
    ({ name, cookie, port }) => `  server ${name} 127.0.0.1:${port} cookie ${cookie} check`,
  );
  return `# Written by \`sallyport demo\` at each start. Change it while the demo runs, then: sallyport reload

global
  log stdout format raw local0

defaults
  mode http
  log global
  option httplog
  option redispatch 1
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  default-server inter 1s fall 2 rise 1

frontend https-in
  bind ${bind(addresses.port)} ssl crt ${quoted(addresses.certificatePath)}
  reqadd X-Forwarded-Proto:\\ https
  default_backend application-backend

backend application-backend
  balance roundrobin
  option httpclose
  option forwardfor
  cookie SERVERID insert indirect nocache
${servers.join("\n")}

frontend statistics
  bind ${bind(addresses.statisticsPort)}
  no log
  http-request use-service prometheus-exporter if { path /metrics }
  stats enable
  stats uri /
  stats refresh 5s
`;
}

/** Between single quotes everything stands for itself, apart from the quote. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
