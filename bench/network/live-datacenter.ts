// Datacentres of any size to be made real: copies of a fenced application, and an edge with many DNAT rules.

/** Two machines in each copy, so that half as many fences as machines are made. */
export const MACHINES_PER_COPY = 2;

export function fencedDatacenter(copies: number): string {
  return [
    ...common("fenced"),
    "vapps:",
    "  shop:",
    "    network: {parent: org, fenced: true}",
    "    machines:",
    ...range(MACHINES_PER_COPY).map(
      (n) => `      m${n}: {address: 10.0.1.${n + 1}, mac: "00:50:56:00:01:0${n}"}`,
    ),
    `    copies: [${range(copies)
      .map((n) => `c${n}`)
      .join(", ")}]`,
    "",
  ].join("\n");
}

/** Ports from `FIRST_PORT` on, all to one port of one machine. */
export const FIRST_PORT = 20_000;

export function translatingDatacenter(rules: number): string {
  const dnat = range(rules).map(
    (n) => `      - {dnat: 203.0.113.10, protocol: udp, port: ${FIRST_PORT + n}, to: web, to-port: 9}`,
  );
  return common("translating", dnat).join("\n");
}

function common(name: string, nat: readonly string[] = []): string[] {
  return [
    `datacenter: ${name}`,
    "networks:",
    "  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}",
    "  org: {subnet: 10.0.0.0/16, gateway: 10.0.0.1, pool: 10.0.128.0-10.0.191.255}",
    "edges:",
    "  edge:",
    "    interfaces: {internet: 203.0.113.10, org: 10.0.0.1}",
    "    routes: [{to: default, via: 203.0.113.1}]",
    "    firewall: {rules: [{allow: any, from: org}, {allow: udp, to: 203.0.113.10}]}",
    "    nat:",
    "      - {snat: org, to: 203.0.113.10}",
    ...nat,
    "machines:",
    "  web: {network: org, address: 10.0.0.11}",
    "",
  ];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
