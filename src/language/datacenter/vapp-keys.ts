// `vapps`: applications with identical copies.
import type { Span } from "../../diagnostic/span.ts";
import type { Vapp, VappCopy, VappNetwork } from "../../model/datacenter.ts";
import { ip } from "./address-values.ts";
import { firewall } from "./edge-keys.ts";
import { entry, essentialKey, key, namedEntries } from "./keys.ts";
import { machines } from "./machine-keys.ts";
import { boolean, nameOf } from "./text-values.ts";
import { mapOf, nameFault, oneOrMore, type ValueType, word } from "./value-type.ts";

const vappNetwork: ValueType<VappNetwork> = entry(
  {
    id: "vapp-network",
    words: "a vApp's network",
    doc: "The network that a vApp is in, and whether each copy is fenced.",
    table: {
      parent: essentialKey(nameOf("a network"), "The network that it is in.", { example: "org" }),
      fenced: key(
        boolean,
        "Whether each copy has the parent's subnet for itself, behind an edge of its own.",
        {
          example: "true",
          default: "false",
        },
      ),
    },
  },
  ({ parent, fenced }, { span }) => ({ parent, fenced, span }),
);

const outside = mapOf("outside addresses", ip);

const namedCopies: ValueType<readonly VappCopy[]> = namedEntries(
  "copies",
  {
    id: "vapp-copy",
    words: "a copy",
    doc: "A copy of a vApp with outside addresses that are fixed. What it does not say comes from the parent's pool.",
    table: {
      address: key(ip, "The outside address of its edge.", { example: "192.168.10.150" }),
      outside: key(outside, "Outside addresses of its machines.", { example: "{web: 192.168.10.151}" }),
    },
  },
  (named, values) => ({
    ...named,
    address: values.address,
    outside: (values.outside ?? []).map(({ name, value }) => ({ machine: name, address: value })),
  }),
);

const copyNames = oneOrMore(nameOf("a copy"));

/** `[test-a, test-b]`, or `{test-a: {address: …}}` with fixed addresses. */
const copies: ValueType<readonly VappCopy[]> = {
  words: "names of copies",
  schema: { anyOf: [copyNames.schema, namedCopies.schema] },
  nested: namedCopies.nested!,
  read(node, reading) {
    if (node.kind === "map") return namedCopies.read(node, reading);
    const seen = new Map<string, Span>();
    return (copyNames.read(node, reading) ?? []).flatMap(({ value: name, span }): VappCopy[] => {
      const fault = nameFault(name);
      if (fault !== null) reading.error("bad-name", span, fault);
      const first = seen.get(name);
      if (first !== undefined) {
        reading.error("duplicate-key", span, `the copy \`${name}\` is there twice`, {
          related: [{ span: first, message: "the first is here" }],
        });
        return [];
      }
      seen.set(name, span);
      return [{ name, span, address: null, outside: [] }];
    });
  },
};

export const vapps: ValueType<readonly Vapp[]> = namedEntries(
  "vApps",
  {
    id: "vapp",
    words: "a vApp",
    doc: "An application whose machines are the same in every copy: same names, same addresses, same MACs.",
    table: {
      network: essentialKey(vappNetwork, "The network it is in, and whether each copy is fenced.", {
        example: "{parent: org, fenced: true}",
      }),
      machines: key(machines, "Its machines, the same in every copy.", {
        example: "{web: {address: 192.168.10.41}}",
      }),
      copies: key(copies, "The names of its copies.", {
        example: "[test-a, test-b]",
        default: "one, named like it",
      }),
      nat: key(
        word("a kind of translation", ["ip-translation", "port-forwarding"]),
        "What fences do: an outside address for each machine, or ports of the one address of the fence.",
        { example: "port-forwarding", default: "ip-translation" },
      ),
      firewall: key(firewall, "What may pass a fence from outside.", {
        default: "only what is published may pass",
      }),
      retain: key(
        boolean,
        "Whether outside addresses and MAC are kept when it is taken away and made again.",
        {
          example: "true",
          default: "false",
        },
      ),
    },
  },
  (named, values) => ({
    ...named,
    network: values.network,
    machines: values.machines ?? [],
    copies: values.copies ?? [],
    nat: values.nat,
    firewall: values.firewall,
    retain: values.retain,
  }),
);
