// Where the checks of a server connect to, and how long they may take.
import type { CheckConnection, ServerTls } from "../../model/proxy.ts";
import type { ConnectOptions } from "../../transport/contract.ts";
import type { Server } from "../runtime.ts";
import type { CheckTarget } from "./check.ts";

/**
 * PROXY headers of a connection of our own: version 1 UNKNOWN, version 2 LOCAL (PROXY protocol specification,
 * 2.1 and 2.2).
 */
const PROXY_UNKNOWN: Uint8Array = new TextEncoder().encode("PROXY UNKNOWN\r\n");
const PROXY_LOCAL: Uint8Array = Uint8Array.of(
  0x0d,
  0x0a,
  0x0d,
  0x0a,
  0x00,
  0x0d,
  0x0a,
  0x51,
  0x55,
  0x49,
  0x54,
  0x0a,
  0x20,
  0x00,
  0x00,
  0x00,
);

export function healthCheckTarget(server: Server): CheckTarget {
  return {
    connect: (step) => connectOptions(server, step.connection),
    intervalMs: server.definition.check!.interMs,
    ...timeouts(server),
  };
}

export function agentCheckTarget(server: Server): CheckTarget {
  const agent = server.definition.agent!;
  const options: ConnectOptions = {
    address: { kind: "tcp", host: agent.address ?? server.host, port: agent.port },
    ...PLAIN,
  };
  return { connect: () => options, intervalMs: agent.interMs, ...timeouts(server) };
}

const PLAIN = {
  source: null,
  tls: null,
  preamble: null,
  keepAlive: null,
  timeoutMs: Number.POSITIVE_INFINITY,
} as const;

function timeouts(server: Server): Pick<CheckTarget, "connectTimeoutMs" | "checkTimeoutMs"> {
  const { connectMs, checkMs } = server.backend.definition.timeouts;
  return { connectTimeoutMs: connectMs, checkTimeoutMs: checkMs };
}

/**
 * A `connect` rule's own words go before those of the server's check, which go before those of its traffic.
 */
function connectOptions(server: Server, rule: CheckConnection | null): ConnectOptions {
  const { definition } = server;
  const check = definition.check!;
  // A check that goes elsewhere speaks plainly unless told otherwise, and so does one of a dynamic server.
  const isAlike = check.port === null && check.address === null && !definition.isDynamic;
  const usesTls = rule?.tls ?? (rule === null ? (check.tls ?? isAlike) : false);
  const usesProxy =
    rule === null ? definition.checkSendProxy || (isAlike && definition.sendProxy !== null) : rule.sendProxy;
  const serverName = rule?.sni ?? check.sni ?? constantServerName(definition.tls);
  return {
    ...PLAIN,
    address: addressOf(server, rule),
    source: definition.source ?? server.backend.settings.source,
    tls: usesTls && server.tls !== null ? { context: server.tls, serverName } : null,
    preamble: usesProxy ? (definition.sendProxy?.version === 2 ? PROXY_LOCAL : PROXY_UNKNOWN) : null,
  };
}

function addressOf(server: Server, rule: CheckConnection | null): ConnectOptions["address"] {
  const { check, address } = server.definition;
  const host = rule?.address ?? check?.address ?? null;
  const port = rule?.port ?? check?.port ?? null;
  if (address.kind === "unix" && host === null) return { kind: "unix", path: server.host };
  return { kind: "tcp", host: host ?? server.host, port: port ?? server.port ?? 0 };
}

/** A constant `sni`; one that depends on traffic says nothing here. */
export function constantServerName(tls: ServerTls | null): string {
  const sni = tls?.sni ?? null;
  if (sni === null || sni.fetch.name !== "str" || sni.converters.length > 0) return "";
  const text = sni.fetch.arguments[0];
  return typeof text === "string" ? text : "";
}
