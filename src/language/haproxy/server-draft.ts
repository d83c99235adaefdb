// The settings of a `server` line before names are resolved. `default-server` lines change the draft that
// every following server of the proxy starts from.
import type { Span } from "../../diagnostic/span.ts";
import type { Server, ServerTls } from "../../model/proxy.ts";
import type { ServerResolution } from "../../model/resolvers.ts";
import type { Mutable } from "./draft.ts";
import { newTlsDraft } from "./tls-words.ts";

export interface ServerDraft {
  weight: number;
  cookie: string | null;
  isBackup: boolean;
  isNonStick: boolean;
  isDisabled: boolean;
  isDynamic: boolean;
  maxconn: number | null;
  minconn: number | null;
  maxqueue: number | null;
  slowstartMs: number | null;
  isChecked: boolean;
  interMs: number;
  fastInterMs: number | null;
  downInterMs: number | null;
  rise: number;
  fall: number;
  checkPort: number | null;
  checkAddress: string | null;
  checkTls: boolean | null;
  checkSni: string | null;
  checkAlpn: readonly string[];
  isAgentChecked: boolean;
  agentPort: number | null;
  agentAddress: string | null;
  agentInterMs: number;
  agentSend: string;
  observeLayer: 4 | 7 | null;
  errorLimit: number;
  onError: NonNullable<Server["observe"]>["onError"];
  onMarkedDown: Server["onMarkedDown"];
  onMarkedUp: Server["onMarkedUp"];
  isTls: boolean;
  tls: Mutable<ServerTls>;
  /** False until a `verify` was said. */
  hasVerify: boolean;
  sendProxy: { version: 1 | 2; tlvs: string[] } | null;
  checkSendProxy: boolean;
  track: { readonly text: string; readonly span: Span } | null;
  source: Server["source"];
  poolMaxConnections: number | null;
  poolPurgeDelayMs: number;
  initialAddress: readonly string[];
  resolvers: { readonly text: string; readonly span: Span } | null;
  resolution: Mutable<Omit<ServerResolution, "resolvers">>;
  id: { readonly value: number; readonly span: Span } | null;
}

/** HAProxy's defaults (manual 5.2). */
export function newServerDraft(): ServerDraft {
  return {
    weight: 1,
    cookie: null,
    isBackup: false,
    isNonStick: false,
    isDisabled: false,
    isDynamic: false,
    maxconn: null,
    minconn: null,
    maxqueue: null,
    slowstartMs: null,
    isChecked: false,
    interMs: 2000,
    fastInterMs: null,
    downInterMs: null,
    rise: 2,
    fall: 3,
    checkPort: null,
    checkAddress: null,
    checkTls: null,
    checkSni: null,
    checkAlpn: [],
    isAgentChecked: false,
    agentPort: null,
    agentAddress: null,
    agentInterMs: 2000,
    agentSend: "",
    observeLayer: null,
    errorLimit: 10,
    onError: "fail-check",
    onMarkedDown: null,
    onMarkedUp: null,
    isTls: false,
    tls: {
      ...newTlsDraft(),
      verify: "required",
      verifyHost: null,
      sni: null,
      certificate: null,
    },
    hasVerify: false,
    sendProxy: null,
    checkSendProxy: false,
    track: null,
    source: null,
    poolMaxConnections: null,
    poolPurgeDelayMs: 5000,
    initialAddress: ["last", "libc"],
    resolvers: null,
    resolution: { family: 6, networks: [], allowsDuplicates: false, ignoresWeight: false },
    id: null,
  };
}
