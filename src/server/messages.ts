// What master and workers say to each other. Everything is plain data.
import type { CrtListLine } from "../model/crt-list.ts";
import type { ProxyConfiguration } from "../model/proxy.ts";
import type { Observation } from "../proxy/health/observation.ts";
import type { ChangedLists } from "../proxy/rules/patterns/pattern-lists.ts";
import type { SampleValue } from "../proxy/rules/sample-value.ts";
import type { SharedChange } from "../proxy/rules/shared-change.ts";
import type { SlotTable } from "../proxy/slots.ts";
import type { CertificateMaterial, TlsSessionStore } from "../transport/contract.ts";
import type { CacheLocation } from "./cache-places.ts";
import type { IssuerChain } from "./certificates/issuer-chains.ts";
import type { TablePlace } from "./table-places.ts";

/**
 * A configuration with everything that had to be read or looked up for it: a worker opens no file and asks
 * no name.
 */
export interface PreparedConfiguration {
  readonly configuration: ProxyConfiguration;
  readonly slots: SlotTable;
  /**
   * IP address by "BACKEND/SERVER", for servers named by host name and those that the runtime API has sent
   * elsewhere; absent when the name did not resolve.
   */
  readonly addresses: Readonly<Record<string, string>>;
  /** Ports, of those that the runtime API has given another. */
  readonly ports: Readonly<Record<string, number>>;
  /** Certificates by the path that the configuration names. */
  readonly certificates: Readonly<Record<string, readonly CertificateMaterial[]>>;
  /** Lines of each crt-list, by path; their certificates are among the others. */
  readonly crtLists: Readonly<Record<string, readonly CrtListLine[]>>;
  /** Of `issuers-chain-path`. */
  readonly issuers: readonly IssuerChain[];
  /** Of `ca-sign-file`, by path: authorities with their keys. */
  readonly signers: Readonly<Record<string, CertificateMaterial>>;
  /** Contents of ca-file, ca-verify-file and crl-file by path. */
  readonly trust: Readonly<Record<string, string>>;
  /** Where its stick tables are, by name. */
  readonly tables: Readonly<Record<string, TablePlace>>;
  /** Likewise. */
  readonly caches: Readonly<Record<string, CacheLocation>>;
  /** 80 bytes that all workers encrypt session tickets with. */
  readonly ticketKeys: Uint8Array;
  /** Where sessions without tickets are kept; null: nowhere. */
  readonly sessionStore: TlsSessionStore | null;
  /** Counts how often the files have been read: what rules change for all lives as long as one reading. */
  readonly load: number;
  /** What has been changed at run time since, for workers that come later. */
  readonly live: LiveState;
  /** Whether the master wants to hear of the requests that have ended: somebody may look at them. */
  readonly wantsRequests: boolean;
}

export interface LiveState {
  /** By their place in `patternLists`. */
  readonly patterns: ChangedLists;
  /** Null: as the configuration sets them. */
  readonly variables: ReadonlyMap<string, SampleValue> | null;
}

export const NOTHING_CHANGED: LiveState = { patterns: {}, variables: null };

export type ToWorker =
  /** Build this generation and open what is new; change nothing that serves yet. */
  | { readonly kind: "prepare"; readonly generation: number; readonly prepared: PreparedConfiguration }
  /** Serve by the prepared generation; close listeners that it does not have. */
  | { readonly kind: "commit"; readonly generation: number }
  | { readonly kind: "discard"; readonly generation: number }
  /** Stop accepting, finish what is going on, then exit. After `hardStopMs` what is left is cut. */
  | { readonly kind: "stop-softly"; readonly hardStopMs: number | null }
  | { readonly kind: "stop-now" }
  | {
      readonly kind: "server-address";
      readonly backend: string;
      readonly server: string;
      readonly host: string;
      readonly port: number | null;
    }
  /** Accept, or not, as CELL.isPaused of the frontend says now. */
  | { readonly kind: "pause-frontend"; readonly frontend: string }
  | { readonly kind: "list-sessions"; readonly requestId: number }
  /**
   * Changes for all, those of this worker included, which are in the master's order now. With a number, it
   * is told when they are made and what was made here before has been sent.
   */
  | {
      readonly kind: "share";
      readonly load: number;
      readonly changes: readonly SharedChange[];
      readonly requestId: number | null;
    }
  /** What nameservers say of a host that a rule asked for; null: nothing. */
  | { readonly kind: "resolved"; readonly requestId: number; readonly address: string | null }
  | { readonly kind: "kill-session"; readonly sessionId: number }
  /** Ends the streams on a server (`shutdown sessions server`, on-marked-down). */
  | { readonly kind: "kill-server-sessions"; readonly backend: string; readonly server: string };

