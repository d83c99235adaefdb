// The keys of a whole datacentre file, and what follows from all the tables below it.
import type { Datacenter, Located } from "../../model/datacenter.ts";
import { clusters } from "./cluster-keys.ts";
import { edges } from "./edge-keys.ts";
import { expectations } from "./expectation.ts";
import { fabric } from "./fabric-keys.ts";
import { hosts } from "./host-keys.ts";
import { type EntryInfo, entriesInside, entry, key, requiredKey } from "./keys.ts";
import { machines } from "./machine-keys.ts";
import { networks } from "./network-keys.ts";
import { consoles, publications } from "./service-keys.ts";
import { switches } from "./switch-keys.ts";
import { text } from "./text-values.ts";
import { mapOf, oneOrMore, scalar, type ValueType } from "./value-type.ts";
import { vapps } from "./vapp-keys.ts";

const datacenterName = scalar("a name", { type: "string" }, (value) => ({ value }));

export const variableValue: ValueType<Located<string>> = scalar(
  "a text or number",
  { type: ["string", "number", "boolean"] },
  (value) => ({
    value,
  }),
);

/** Of variables: `-` begins the default in `${NAME-default}`. */
export function variableNameFault(name: string): string | null {
  return /^\w+$/.test(name)
    ? null
    : `the variable \`${name}\` has other characters than letters, digits and _`;
}

export const datacenter: ValueType<Datacenter> = entry(
  {
    id: "datacenter",
    words: "a datacentre",
    doc: "A whole file. What is left out is not there; nothing but the name is required.",
    table: {
      datacenter: requiredKey(datacenterName, "The name of the datacentre.", { example: "company" }),
      include: key(
        oneOrMore(text("a file")),
        "Further files, relative to this one; `*` stands for any letters.",
        {
          example: "[networks/*.yaml, edges.yaml]",
        },
      ),
      variables: key(
        mapOf("variables", variableValue, variableNameFault),
        `Texts that stand for others in all values: \`\${public}\`. Those of the environment can be used as well.`,
        { example: "{public: 203.0.113.10}" },
      ),
      hosts: key(hosts, "Linux machines that carry the network.", { default: "this machine" }),
      fabric: key(fabric, "Physical switches at the other end of the hosts' cables."),
      switches: key(switches, "Virtual switches."),
      networks: key(networks, "Networks that machines and edges are in."),
      edges: key(edges, "Routers with firewall, NAT, DHCP and load balancer."),
      machines: key(machines, "Machines."),
      vapps: key(vapps, "Applications with identical copies."),
      clusters: key(clusters, "Machines that answer for one address."),
      consoles: key(consoles, "Consoles of machines through one public address."),
      publish: key(publications, "Ports of machines that are reached from outside."),
      expect: key(
        expectations,
        "What must hold. `check` tries each sentence, and shows the packet's way when it does not.",
        {
          example: "[internet reaches tcp 203.0.113.10:443 at org-edge]",
        },
      ),
    },
  },
  (values, { span }) => ({
    name: values.datacenter ?? { value: "datacenter", span },
    hosts: values.hosts ?? [],
    fabric: values.fabric ?? [],
    switches: values.switches ?? [],
    networks: values.networks ?? [],
    edges: values.edges ?? [],
    machines: values.machines ?? [],
    vapps: values.vapps ?? [],
    clusters: values.clusters ?? [],
    consoles: values.consoles,
    publications: values.publish ?? [],
    expectations: values.expect ?? [],
  }),
);

/** Every kind of entry, with the steps to where it stands. */
export const ENTRIES: ReadonlyMap<EntryInfo, readonly string[]> = entriesInside(datacenter);

const OWNERS = new Map<string, string[]>();
for (const { words, table } of ENTRIES.keys()) {
  for (const name of Object.keys(table)) OWNERS.set(name, [...(OWNERS.get(name) ?? []), words]);
}

/** The kinds of entry that have a key. */
export function ownersOfKey(name: string): readonly string[] {
  return OWNERS.get(name) ?? [];
}
