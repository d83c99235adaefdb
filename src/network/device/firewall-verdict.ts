// What the firewall of an edge or fence says of the first packet of a connection, and by which line. Answers
// of a known connection never come here.
import { formatEndpoint } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { ResolvedEdge, ResolvedFirewallRule } from "../../model/resolved-datacenter.ts";
import { isAnswer } from "./answers.ts";
import type { Tuple } from "./connection-tracking.ts";
import type { Packet } from "./packet.ts";
import { type Compared, firewallRuleFor } from "./rule-match.ts";

export interface FirewallVerdict {
  readonly isAllowed: boolean;
  readonly text: string;
  readonly span: Span;
}

/** `translated`: as the filter hook sees the packet, behind dstnat. `original`: as it came. */
export function firewallVerdict(
  { name, firewall }: Pick<ResolvedEdge, "name" | "firewall">,
  translated: Compared,
  packet: Packet,
  original: Tuple,
): FirewallVerdict {
  const { span } = firewall;
  if (isAnswer(packet)) {
    // Whatever the rules say of new connections.
    const why = "the question did not come this way, so no connection is known";
    const text = `the firewall of ${name} drops an answer to ${packet.destination}: ${why}`;
    return { isAllowed: false, text, span };
  }
  const compared = firewall.match === "translated" ? translated : beforeTranslation(translated, original);
  const rule = firewallRuleFor(firewall, compared);
  const isAllowed = (rule?.action ?? firewall.default) === "allow";
  const { protocol, destination, destinationPort } = compared;
  const to = destinationPort === 0 ? destination : formatEndpoint(destination, destinationPort);
  const isTranslated = original.destination !== packet.destination;
  const when = firewall.match === "original" ? "before" : "after";
  const what = `${protocol} to ${to}`;
  const which = isTranslated ? `, compared ${when} translation` : "";
  const why = rule === null ? `no rule matches, and the default is ${firewall.default}` : ruleWords(rule);
  const text = isAllowed
    ? `${name} lets ${what} pass${which}: ${why}`
    : `the firewall of ${name} drops ${what}${which}: ${why}`;
  return { isAllowed, text, span: rule?.origin.span ?? span };
}

function beforeTranslation(translated: Compared, original: Tuple): Compared {
  const destinationPort = translated.destinationPort === 0 ? 0 : original.destinationPort;
  return { ...translated, destination: original.destination, destinationPort };
}

function ruleWords({ origin, action }: ResolvedFirewallRule): string {
  const what = action === "allow" ? "a rule allows it" : "a rule denies it";
  return origin.kind === "file" ? what : `${what} (${origin.text})`;
}
