// `consoles` and `publish`: what is reached from outside.
import type { ConsoleEndpoint, Consoles, Publication } from "../../model/datacenter.ts";
import { ipAndMaybePort, ipAndPort } from "./address-values.ts";
import { entry, essentialKey, key } from "./keys.ts";
import { port } from "./number-values.ts";
import { reference, text } from "./text-values.ts";
import { listOf, type ValueType, word } from "./value-type.ts";

const consoleEndpoint: ValueType<ConsoleEndpoint> = entry(
  {
    id: "console-endpoint",
    words: "a console endpoint",
    doc: "An address that browsers connect to.",
    table: {
      address: essentialKey(ipAndPort, "Address and port.", { example: '"203.0.113.11:443"' }),
      certificate: key(text("a file"), "Its certificate, PEM or PFX.", { example: "console.pfx" }),
      public: key(text("a name and port"), "What browsers are told when a NAT is in front.", {
        example: '"consoles.company.com:443"',
      }),
    },
  },
  (values, { span }) => ({ ...values, span }),
);

export const consoles: ValueType<Consoles> = entry(
  {
    id: "consoles",
    words: "consoles",
    doc: "Consoles of machines through one public address, so that no hypervisor is reachable from outside.",
    table: {
      portal: key(consoleEndpoint, "Where people log in.", { example: '{address: "203.0.113.10:443"}' }),
      proxy: key(consoleEndpoint, "Where their browsers get consoles from; an address of its own.", {
        example: '{address: "203.0.113.11:443", certificate: console.pfx}',
      }),
    },
  },
  (values, { span }) => ({ ...values, span }),
);

const publication: ValueType<Publication> = entry(
  {
    id: "publication",
    words: "a publication",
    doc: "A port of a machine that is reached from outside. The NAT and firewall rules of all edges between are derived.",
    table: {
      machine: essentialKey(reference("the name of a machine"), "Who is published.", {
        example: "shop.test-a/web",
      }),
      port: essentialKey(port, "The port that it serves.", { example: "80" }),
      protocol: key(word("tcp or udp", ["tcp", "udp"]), "Its protocol.", { example: "udp", default: "tcp" }),
      at: key(ipAndMaybePort, "The outside address, and the port if it is another.", {
        example: '"203.0.113.10:8001"',
        default: "an address of the edge and a free port",
      }),
    },
  },
  (values, { span }) => ({ ...values, span }),
);

export const publications: ValueType<readonly Publication[]> = listOf("publications", publication);
