// What a publication becomes: a translation and an opening at each edge on the way in, and the lines that one
// would write by hand for it.
import { formatEndpoint, type Ip } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type {
  PublicationStep,
  ResolvedDatacenter,
  ResolvedEdge,
  ResolvedPublication,
} from "../../model/resolved-datacenter.ts";

export interface PublicationExplanation {
  readonly machine: string;
  readonly protocol: "tcp" | "udp";
  readonly at: string;
  /** The publication's own line. */
  readonly span: Span;
  readonly edges: readonly EdgePart[];
}

export interface EdgePart {
  readonly edge: string;
  readonly kind: "edge" | "fence";
  /** "203.0.113.10:8001 becomes 192.168.10.101:80"; null: it is only let pass. */
  readonly translation: string | null;
  readonly opening: string;
  /** The same by hand, as YAML for this edge. */
  readonly lines: readonly string[];
}

export function explainPublication(
  resolved: ResolvedDatacenter,
  { machine, protocol, at, steps, source }: ResolvedPublication,
): PublicationExplanation {
  return {
    machine,
    protocol,
    at: formatEndpoint(at.ip, at.port),
    span: source.span,
    edges: steps.map((step) =>
      partOf(step, protocol, source.span, resolved.edges.find(({ name }) => name === step.edge)!),
    ),
  };
}

function partOf(step: PublicationStep, protocol: "tcp" | "udp", span: Span, edge: ResolvedEdge): EdgePart {
  const { from, to } = step;
  const isTranslated = from.ip !== to.ip || from.port !== to.port;
  const seen = edge.firewall.match === "original" ? from : to;
  const which = isTranslated ? ` (its rules compare the ${edge.firewall.match} address)` : "";
  const opening = `lets ${protocol} to ${formatEndpoint(seen.ip, seen.port)} pass${which}`;
  const rule = `- {allow: ${protocol}, to: ${yaml(seen.ip)}, ports: ${seen.port}}`;
  const isHairpin = edge.nat.some(({ stage, origin }) => stage === "postrouting" && origin.span === span);
  const nat = [
    `dnat: ${yaml(from.ip)}, protocol: ${protocol}, port: ${from.port}`,
    `to: ${yaml(to.ip)}, to-port: ${to.port}`,
    ...(isHairpin ? ["hairpin: true"] : []),
  ].join(", ");
  const isFence = edge.kind === "fence";
  const firewallLines = ["firewall:", "  rules:", `    ${rule}`];
  const natLines = isTranslated && !isFence ? ["nat:", `  - {${nat}}`] : [];
  return {
    edge: edge.name,
    kind: edge.kind,
    translation: isTranslated
      ? `${formatEndpoint(from.ip, from.port)} becomes ${formatEndpoint(to.ip, to.port)}`
      : null,
    opening,
    lines: [...firewallLines, ...natLines],
  };
}

/** An address that ends in a colon would not stand between braces without quotes. */
function yaml(ip: Ip): string {
  return ip.includes(":") ? `"${ip}"` : ip;
}
