// The file that `sallyport init` writes: a small company to start from, with a comment at each key. `check`
// finds nothing in it, and a test keeps it so.

export function starterFile(): string {
  return STARTER;
}

const STARTER = `# The datacentre of a small company. Change it to what you have, and ask as you go:
#
#   sallyport check FILE                                     everything that is wrong, before anything is touched
#   sallyport explain FILE internet to 203.0.113.10 tcp 443  the way of a packet, step by step
#   sallyport draw FILE --into topology.svg                  a drawing
#
# What a section leaves out is not there. docs/datacenter-file.md has all keys; \`sallyport schema\` is for your editor.

# The name of the whole; it is what drawings and explanations are headed by.
datacenter: company

# Texts that stand for others: write \${public} where the address is meant. \${NAME} also takes what is in the
# environment, and \${NAME-default} has something to fall back on.
variables:
  public: 203.0.113.10

# Linux machines that carry the network. Leave this out when it is only the one that Sallyport runs on.
hosts:
  host-1:
    # Network cards, by the name that Linux has for them.
    interfaces:
      eth0: {speed: 10G}
      eth1: {speed: 10G}
    # Two cables as one: twice the bandwidth, and one may break. 802.3ad is LACP, which the switch must speak as well;
    # hash says by what a flow chooses its cable; mii-monitor is how often the cards are asked whether they are up.
    bonds:
      bond0: {links: [eth0, eth1], mode: 802.3ad, hash: layer3+4, lacp-rate: fast, mii-monitor: 100ms}

# The physical switch at the other end of the cables: check compares both ends.
fabric:
  tor-1:
    # What is plugged in where, and which ports are one LAG (port channel).
    ports:
      1: {to: host-1/eth0, lag: 1, speed: 10G}
      2: {to: host-1/eth1, lag: 1, speed: 10G}
    # The VLANs that the LAG carries with a tag.
    lags:
      1: {lacp: active, lacp-rate: fast, hash: layer3+4, trunk: [5, 20]}

# Virtual switches. Machines are in port groups, and each port group has a VLAN on the cables.
switches:
  switch-1:
    # Decides which features it may use: 5.0, 5.1, 5.5 or 6.0.
    version: "5.5"
    # By which card or bond of which host it leaves.
    uplinks: {host-1: bond0}
    port-groups:
      uplink: {vlan: 5}
      office: {vlan: 20}

# Networks. Addresses for what asks for one come from the pool, those for DHCP from its range.
networks:
  # external: anybody may be there.
  internet: {external: true, subnet: 203.0.113.0/24, port-group: switch-1/uplink, gateway: 203.0.113.1}
  office:
    subnet: 192.168.10.0/24
    port-group: switch-1/office
    gateway: 192.168.10.1
    pool: 192.168.10.100-192.168.10.199
    dhcp: {range: 192.168.10.50-192.168.10.99, lease: 8h, dns: 192.168.10.1}

# Routers between networks, with firewall, NAT, DHCP and load balancer.
edges:
  edge:
    # Its address in each network. What leaves for elsewhere takes the default route.
    interfaces: {internet: "\${public}", office: 192.168.10.1}
    routes:
      - {to: default, via: 203.0.113.1}
    # The first rule that matches counts, and answers always pass. Rules name the addresses from before translation.
    firewall:
      default: deny
      rules:
        - {allow: tcp, from: internet, to: "\${public}", ports: 443}
        - {allow: any, from: office, to: internet}
    nat:
      # What leaves the office has the public address,
      - {snat: office, to: "\${public}"}
      # and what comes for port 443 of it goes to the web server; hairpin: also what comes from the office itself.
      - {dnat: "\${public}", protocol: tcp, port: 443, to: web-1, hairpin: true}

# Machines. \`listen\` is what they are known to serve; with \`run: COMMAND\` one is more than a model.
machines:
  web-1: {network: office, address: 192.168.10.11, listen: [80, 443]}
  files: {network: office, address: 192.168.10.12, listen: 445}
  desk-1: {network: office, address: dhcp}

# Ports that are reached from outside. Every NAT and firewall rule on the way is derived, through all edges between.
publish:
  - {machine: web-1, port: 80, at: "203.0.113.10:80"}

# What must hold: check tries each sentence, and shows the packet's way when one does not.
expect:
  - internet reaches tcp 203.0.113.10:443 at web-1
  - internet reaches tcp 203.0.113.10:80 at web-1
  - internet cannot reach tcp files:445
  - desk-1 reaches tcp files:445
`;
