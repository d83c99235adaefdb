// `machines`: what stands in networks. The same keys are used inside vApps.
import type { Machine, MachineInterface, MachineKind } from "../../model/datacenter.ts";
import { ipOr, mac } from "./address-values.ts";
import { type EntryPlace, entry, essentialKey, key, namedEntries } from "./keys.ts";
import { integer, service, size } from "./number-values.ts";
import type { Reading } from "./reading.ts";
import { route } from "./route-keys.ts";
import { boolean, nameOf, text } from "./text-values.ts";
import { interfaceNameFault, listOf, oneOrMore, type ValueType } from "./value-type.ts";

const INTERFACE_KEYS = {
  network: key(nameOf("a network"), "The network it is in; inside a vApp that of the vApp.", {
    example: "org",
  }),
  address: key(oneOrMore(ipOr("dhcp")), "Its address, several as a list, or `dhcp`.", {
    example: "192.168.10.11",
    default: "one of the network's pool",
  }),
  mac: key(mac, "Its MAC address.", { example: '"00:50:56:00:00:11"', default: "made from its name" }),
};

const interfaces: ValueType<readonly MachineInterface[]> = namedEntries(
  "interfaces",
  {
    id: "machine-interface",
    words: "an interface",
    doc: "An interface of a machine that has several.",
    table: INTERFACE_KEYS,
  },
  ({ name, span }, { network, address, mac: ofInterface }) => ({
    name,
    network,
    addresses: address ?? [],
    mac: ofInterface,
    span,
  }),
  interfaceNameFault,
);

const qemu: ValueType<Extract<MachineKind, { kind: "qemu" }>> = entry(
  {
    id: "qemu",
    words: "a virtual machine",
    doc: "A virtual machine that QEMU runs.",
    table: {
      image: key(text("a file"), "Its disk. Changes go into a copy of their own.", { example: "db.qcow2" }),
      memory: key(size, "Its memory.", { example: "512M", default: "256M" }),
      cpus: key(integer("a number of processors", 1, 512), "Its processors.", { example: "2", default: "1" }),
      kvm: key(boolean, "Whether by the processor's own virtualisation, if it has any, or in software.", {
        example: "false",
        default: "true",
      }),
    },
  },
  ({ image, memory, cpus, kvm }, { span }) => ({ kind: "qemu", image, memoryBytes: memory, cpus, kvm, span }),
);

const attach: ValueType<Extract<MachineKind, { kind: "attach" }>> = entry(
  {
    id: "attach",
    words: "an attachment",
    doc: "Something that is there already, behind an interface of a host.",
    table: {
      host: key(nameOf("a host"), "The host whose interface it is.", {
        example: "web-host",
        default: "the machine's `host`",
      }),
      interface: essentialKey(nameOf("an interface"), "The interface that it is behind.", {
        example: "eth2",
      }),
    },
  },
  ({ host, interface: link }) => ({ kind: "attach", host, interface: link }),
);

const KINDS = ["run", "qemu", "attach"] as const;

export const machines: ValueType<readonly Machine[]> = namedEntries(
  "machines",
  {
    id: "machine",
    words: "a machine",
    doc: "A machine. Without `run`, `qemu` or `attach` it is in the model only, for checks and explanations.",
    table: {
      host: key(nameOf("a host"), "Where it runs.", { example: "web-host", default: "the only host" }),
      ...INTERFACE_KEYS,
      interfaces: key(interfaces, "Instead of `network`, `address` and `mac`, when it has several.", {
        example: "{eth0: {network: org}, eth1: {network: mgmt}}",
      }),
      gateway: key(ipOr("none"), "Its router instead of the network's, or `none`.", {
        example: "192.168.10.254",
      }),
      routes: key(listOf("routes", route), "Further routes."),
      forwarding: key(boolean, "Whether it routes between its interfaces.", {
        example: "true",
        default: "false",
      }),
      listen: key(oneOrMore(service), "What it is known to serve: `80`, `tcp 443`, `udp 53`.", {
        example: "[80, udp 53]",
      }),
      run: key(text("a command"), "A command that runs as this machine, in a network namespace.", {
        example: "node site.js",
      }),
      qemu: key(qemu, "A virtual machine.", { example: "{image: db.qcow2, memory: 512M}" }),
      attach: key(attach, "Something that is there already.", {
        example: "{host: web-host, interface: eth2}",
      }),
    },
  },
  (named, values, place, reading) => {
    reportConflicts(place, reading);
    const { network, address, mac: ofMachine } = values;
    const span = address?.[0]?.span ?? network?.span ?? ofMachine?.span ?? named.span;
    return {
      ...named,
      host: values.host,
      interfaces: values.interfaces ?? [
        { name: "eth0", network, addresses: address ?? [], mac: ofMachine, span },
      ],
      gateway: values.gateway,
      routes: values.routes ?? [],
      forwarding: values.forwarding,
      services: values.listen ?? [],
      kind:
        values.run !== null
          ? { kind: "run", command: values.run }
          : (values.qemu ?? values.attach ?? { kind: "model" }),
    };
  },
);

function reportConflicts(place: EntryPlace, reading: Reading): void {
  if (place.has("interfaces")) {
    for (const name of Object.keys(INTERFACE_KEYS)) {
      if (!place.has(name)) continue;
      reading.error(
        "conflicting-keys",
        place.keySpan(name),
        `\`${name}\` and \`interfaces\` exclude each other`,
        {
          help: `Move \`${name}\` to the interface that it belongs to.`,
          related: [{ span: place.keySpan("interfaces"), message: "the interfaces are here" }],
        },
      );
    }
  }
  const [first, second] = KINDS.filter((name) => place.has(name));
  if (second !== undefined)
    reading.error(
      "conflicting-keys",
      place.keySpan(second),
      "a machine is one of `run`, `qemu` and `attach`",
      {
        related: [{ span: place.keySpan(first!), message: `here it is \`${first}\`` }],
      },
    );
}
