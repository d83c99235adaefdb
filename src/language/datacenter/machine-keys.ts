// `machines`, `vapps` and `clusters`.
import type { Span } from "../../diagnostic/span.ts";
import type {
  Cluster,
  ClusterRule,
  Located,
  Machine,
  MachineInterface,
  MachineKind,
  Vapp,
  VappCopy,
  VappNetwork,
} from "../../model/datacenter.ts";
import { firewall } from "./edge-keys.ts";
import { devices, named, route } from "./host-keys.ts";
import { asMap, entry, type KeyTable, type KeyValues, key, readKeys, requiredKey } from "./keys.ts";
import type { Report } from "./report.ts";
import {
  boolean,
  integer,
  ip,
  ipOrDhcp,
  ipOrNone,
  mac,
  nameOf,
  portRange,
  service,
  size,
  text,
} from "./scalars.ts";
import { listOf, mapOf, nameFault, oneOrMore, type ValueType, word } from "./value-type.ts";

const MACHINE_INTERFACE_KEYS = {
  network: key(nameOf("a network"), "The network it is in; inside a vApp that of the vApp."),
  address: key(oneOrMore(ipOrDhcp), "Its addresses, or `dhcp`; one of the pool unless said."),
  mac: key(mac, "Its MAC address; made from its name unless said."),
} as const satisfies KeyTable;

const interfaces: ValueType<readonly MachineInterface[]> = devices(
  "interfaces",
  MACHINE_INTERFACE_KEYS,
  (name, span, values) => ({
    name,
    network: values.network,
    addresses: values.address ?? [],
    mac: values.mac,
    span,
  }),
);

const qemu: ValueType<Extract<MachineKind, { kind: "qemu" }>> = entry(
  "a virtual machine",
  {
    image: key(text, "Its disk; changes go into a copy of their own."),
    memory: key(size, "256M unless said."),
    cpus: key(integer("a number of processors", 1, 256), "One unless said."),
  },
  ({ image, memory, cpus }, span) => ({ kind: "qemu", image, memoryBytes: memory, cpus, span }),
);

const attach: ValueType<Extract<MachineKind, { kind: "attach" }>> = entry(
  "an attached machine",
  {
    host: key(nameOf("a host"), "The host whose interface it is."),
    interface: requiredKey(nameOf("an interface"), "The interface that it is behind."),
  },
  (values) => ({ kind: "attach", host: values.host, interface: values.interface! }),
);

const MACHINE_KEYS = {
  host: key(nameOf("a host"), "Where it runs; the only host unless said."),
  ...MACHINE_INTERFACE_KEYS,
  interfaces: key(interfaces, "Several interfaces, each with network, address and mac."),
  gateway: key(ipOrNone, "Its router instead of the network's, or `none`."),
  routes: key(listOf("routes", route), "Further routes."),
  forwarding: key(boolean, "Whether it routes between its interfaces."),
  listen: key(oneOrMore(service), "What it is known to serve: 80, tcp 443, udp 53."),
  run: key(text, "A command that runs as this machine."),
  qemu: key(qemu, "A virtual machine."),
  attach: key(attach, "Something that is there already, behind an interface of a host."),
} as const satisfies KeyTable;
type MachineValues = KeyValues<typeof MACHINE_KEYS>;

const machineSchema = entry("a machine", MACHINE_KEYS, () => undefined).schema;

export const machines: ValueType<readonly Machine[]> = mapOf(
  "machines",
  machineSchema,
  (name, node, report) => {
    const map = asMap(node, "a machine", report);
    const values = map === null ? null : readKeys(map, "a machine", MACHINE_KEYS, report);
    return values === null ? undefined : toMachine(name, values, report);
  },
);

function toMachine(name: Located<string>, values: MachineValues, report: Report): Machine {
  const { network, address, mac: ofMachine } = values;
  const alone = network ?? address?.[0] ?? ofMachine;
  if (values.interfaces !== null && alone !== null) {
    report.error("interfaces-twice", alone.span, "`interfaces` says all; this belongs to one of them");
  }
  return {
    name: name.value,
    span: name.span,
    host: values.host,
    interfaces: values.interfaces ?? [
      { name: "eth0", network, addresses: address ?? [], mac: ofMachine, span: alone?.span ?? name.span },
    ],
    gateway: values.gateway,
    routes: values.routes ?? [],
    forwarding: values.forwarding,
    services: values.listen ?? [],
    kind: kindOf(values, report),
  };
}

function kindOf({ run, qemu: virtual, attach: attached }: MachineValues, report: Report): MachineKind {
  const kinds: MachineKind[] = [];
  const spans: Span[] = [];
  if (run !== null) kinds.push({ kind: "run", command: run });
  if (run !== null) spans.push(run.span);
  if (virtual !== null) kinds.push(virtual);
  if (virtual !== null) spans.push(virtual.span);
  if (attached !== null) kinds.push(attached);
  if (attached !== null) spans.push(attached.interface.span);
  if (kinds.length > 1)
    report.error("kind-twice", spans[1]!, "a machine is one of `run`, `qemu` and `attach`");
  return kinds[0] ?? { kind: "model" };
}

