// `resolvers` sections (manual 5.3.2), and what `server` lines say of how their names are followed.
import type { Span } from "../diagnostic/span.ts";

export interface ResolversSection {
  readonly name: string;
  /** All of them are asked at once. */
  readonly nameservers: readonly Nameserver[];
  /** `accepted_payload_size`: the largest answer over UDP. */
  readonly payloadBytes: number;
  /** `resolve_retries`: how often a name is asked for before that is a failure. */
  readonly attempts: number;
  /** `timeout resolve`: from the end of one resolution to the beginning of the next. */
  readonly resolveMs: number;
  /** `timeout retry`: how long an answer is waited for. */
  readonly retryMs: number;
  /** How long what was known holds on after a resolution that ended so. */
  readonly holdMs: Readonly<Record<HoldStatus, number>>;
  readonly span: Span;
}

export const HOLD_STATUSES = ["nx", "obsolete", "other", "refused", "timeout", "valid"] as const;
export type HoldStatus = (typeof HOLD_STATUSES)[number];

export interface Nameserver {
  readonly name: string;
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  readonly transport: "udp" | "tcp";
}

/** How the name of a server is followed while it runs. */
export interface ServerResolution {
  /** Name of the section. */
  readonly resolvers: string;
  /** `resolve-prefer`. */
  readonly family: 4 | 6;
  /** `resolve-net`, as in "10.0.0.0/8". */
  readonly networks: readonly string[];
  /** `resolve-opts`. */
  readonly allowsDuplicates: boolean;
  readonly ignoresWeight: boolean;
}

/** What begins with an underscore is the name of a service, whose SRV records lead to servers. */
export function isServiceName(host: string): boolean {
  return host.startsWith("_");
}