export type FromWorker =
  | {
      readonly kind: "hello";
      readonly workerIndex: number;
      readonly pid: number;
      readonly engine: string;
      readonly engineNote: string | null;
    }
  | { readonly kind: "prepared"; readonly generation: number }
  | { readonly kind: "refused"; readonly generation: number; readonly problems: readonly WorkerProblem[] }
  | { readonly kind: "committed"; readonly generation: number; readonly listeners: readonly string[] }
  | {
      readonly kind: "observation";
      readonly backend: string;
      readonly server: string;
      readonly observation: Observation;
    }
  | { readonly kind: "shared"; readonly load: number; readonly changes: readonly SharedChange[] }
  | { readonly kind: "share-done"; readonly requestId: number }
  /** Events for a ring, one behind the other. */
  | {
      readonly kind: "ring-events";
      readonly ring: string;
      readonly bytes: Uint8Array;
      readonly lengths: readonly number[];
    }
  /** A rule wants to know where a host is. */
  | {
      readonly kind: "resolve";
      readonly requestId: number;
      readonly resolvers: string;
      readonly host: string;
      readonly family: 4 | 6;
    }
  | { readonly kind: "admin"; readonly command: string }
  | {
      readonly kind: "requests";
      readonly requests: readonly EndedRequest[];
      /** How many have ended since the last message; under load only some of them are told. */
      readonly endedCount: number;
    }
  | {
      readonly kind: "sessions";
      readonly requestId: number;
      readonly sessions: readonly SessionDescription[];
    };

/** A request, in tcp mode a connection, that has ended, as logs know it. Durations are milliseconds or -1. */
export interface EndedRequest {
  /** Wall clock when it began. */
  readonly atMs: number;
  readonly clientHost: string;
  readonly clientPort: number;
  /** The address that the client reached. */
  readonly ownHost: string;
  readonly ownPort: number;
  readonly frontend: string;
  readonly backend: string | null;
  readonly server: string | null;
  /** Null: no TLS. "": no name was asked for. */
  readonly serverName: string | null;
  /** Null in tcp mode, and when no request came. */
  readonly http: {
    readonly method: string;
    readonly target: string;
    readonly status: number;
    /** As they came, credentials taken out. */
    readonly headers: readonly (readonly [name: string, value: string])[];
  } | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly idleMs: number;
  readonly requestMs: number;
  readonly queueMs: number;
  readonly connectMs: number;
  readonly responseMs: number;
  readonly totalMs: number;
  /** "--NI", in tcp mode "--". */
  readonly termination: string;
  readonly retries: number;
  readonly isRedispatched: boolean;
  readonly isFailed: boolean;
  /** It came by a persistence cookie, to the server that the cookie names. */
  readonly isPersistent: boolean;
}

/** Something a worker could not do for a configuration, in one sentence, with the place in the file. */
export interface WorkerProblem {
  readonly message: string;
  readonly file: string;
  readonly line: number;
}

export interface SessionDescription {
  readonly id: number;
  readonly workerPid: number;
  readonly source: string;
  readonly frontend: string;
  readonly backend: string | null;
  readonly server: string | null;
  readonly ageMs: number;
  readonly requestCount: number;
  /** "GET /path" while a request is in progress. */
  readonly request: string | null;
}