const vappNetwork: ValueType<VappNetwork> = entry(
  "a vApp's network",
  {
    parent: requiredKey(nameOf("a network"), "The network that the vApp is in."),
    fenced: key(boolean, "Whether each copy has the parent's subnet for itself."),
  },
  ({ parent, fenced }, span) => ({ parent: parent!, fenced, span }),
);

const outside = mapOf("addresses by machine", { type: "string" }, (machine, node, report) => {
  const address = ip.read(node, report);
  return address === undefined ? undefined : { machine, address };
});

const COPY_KEYS = {
  address: key(ip, "The outside address of the copy's edge; one of the parent's pool unless said."),
  outside: key(outside, "Outside addresses of its machines."),
} as const satisfies KeyTable;

/** `[test-a, test-b]`, or `{test-a: {address: …}}` with pinned addresses. */
const copies: ValueType<readonly VappCopy[]> = {
  words: "names of copies",
  schema: {
    anyOf: [
      { type: "array", items: { type: "string" } },
      { type: "object", additionalProperties: entry("a copy", COPY_KEYS, () => undefined).schema },
    ],
  },
  read(node, report) {
    if (node.kind === "map") {
      return named("copies", COPY_KEYS, (name, span, values) => ({
        name,
        span,
        address: values.address,
        outside: values.outside ?? [],
      })).read(node, report);
    }
    const names = oneOrMore(nameOf("a copy")).read(node, report) ?? [];
    const seen = new Map<string, Span>();
    return names.flatMap(({ value: name, span }): VappCopy[] => {
      const fault = nameFault(name);
      if (fault !== null) report.error("bad-name", span, fault);
      const first = seen.get(name);
      if (first !== undefined) {
        report.error("duplicate-key", span, `\`${name}\` is there twice`, {
          related: [{ span: first, message: "the first is here" }],
        });
        return [];
      }
      seen.set(name, span);
      return [{ name, span, address: null, outside: [] }];
    });
  },
};

const VAPP_KEYS = {
  network: requiredKey(vappNetwork, "The network it is in, and whether a fence is around each copy."),
  machines: key(machines, "The same in every copy."),
  copies: key(copies, "Names of its copies; one, named like the vApp, unless said."),
  nat: key(
    word("a kind of translation", ["ip-translation", "port-forwarding"]),
    "An outside address for each machine, or ports of one address; ip-translation unless said.",
  ),
  firewall: key(firewall, "What may pass the fence from outside; what is translated unless said."),
  retain: key(boolean, "Keep outside addresses and MAC when it is taken away and made again."),
} as const satisfies KeyTable;

export const vapps: ValueType<readonly Vapp[]> = named("vApps", VAPP_KEYS, (name, span, values) => ({
  name,
  span,
  network: values.network!,
  machines: values.machines ?? [],
  copies: values.copies ?? [],
  nat: values.nat,
  firewall: values.firewall,
  retain: values.retain,
}));

const weights = mapOf("weights by machine", { type: "integer" }, (machine, node, report) => {
  const weight = integer("a weight of 0 to 100", 0, 100).read(node, report);
  return weight === undefined ? undefined : { machine, weight };
});

const priorities = mapOf("priorities by machine", { type: "integer" }, (machine, node, report) => {
  const priority = integer("a priority of 1 to 32", 1, 32).read(node, report);
  return priority === undefined ? undefined : { machine, priority };
});

const clusterRule: ValueType<ClusterRule> = entry(
  "a port rule",
  {
    ports: key(oneOrMore(portRange), "Ports that it is for; all unless said."),
    protocol: key(word("tcp, udp or both", ["tcp", "udp", "both"]), "Both unless said."),
    filtering: key(
      word("a filtering mode", ["multiple", "single", "disabled"]),
      "All members share, one takes all, or none; multiple unless said.",
    ),
    affinity: key(
      word("an affinity", ["none", "single", "class-c"], {
        "class C": "Write class-c.",
        network: "Write class-c.",
      }),
      "Whether a client, or its /24, stays with its member; single unless said.",
    ),
    weights: key(weights, "Shares of members; 50 unless said."),
    priorities: key(priorities, "For `filtering: single`: the lowest that is up takes all."),
  },
  (values, span) => {
    const { protocol } = values;
    return {
      ports: values.ports ?? [],
      protocol:
        protocol === null || protocol.value === "both"
          ? null
          : { value: protocol.value, span: protocol.span },
      filtering: values.filtering,
      affinity: values.affinity,
      weights: values.weights ?? [],
      priorities: values.priorities ?? [],
      span,
    };
  },
);

const CLUSTER_KEYS = {
  machines: requiredKey(oneOrMore(nameOf("a machine")), "Its members; the first has host priority 1."),
  address: requiredKey(ip, "The address that all of them answer for."),
  mode: key(
    word("a cluster mode", ["unicast", "multicast", "igmp"]),
    "How frames reach all members; unicast unless said.",
  ),
  rules: key(listOf("port rules", clusterRule), "Who takes what."),
} as const satisfies KeyTable;

export const clusters: ValueType<readonly Cluster[]> = named(
  "clusters",
  CLUSTER_KEYS,
  (name, span, values) => ({
    name,
    span,
    machines: values.machines ?? [],
    address: values.address!,
    mode: values.mode,
    rules: values.rules ?? [],
  }),
);
