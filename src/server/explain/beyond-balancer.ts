// Where a packet's way ends at the load balancer of an edge, it goes on: through the rules of its
// haproxy.cfg, and with a connection of the balancer's own to the server that is chosen. From cable to
// cookie.
import { hostname } from "node:os";
import { type Ip, parseIp } from "../../base/ip.ts";
import type { RequestTrace } from "../../model/request-trace.ts";
import type { Trace } from "../../model/trace.ts";
import { decodePacket, type Packet, portsOf } from "../../network/device/packet.ts";
import { explain, type Network } from "../../network/explain/explain.ts";
import { explainRequest } from "../../proxy/explain/explain-request.ts";
import { decodeEthernet, ETHER_TYPES } from "../../wire/ethernet.ts";
import type { LoadBalancerFile } from "../datacenter/load-datacenter.ts";
import { namesOfCertificates } from "./certificate-names.ts";
import { readReference } from "./packet-words.ts";
import { readRequestQuestion } from "./request-question.ts";

export interface Beyond {
  readonly edge: string;
  readonly request: RequestTrace;
  /** From the edge to the server; null when no server is asked, or it is outside the file. */
  readonly onward: Trace | null;
}

export interface BeyondOptions {
  /** What is asked for; the address and port that the packet went to, unless said. */
  readonly url: string | null;
  /** Null: GET. */
  readonly method: string | null;
  readonly headers: readonly string[];
  readonly back: boolean;
}

/**
 * Null when the way does not end at a load balancer whose file could be read; a text when the URL is wrong.
 */
export function goBeyond(
  loadBalancers: readonly LoadBalancerFile[],
  network: Network,
  trace: Trace,
  options: BeyondOptions,
): Beyond | string | null {
  const end = trace.there.hops[trace.there.end];
  if (trace.there.disposition !== "load-balanced" || end === undefined) return null;
  const edge = end.node.name;
  const configuration = loadBalancers.find((one) => one.edge === edge)?.configuration ?? null;
  const packet = packetAt(end.captures[0]?.frame);
  if (configuration === null || packet === null) return null;
  const { source, destination } = portsOf(packet);
  const binds = configuration.proxies.flatMap(({ frontend }) => frontend?.binds ?? []);
  const isTls = binds.some(
    ({ address, tls }) => address.kind === "tcp" && address.port === destination && tls !== null,
  );
  const place = packet.destination.includes(":") ? `[${packet.destination}]` : packet.destination;
  const asked = readRequestQuestion({
    url: options.url ?? `${isTls ? "https" : "http"}://${place}:${destination}/`,
    method: options.method,
    headers: options.headers,
    bodyBytes: null,
    from: `${packet.source.includes(":") ? `[${packet.source}]` : packet.source}:${source}`,
    to: packet.destination,
    down: [],
    responseStatus: null,
    responseHeaders: [],
  });
  if (asked.kind === "wrong") return asked.message;
  const request = explainRequest(configuration, asked.question, {
    nowMs: Date.now(),
    hostname: hostname(),
    pid: process.pid,
    processVariables: process.env,
    certificateNames: namesOfCertificates(configuration),
  });
  if ("kind" in request) return request.message;
  const server = request.server === null ? null : parseIp(request.server.host);
  return {
    edge,
    request,
    onward: server === null ? null : onwardTrace(network, edge, server, request, options),
  };
}

function onwardTrace(
  network: Network,
  edge: string,
  to: Ip,
  request: RequestTrace,
  { back }: BeyondOptions,
): Trace | null {
  const question = {
    from: readReference(edge),
    to,
    protocol: "tcp",
    port: request.server!.port,
    sourcePort: null,
  } as const;
  const trace = explain(network, question, { back });
  return "kind" in trace ? null : trace;
}

function packetAt(frame: Uint8Array | undefined): Packet | null {
  const decoded = frame === undefined ? null : decodeEthernet(frame);
  if (decoded?.ok !== true) return null;
  const { etherType, payloadOffset } = decoded.value;
  const packet = decodePacket(frame!, payloadOffset, etherType === ETHER_TYPES.ipv6 ? 6 : 4);
  return packet.ok ? packet.value : null;
}
