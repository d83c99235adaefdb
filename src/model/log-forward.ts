// Rings, which keep log lines and send them to servers, and what receives log lines of other programs
// (manual 3.9 and 3.10).
import type { Span } from "../diagnostic/span.ts";
import type { Bind, LogFormatName, LogTarget, Server } from "./proxy.ts";

/** What `ring@buf0` means when there is no section of that name. */
export const OWN_RING = "buf0";

export interface RingDefinition {
  readonly name: string;
  readonly description: string;
  /** Of lines whose `log` line names none. Null: "local", or their own of what is forwarded. */
  readonly format: LogFormatName | null;
  /** Of one event in bytes, header included; longer ones are cut. */
  readonly lengthMax: number;
  /** Bytes of all events together; the oldest make room. */
  readonly sizeBytes: number;
  readonly servers: readonly RingServer[];
  /** Null: as long as the kernel tries. */
  readonly connectMs: number | null;
  /** How long a server may take nothing of what is sent to it. Null: for ever. */
  readonly serverMs: number | null;
  readonly span: Span;
}

export interface RingServer {
  readonly server: Server;
  /** `log-proto`: each event with a newline behind it, or with its length before it (RFC 6587). */
  readonly protocol: "legacy" | "octet-count";
}

export interface LogForwarder {
  readonly name: string;
  readonly binds: readonly Bind[];
  readonly datagramBinds: readonly DatagramBind[];
  readonly logs: readonly LogTarget[];
  /** Connections at a time. */
  readonly maxconn: number;
  readonly backlog: number | null;
  /** How long a client may be silent. Null: for ever. */
  readonly clientMs: number | null;
  readonly span: Span;
}

export interface DatagramBind {
  readonly address: DatagramAddress;
  readonly span: Span;
}

export type DatagramAddress =
  | { readonly kind: "udp"; readonly host: string; readonly port: number }
  | { readonly kind: "fd"; readonly fd: number };
