// A datacentre of any size: machines dealt out to networks, each network on a VLAN, ten networks to an edge,
// all edges in one backbone behind the one that is outside.
const NETWORKS_PER_EDGE = 10;

export function largeDatacenter(machineCount: number, networkCount: number): string {
  const edgeCount = Math.ceil(networkCount / NETWORKS_PER_EDGE);
  const networks = range(networkCount);
  return [
    "datacenter: large",
    "hosts:",
    "  host:",
    "    interfaces: {eth0: {speed: 10G}, eth1: {speed: 10G}}",
    "    bonds: {bond0: {links: [eth0, eth1], mode: 802.3ad, hash: layer3+4, mii-monitor: 100ms, lacp-rate: fast}}",
    "switches:",
    "  dvs0:",
    "    uplinks: {host: bond0}",
    "    port-groups:",
    ...networks.map((n) => `      p${n}: {vlan: ${n + 1}}`),
    "networks:",
    "  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}",
    "  backbone: {subnet: 172.16.0.0/16, gateway: 172.16.0.1}",
    ...networks.map(
      (n) => `  n${n}: {subnet: ${subnet(n)}.0/24, port-group: dvs0/p${n}, gateway: ${subnet(n)}.1}`,
    ),
    "edges:",
    "  outside:",
    "    interfaces: {internet: 203.0.113.10, backbone: 172.16.0.1}",
    "    firewall: {rules: [{allow: any, from: backbone, to: internet}]}",
    "    routes:",
    "      - {to: default, via: 203.0.113.1}",
    ...networks.map(
      (n) => `      - {to: ${subnet(n)}.0/24, via: ${edgeAddress(Math.floor(n / NETWORKS_PER_EDGE))}}`,
    ),
    ...range(edgeCount).flatMap((e) => {
      const own = networks.filter((n) => Math.floor(n / NETWORKS_PER_EDGE) === e);
      return [
        `  edge-${e}:`,
        "    interfaces:",
        `      backbone: ${edgeAddress(e)}`,
        ...own.map((n) => `      n${n}: ${subnet(n)}.1`),
        "    routes: [{to: default, via: 172.16.0.1}]",
        "    firewall:",
        "      rules:",
        ...own.map((n) => `        - {allow: tcp, from: n${n}, ports: 80}`),
      ];
    }),
    "machines:",
    ...range(machineCount).map((m) => {
      const n = m % networkCount;
      return `  m-${m}: {network: n${n}, address: ${subnet(n)}.${10 + Math.floor(m / networkCount)}}`;
    }),
    "publish:",
    '  - {machine: m-3, port: 80, at: "203.0.113.10:8001"}',
    "",
  ].join("\n");
}

function subnet(network: number): string {
  return `10.${network >> 8}.${network & 255}`;
}

function edgeAddress(edge: number): string {
  return `172.16.1.${edge + 1}`;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
