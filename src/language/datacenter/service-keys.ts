// `consoles`, `publish` and `expect`.
import type { ConsoleEndpoint, Consoles, Expectation, Publication } from "../../model/datacenter.ts";
import { parseExpectation } from "./expectation.ts";
import { entry, key, requiredKey } from "./keys.ts";
import { ipAndMaybePort, ipAndPort, port, reference, text } from "./scalars.ts";
import { listOf, type ValueType, word } from "./value-type.ts";

const consoleEndpoint: ValueType<ConsoleEndpoint> = entry(
  "a console endpoint",
  {
    address: requiredKey(ipAndPort, "Address and port, mostly 443."),
    certificate: key(text, "A PEM or PFX file; the portal's own unless said."),
    public: key(text, "What browsers are told when a NAT is in front: consoles.company.com:443."),
  },
  (values, span) => ({
    address: values.address!,
    certificate: values.certificate,
    public: values.public,
    span,
  }),
);

export const consoles: ValueType<Consoles> = entry(
  "consoles",
  {
    portal: key(consoleEndpoint, "Where people log in."),
    proxy: key(consoleEndpoint, "Where their browsers get consoles from: an address of its own."),
  },
  ({ portal, proxy }, span) => ({ portal, proxy, span }),
);

const publication: ValueType<Publication> = entry(
  "a publication",
  {
    machine: requiredKey(reference, "Who is published: a machine, or vapp.copy/machine."),
    port: requiredKey(port, "The port that it serves."),
    protocol: key(word("tcp or udp", ["tcp", "udp"]), "tcp unless said."),
    at: key(ipAndMaybePort, "The outside address, and port if it is another; chosen unless said."),
  },
  (values, span) => ({
    machine: values.machine!,
    port: values.port!,
    protocol: values.protocol,
    at: values.at,
    span,
  }),
);

export const publications: ValueType<readonly Publication[]> = listOf("publications", publication);

const expectation: ValueType<Expectation> = {
  words: "a sentence such as `internet reaches tcp 203.0.113.10:443 at edge`",
  schema: { type: "string" },
  read(node, report) {
    if (node.kind === "scalar" && !node.isEmpty) return parseExpectation(node, report);
    report.error(
      "expectation",
      node.span,
      "a sentence is expected here: `A reaches tcp B:80`, `A cannot reach B`",
    );
    return undefined;
  },
};

export const expectations: ValueType<readonly Expectation[]> = listOf("expectations", expectation);
