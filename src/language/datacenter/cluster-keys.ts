// `clusters`: machines that answer for one address.
import type { Cluster, ClusterRule } from "../../model/datacenter.ts";
import { ip } from "./address-values.ts";
import { entry, essentialKey, key, namedEntries, requiredKey } from "./keys.ts";
import { integer, portRange } from "./number-values.ts";
import { nameOf, text } from "./text-values.ts";
import { listOf, mapOf, oneOrMore, type ValueType, word } from "./value-type.ts";

const clusterRule: ValueType<ClusterRule> = entry(
  {
    id: "cluster-rule",
    words: "a port rule",
    doc: "Who of a cluster takes what.",
    table: {
      ports: key(oneOrMore(portRange), "Ports that it is for.", { example: "[80, 443]", default: "all" }),
      protocol: key(word("tcp, udp or both", ["tcp", "udp", "both"]), "The protocol that it is for.", {
        example: "tcp",
        default: "both",
      }),
      filtering: key(
        word("a filtering mode", ["multiple", "single", "disabled"]),
        "All members take their share, one takes all, or nobody takes it.",
        { example: "multiple", default: "multiple" },
      ),
      affinity: key(
        word("an affinity", ["none", "single", "class-c"], {
          "class c": "Write class-c.",
          classc: "Write class-c.",
          network: "Write class-c.",
        }),
        "Whether all connections of a client, or of its /24 (IPv6: /64), go to one member.",
        { example: "single", default: "single" },
      ),
      weights: key(
        mapOf("weights", integer("a weight", 0, 100)),
        "Shares of members; who is not named has 50.",
        { example: "{iis-1: 50, iis-2: 100}" },
      ),
      priorities: key(
        mapOf("priorities", integer("a priority", 1, 32)),
        "With `filtering: single`: the lowest that is up takes all.",
        { example: "{iis-1: 1, iis-2: 2}" },
      ),
    },
  },
  (values, { span }) => {
    const { protocol } = values;
    return {
      ports: values.ports ?? [],
      protocol:
        protocol === null || protocol.value === "both"
          ? null
          : { value: protocol.value, span: protocol.span },
      filtering: values.filtering,
      affinity: values.affinity,
      weights: (values.weights ?? []).map(({ name, value }) => ({ machine: name, weight: value })),
      priorities: (values.priorities ?? []).map(({ name, value }) => ({ machine: name, priority: value })),
      span,
    };
  },
);

export const clusters: ValueType<readonly Cluster[]> = namedEntries(
  "clusters",
  {
    id: "cluster",
    words: "a cluster",
    doc: "Machines that answer for one address and one MAC, each taking its share (network load balancing).",
    table: {
      machines: requiredKey(oneOrMore(nameOf("a machine")), "Its members.", {
        example: "[iis-1, iis-2, iis-3]",
      }),
      address: essentialKey(ip, "The address that all of them answer for.", { example: "192.168.30.50" }),
      mode: key(
        word("a cluster mode", ["unicast", "multicast", "igmp"]),
        "How frames for the address reach all members.",
        { example: "multicast", default: "unicast" },
      ),
      key: key(
        text("a file"),
        "File with a secret that all members have: they sign what they say, and take orders from each other.",
        { example: "web.key" },
      ),
      rules: key(listOf("port rules", clusterRule), "Who takes what.", {
        default: "all members share everything",
      }),
    },
  },
  (named, values) => ({
    ...named,
    machines: values.machines ?? [],
    address: values.address,
    mode: values.mode,
    keyFile: values.key,
    rules: values.rules ?? [],
  }),
);
