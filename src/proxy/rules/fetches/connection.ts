// Fetches on the client's connection and the listener (HAProxy manual 7.3.3).
import { type IpAddress, parseIpAddress, type SocketAddress } from "../../../base/address.ts";
import type { Connection, TcpStatistics } from "../../../transport/contract.ts";
import { COUNTER } from "../../state.ts";
import type { Session } from "../../stream.ts";
import type { FetchCompiler } from "../fetch.ts";
import type { SampleValue } from "../sample-value.ts";

type Names =
  | "src"
  | "src_port"
  | "dst"
  | "dst_port"
  | "dst_conn"
  | "dst_is_local"
  | "src_is_local"
  | "so_id"
  | "so_name"
  | "fc_src"
  | "fc_src_is_local"
  | "fc_src_port"
  | "fc_dst"
  | "fc_dst_is_local"
  | "fc_dst_port"
  | "bc_src"
  | "bc_src_port"
  | "bc_dst"
  | "bc_dst_port"
  | "fc_pp_authority"
  | "fc_pp_unique_id"
  | "fc_rcvd_proxy"
  | "fc_http_major"
  | "fc_rtt"
  | "fc_rttvar"
  | "fc_unacked"
  | "fc_sacked"
  | "fc_retrans"
  | "fc_fackets"
  | "fc_lost"
  | "fc_reordering"
  | "fc_err"
  | "fc_err_str"
  | "bc_http_major";

export const CONNECTION_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  src: () => ({
    read: (stream) => sourceAddress(stream.session) ?? undefined,
    readText: ({ session }) => ipText(session.source),
  }),
  src_port: () => (stream) => portOf(stream.session.source),
  dst: () => ({
    read: (stream) => destinationAddress(stream.session) ?? undefined,
    readText: ({ session }) => ipText(session.destination),
  }),
  dst_port: () => (stream) => portOf(stream.session.destination),
  dst_conn:
    () =>
    ({ frontend }) =>
      frontend.state.total(frontend.slot, COUNTER.scur),
  // Without a look at the machine's own addresses, loopback is all that is surely local.
  dst_is_local: () => (stream) => isLoopback(destinationAddress(stream.session)),
  src_is_local: () => (stream) => isLoopback(sourceAddress(stream.session)),
  fc_src: () => (stream) => parse(originalSource(stream.session)) ?? undefined,
  fc_src_is_local: () => (stream) => isLoopback(parse(originalSource(stream.session))),
  fc_src_port: () => (stream) => portOf(originalSource(stream.session)),
  fc_dst: () => (stream) => parse(originalDestination(stream.session)) ?? undefined,
  fc_dst_is_local: () => (stream) => isLoopback(parse(originalDestination(stream.session))),
  fc_dst_port: () => (stream) => portOf(originalDestination(stream.session)),
  bc_src: serverSideFetch(({ local }) => parse(local) ?? undefined),
  bc_src_port: serverSideFetch(({ local }) => portOf(local)),
  bc_dst: serverSideFetch(({ remote }) => parse(remote) ?? undefined),
  bc_dst_port: serverSideFetch(({ remote }) => portOf(remote)),
  so_id: () => (stream) => stream.session.bind.id,
  so_name: () => (stream) => stream.session.bind.name ?? undefined,
  fc_pp_authority:
    () =>
    ({ session }) =>
      session.connection.proxied?.authority,
  fc_pp_unique_id:
    () =>
    ({ session }) =>
      session.connection.proxied?.uniqueId,
  fc_rcvd_proxy: () => (stream) => stream.session.connection.proxied !== null,
  fc_rtt: timeFetch(({ rttUs }) => rttUs),
  fc_rttvar: timeFetch(({ rttVarianceUs }) => rttVarianceUs),
  fc_unacked: tcpFetch(({ unacknowledged }) => unacknowledged),
  fc_sacked: tcpFetch(({ selectivelyAcknowledged }) => selectivelyAcknowledged),
  fc_retrans: tcpFetch(({ retransmitted }) => retransmitted),
  fc_fackets: tcpFetch(({ forwardAcknowledged }) => forwardAcknowledged),
  fc_lost: tcpFetch(({ lost }) => lost),
  fc_reordering: tcpFetch(({ reordering }) => reordering),
  // There are no rules, and no stream to log, where a connection has come to nothing.
  fc_err: () => () => 0,
  fc_err_str: () => () => "Success",
  fc_http_major: () => (stream) => (stream.request === null ? 0 : stream.session.isHttp2 ? 2 : 1),
  bc_http_major: () => (stream) => (stream.serverConnection === null ? undefined : 1),
};

/** The kernel is asked each time: it may know more by now. */
function tcpFetch(read: (statistics: TcpStatistics) => number): FetchCompiler {
  return () =>
    ({ session }) => {
      const statistics = session.connection.readTcpStatistics?.() ?? null;
      return statistics === null ? undefined : read(statistics);
    };
}

/** In milliseconds, unless "us" is asked for. */
function timeFetch(read: (statistics: TcpStatistics) => number): FetchCompiler {
  return (parameters, environment) => {
    const isMicroseconds = parameters[0] === "us";
    const scaled = (us: number) => (isMicroseconds ? us : Math.floor(us / 1000));
    return tcpFetch((statistics) => scaled(read(statistics)))([], environment);
  };
}

/** The client's address; null for a unix socket. */
export function sourceAddress(session: Session): IpAddress | null {
  if (session.sourceIp?.of !== session.source)
    session.sourceIp = { of: session.source, address: parse(session.source) };
  return session.sourceIp.address;
}

export function destinationAddress(session: Session): IpAddress | null {
  if (session.destinationIp?.of !== session.destination) {
    session.destinationIp = { of: session.destination, address: parse(session.destination) };
  }
  return session.destinationIp.address;
}

/** The connection's own, which `tcp-request connection` rules alone can change. */
function originalSource(session: Session): SocketAddress {
  return session.originalSource ?? session.connectionSource ?? session.source;
}

function originalDestination(session: Session): SocketAddress {
  return session.originalDestination ?? session.connectionDestination ?? session.destination;
}

/** Of the connection to the server, while there is one. */
function serverSideFetch(
  read: (connection: Pick<Connection, "local" | "remote">) => SampleValue | undefined,
): FetchCompiler {
  return () =>
    ({ serverConnection }) =>
      serverConnection === null ? undefined : read(serverConnection);
}

function portOf(address: SocketAddress): number | undefined {
  return address.family === "unix" ? undefined : address.port;
}

function parse(address: SocketAddress): IpAddress | null {
  return address.family === "unix" ? null : parseIpAddress(address.host);
}

function ipText(address: SocketAddress): string | undefined {
  return address.family === "unix" ? undefined : address.host;
}

function isLoopback(address: IpAddress | null): boolean {
  if (address === null) return false;
  if (address.family === 4) return address.bytes[0] === 127;
  return address.bytes[15] === 1 && address.bytes.subarray(0, 15).every((byte) => byte === 0);
}
