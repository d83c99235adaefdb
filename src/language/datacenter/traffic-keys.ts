// What rules of firewalls and of port groups compare. The key of the action has the protocol as its value:
// `{allow: tcp, from: internet, to: 203.0.113.10, ports: 443}`.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { Endpoint, IpProtocol, Located, PortRange, TrafficMatch } from "../../model/datacenter.ts";
import { type Key, type KeyValues, key } from "./keys.ts";
import type { Report } from "./report.ts";
import { endpoint, portRange } from "./scalars.ts";
import { oneOrMore, type ValueType, word } from "./value-type.ts";

const PROTOCOLS = ["tcp", "udp", "icmp"] as const;
const PROTOCOLS_AND_ANY = [...PROTOCOLS, "any"] as const;

export const protocol: ValueType<Located<IpProtocol>> = word("a protocol", PROTOCOLS, {
  ping: "Ping is icmp.",
});

type Endpoints = Key<readonly Located<Endpoint>[]>;
type Ports = Key<readonly Located<PortRange>[]>;

export const TRAFFIC_KEYS: {
  readonly from: Endpoints;
  readonly to: Endpoints;
  readonly ports: Ports;
  readonly port: Ports;
} = {
  from: key(oneOrMore(endpoint), "Who sends; anybody unless said."),
  to: key(oneOrMore(endpoint), "To whom; anybody unless said."),
  ports: key(oneOrMore(portRange), "Ports of the destination; all unless said."),
  port: key(oneOrMore(portRange), "The same as `ports`."),
};

/**
 * Which of the action's keys was said, and its protocol; null when none or several were, which is reported.
 */
export function readTrafficAction<A extends string>(
  actions: Readonly<Record<A, Located<string> | null>>,
  span: Span,
  report: Report,
): { readonly action: Located<A>; readonly protocol: Located<IpProtocol> | null } | null {
  const said = (Object.entries(actions) as [A, Located<string> | null][]).filter(
    ([, value]) => value !== null,
  );
  const names = Object.keys(actions).map((name) => `\`${name}\``);
  const [first, second] = said;
  if (first === undefined || second !== undefined) {
    const place = second?.[1]?.span ?? span;
    report.error(
      "rule-action",
      place,
      `a rule has one of ${names.join(", ")}, with a protocol: \`allow: tcp\``,
    );
    return null;
  }
  const [action, said2] = first;
  const { value, span: place } = said2!;
  const found = PROTOCOLS_AND_ANY.find((one) => one === value);
  if (found === undefined) {
    const help = suggestWord(value, PROTOCOLS_AND_ANY) ?? "It is any, tcp, udp or icmp.";
    report.error("unknown-word", place, `\`${value}\` is no protocol`, { help });
    return null;
  }
  return {
    action: { value: action, span: place },
    protocol: found === "any" ? null : { value: found, span: place },
  };
}

export function toTrafficMatch(
  ofAction: Located<IpProtocol> | null,
  values: KeyValues<typeof TRAFFIC_KEYS>,
  report: Report,
): TrafficMatch {
  const ports = [...(values.ports ?? []), ...(values.port ?? [])];
  const [first] = ports;
  if (first !== undefined && (ofAction === null || ofAction.value === "icmp")) {
    const why = ofAction === null ? "name the protocol, tcp or udp" : "icmp has none";
    report.error("ports-without-protocol", first.span, `ports need a protocol that has them: ${why}`);
  }
  return { protocol: ofAction, from: values.from ?? [], to: values.to ?? [], ports };
}
