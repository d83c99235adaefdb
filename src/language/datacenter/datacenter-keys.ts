// The keys of a whole datacentre file.
import type { Datacenter } from "../../model/datacenter.ts";
import { edges } from "./edge-keys.ts";
import { fabric, hosts } from "./host-keys.ts";
import { entry, type KeyTable, key } from "./keys.ts";
import { clusters, machines, vapps } from "./machine-keys.ts";
import { nameOf, text } from "./scalars.ts";
import { consoles, expectations, publications } from "./service-keys.ts";
import { networks, switches } from "./switch-keys.ts";
import { mapOf, oneOrMore, type ValueType } from "./value-type.ts";

const variables = mapOf("variables", { type: ["string", "number", "boolean"] }, () => undefined);

const DATACENTER_KEYS = {
  datacenter: key(nameOf("the datacentre"), "Its name."),
  include: key(oneOrMore(text), "Further files, relative to this one: networks/*.yaml."),
  variables: key(variables, "Texts that stand for others: `$` and the name in braces, in any value."),
  hosts: key(hosts, "Linux machines that carry the network."),
  fabric: key(fabric, "Physical switches at the other end of the cables."),
  switches: key(switches, "Virtual switches over one or more hosts."),
  networks: key(networks, "Networks that machines and edges are in."),
  edges: key(edges, "Routers with firewall, NAT, DHCP and load balancer."),
  machines: key(machines, "Machines."),
  vapps: key(vapps, "Applications with identical copies."),
  clusters: key(clusters, "Machines that answer for one address."),
  consoles: key(consoles, "Consoles through one public address."),
  publish: key(publications, "Machines that are reached from outside; the rules are derived."),
  expect: key(expectations, "What must be true; `check` holds it against the file."),
} as const satisfies KeyTable;

/** Nothing is required: what is there can be checked, whatever else is missing. */
export const datacenter: ValueType<Datacenter> = entry("a datacentre", DATACENTER_KEYS, (values, span) => ({
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
}));
