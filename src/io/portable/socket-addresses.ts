// Node's words for addresses as SocketAddress and back.
import type { AddressInfo, Server, Socket } from "node:net";
import { isIPv6 } from "node:net";
import type { SocketAddress } from "../../base/address.ts";

const IPV4_MAPPED = "::ffff:";

/** An IPv4 peer of a dual-stack socket is an IPv4 address to everybody else. */
export function socketAddress(host: string, port: number): SocketAddress {
  if (host.startsWith(IPV4_MAPPED) && host.includes("."))
    return { family: 4, host: host.slice(IPV4_MAPPED.length), port };
  return { family: isIPv6(host) ? 6 : 4, host, port };
}

export function unixAddress(path: string): SocketAddress {
  return { family: "unix", host: path, port: 0 };
}

/** The peer's address, or null when the peer is gone already. */
export function remoteAddressOf(socket: Socket): SocketAddress | null {
  if (socket.remoteAddress === undefined) return null;
  return socketAddress(socket.remoteAddress, socket.remotePort ?? 0);
}

export function localAddressOf(socket: Socket): SocketAddress | null {
  if (socket.localAddress === undefined) return null;
  return socketAddress(socket.localAddress, socket.localPort ?? 0);
}

export function listeningAddressOf(server: Server): SocketAddress | null {
  const address: AddressInfo | string | null = server.address();
  if (address === null) return null;
  return typeof address === "string" ? unixAddress(address) : socketAddress(address.address, address.port);
}
