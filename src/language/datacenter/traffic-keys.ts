// What rules of firewalls and of port groups compare. The key of the action has the protocol as its value:
// `{allow: tcp, from: internet, to: 203.0.113.10, ports: 443}`.
import type { Endpoint, IpProtocol, Located, PortRange, TrafficMatch } from "../../model/datacenter.ts";
import { type EntryPlace, type Key, type KeyValues, key, orList } from "./keys.ts";
import { portRange } from "./number-values.ts";
import type { Reading } from "./reading.ts";
import { endpoint } from "./text-values.ts";
import { oneOrMore, type ValueType, word } from "./value-type.ts";

const PROTOCOLS = ["tcp", "udp", "icmp"] as const;
const PROTOCOL_MIX_UPS = { ping: "Ping is icmp.", all: "Write any.", ip: "Write any.", http: "Write tcp." };

export const protocol: ValueType<Located<IpProtocol>> = word("a protocol", PROTOCOLS, PROTOCOL_MIX_UPS);

type RuleProtocol = IpProtocol | "any";
const ruleProtocol: ValueType<Located<RuleProtocol>> = word(
  "a protocol",
  [...PROTOCOLS, "any"],
  PROTOCOL_MIX_UPS,
);

/** The key of a rule's action. */
export function actionKey(doc: string): Key<Located<RuleProtocol>> {
  return key(ruleProtocol, `${doc} The value is the protocol: any, tcp, udp or icmp.`, { example: "tcp" });
}

interface TrafficKeys {
  readonly from: Key<readonly Located<Endpoint>[]>;
  readonly to: Key<readonly Located<Endpoint>[]>;
  readonly ports: Key<readonly Located<PortRange>[]>;
}

export const TRAFFIC_KEYS: TrafficKeys = {
  from: key(oneOrMore(endpoint), "Who sends: an address, a subnet, a range, or a name.", {
    example: "internet",
    default: "anybody",
  }),
  to: key(oneOrMore(endpoint), "Who receives.", { example: "203.0.113.10", default: "anybody" }),
  ports: key(oneOrMore(portRange), "Ports of the receiver.", { example: "[80, 9000-9010]", default: "all" }),
};

interface TrafficAction<A extends string> {
  readonly action: Located<A>;
  readonly protocol: Located<IpProtocol> | null;
}

/** Which one of the actions' keys was said. Null when none or several were, which is reported. */
export function readAction<A extends string>(
  values: Readonly<Record<A, Located<RuleProtocol> | null>>,
  actions: readonly A[],
  place: EntryPlace,
  reading: Reading,
): TrafficAction<A> | null {
  const [first, second] = actions.filter((action) => place.has(action));
  if (first === undefined) {
    reading.error("missing-key", place.span, `a rule needs ${orList(actions.map((one) => `\`${one}\``))}`, {
      help: `Its value is the protocol: \`${actions[0]}: tcp\`.`,
    });
    return null;
  }
  if (second !== undefined) {
    reading.error("conflicting-keys", place.keySpan(second), `a rule cannot \`${first}\` and \`${second}\``, {
      help: "Make two rules of it; the first that matches counts.",
      related: [{ span: place.keySpan(first), message: "the first is here" }],
    });
    return null;
  }
  // A protocol that is none has been reported.
  const value = values[first];
  if (value === null) return null;
  return {
    action: { value: first, span: place.keySpan(first) },
    protocol: value.value === "any" ? null : { value: value.value, span: value.span },
  };
}

export function toTrafficMatch(
  ofRule: Located<IpProtocol> | null,
  values: KeyValues<{ readonly [N in keyof TrafficKeys]: TrafficKeys[N] }>,
  reading: Reading,
): TrafficMatch {
  const { from, to, ports } = values;
  const [first] = ports ?? [];
  if (first !== undefined && ofRule?.value === "icmp")
    reading.error("ports-without-protocol", first.span, "icmp has no ports", { help: "Leave `ports` out." });
  return { protocol: ofRule, from: from ?? [], to: to ?? [], ports: ports ?? [] };
}
