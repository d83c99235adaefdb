// Sockets by the C library: made, bound, configured and asked for their addresses. What happens on them
// afterwards goes through the ring. All calls here are quick and none waits.
import { chmodSync, chownSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import type { SocketAddress } from "../../base/address.ts";
import { failed, failure, type Result, success } from "../../base/failure.ts";
import type {
  ConnectOptions,
  KeepAlive,
  ListenAddress,
  SocketBuffers,
  TcpStatistics,
} from "../../transport/contract.ts";
import { EACCES, errnoFailure } from "../errno.ts";
import type { Native } from "../native.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  decodeSockaddr,
  encodeIpSockaddr,
  encodeUnixSockaddr,
  SOCKADDR_SIZE_MAX,
  UNNAMED_UNIX,
} from "../socket-address.ts";

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
/** Behind the largest address in the scratch memory. */
const DEVICE_AT = 256;
const SO_REUSEADDR = 2;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const SO_REUSEPORT = 15;
const SO_ACCEPTCONN = 30;
const IPPROTO_IP = 0;
const IP_BIND_ADDRESS_NO_PORT = 24;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_QUICKACK = 12;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const F_SETFD = 2;
const FD_CLOEXEC = 1n;
const F_GETFL = 3;
const F_SETFL = 4;
const MSG_DONTWAIT_TRUNC = 0x40 | 0x20;

export interface ListeningSocket {
  readonly fd: number;
  readonly address: SocketAddress;
  /** Removes the socket's file if it is still this socket's. */
  readonly removeFile: () => void;
}

/** `struct tcp_info` (linux/tcp.h) by 32-bit words, as far as it has been the same since Linux 2.6. */
const TCP_INFO = 11;
const TCP_INFO_BYTES = 104;

/** Null for a socket that is not of TCP. */
export function readTcpStatistics(native: Native, fd: number): TcpStatistics | null {
  const { scratch, scratchInts } = native;
  scratchInts[0] = TCP_INFO_BYTES;
  const { pointer } = scratch;
  if (native.libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, pointer + 8n, pointer) < 0) return null;
  const word = (at: number) => scratchInts[2 + at]!;
  return {
    unacknowledged: word(6),
    selectivelyAcknowledged: word(7),
    lost: word(8),
    retransmitted: word(9),
    forwardAcknowledged: word(10),
    rttUs: word(17),
    rttVarianceUs: word(18),
    reordering: word(22),
  };
}

export function setSocketOption(
  native: Native,
  fd: number,
  level: number,
  name: number,
  value: number,
): boolean {
  native.scratchInts[0] = value;
  return native.libc.setsockopt(fd, level, name, native.scratch.pointer, 4) === 0;
}

/**
 * Acknowledges at once: a peer with Nagle's algorithm otherwise waits 40 ms before it sends its next small
 * piece.
 */
export function setQuickAck(native: Native, fd: number): void {
  setSocketOption(native, fd, IPPROTO_TCP, TCP_QUICKACK, 1);
}

/** What is accepted from a listening socket inherits all of it. */
export function setKeepAlive(native: Native, fd: number, keepAlive: KeepAlive | null): void {
  setSocketOption(native, fd, SOL_SOCKET, SO_KEEPALIVE, keepAlive === null ? 0 : 1);
  if (keepAlive === null) return;
  const { idleSeconds, intervalSeconds, probeCount } = keepAlive;
  if (idleSeconds !== null) setSocketOption(native, fd, IPPROTO_TCP, TCP_KEEPIDLE, idleSeconds);
  if (intervalSeconds !== null) setSocketOption(native, fd, IPPROTO_TCP, TCP_KEEPINTVL, intervalSeconds);
  if (probeCount !== null) setSocketOption(native, fd, IPPROTO_TCP, TCP_KEEPCNT, probeCount);
}

/** What is accepted from a listening socket inherits it. The kernel doubles it for its own needs. */
export function setBuffers(native: Native, fd: number, { receiveBytes, sendBytes }: SocketBuffers): void {
  if (receiveBytes !== null) setSocketOption(native, fd, SOL_SOCKET, SO_RCVBUF, receiveBytes);
  if (sendBytes !== null) setSocketOption(native, fd, SOL_SOCKET, SO_SNDBUF, sendBytes);
}

/** Makes close(2) send a RST. */
export function setReset(native: Native, fd: number): void {
  native.scratchInts[0] = 1;
  native.scratchInts[1] = 0;
  native.libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, native.scratch.pointer, 8);
}

/**
 * Throws received bytes away, so that close(2) sends a FIN: with unread bytes it would reset and destroy our
 * last ones.
 */
export function discardReceived(native: Native, fd: number): void {
  native.libc.recv(fd, native.scratch.pointer, 4096n, MSG_DONTWAIT_TRUNC);
}

export function makeNonBlocking(native: Native, fd: number): void {
  const flags = native.libc.fcntl(fd, F_GETFL, 0n);
  native.libc.fcntl(fd, F_SETFL, BigInt(flags | SOCK_NONBLOCK));
}

export function readLocalAddress(native: Native, fd: number): SocketAddress | null {
  native.scratchInts[0] = SOCKADDR_SIZE_MAX;
  if (native.libc.getsockname(fd, native.scratch.pointer + 64n, native.scratch.pointer) < 0) return null;
  return decodeSockaddr(native.scratchBytes, 64, native.scratchInts[0]!);
}

export function readPeerAddress(native: Native, fd: number): SocketAddress | null {
  native.scratchInts[0] = SOCKADDR_SIZE_MAX;
  if (native.libc.getpeername(fd, native.scratch.pointer + 64n, native.scratch.pointer) < 0) return null;
  return decodeSockaddr(native.scratchBytes, 64, native.scratchInts[0]!);
}

export function openListeningSocket(
  native: Native,
  address: ListenAddress,
  backlog: number,
  reusePort: boolean,
): Result<ListeningSocket> {
  switch (address.kind) {
    case "tcp":
      return listenTcp(native, address, backlog, reusePort);
    case "unix":
      return listenUnix(native, address, backlog);
    case "abstract":
      return listenAbstract(native, address.name, backlog);
    case "fd":
      return listenInherited(native, address.fd, backlog);
  }
}

type TcpAddress = Extract<ListenAddress, { kind: "tcp" }>;
type UnixAddress = Extract<ListenAddress, { kind: "unix" }>;

const keepNothing = (): void => {};

function listenTcp(
  native: Native,
  address: TcpAddress,
  backlog: number,
  reusePort: boolean,
): Result<ListeningSocket> {
  const host = address.host ?? "0.0.0.0";
  const what = `listen on ${host.includes(":") ? `[${host}]` : host}:${address.port}`;
  const length = encodeIpSockaddr(native.scratchBytes, 64, host, address.port);
  if (length === 0) return failed(failure("unsupported", "proxy", `${what}: not an IP address`));
  const family = native.scratchBytes[64] === AF_INET ? AF_INET : AF_INET6;
  const fd = native.libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(errnoFailure(native.errno(), "proxy", what));
  setSocketOption(native, fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (reusePort) setSocketOption(native, fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (address.isV6Only !== undefined && family === AF_INET6) {
    setSocketOption(native, fd, IPPROTO_IPV6, IPV6_V6ONLY, address.isV6Only ? 1 : 0);
  }
  // Accepted sockets inherit it.
  setSocketOption(native, fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (address.device !== undefined && !bindToDevice(native, fd, address.device)) {
    const error = errnoFailure(native.errno(), "proxy", `${what} on interface ${address.device}`);
    native.libc.close(fd);
    return failed(error);
  }
  return bindAndListen(native, fd, length, backlog, what, keepNothing);
}

/** Names of interfaces have at most 15 bytes, which the reader sees to (socket(7), SO_BINDTODEVICE). */
function bindToDevice(native: Native, fd: number, name: string): boolean {
  const length = native.scratchBytes.length - DEVICE_AT;
  const { written } = new TextEncoder().encodeInto(
    name,
    native.scratchBytes.subarray(DEVICE_AT, DEVICE_AT + length),
  );
  const at = native.scratch.pointer + BigInt(DEVICE_AT);
  return native.libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, at, written) === 0;
}

function bindAndListen(
  native: Native,
  fd: number,
  length: number,
  backlog: number,
  what: string,
  removeFile: () => void,
): Result<ListeningSocket> {
  const isBound = native.libc.bind(fd, native.scratch.pointer + 64n, length) === 0;
  if (!isBound || native.libc.listen(fd, backlog) < 0) {
    const error = errnoFailure(native.errno(), "proxy", what);
    native.libc.close(fd);
    return failed(error);
  }
  return success({ fd, address: readLocalAddress(native, fd) ?? UNNAMED_UNIX, removeFile });
}

/**
 * Binds under a temporary name and renames it into place: there is never a moment without a socket at the
 * path.
 */
function listenUnix(native: Native, address: UnixAddress, backlog: number): Result<ListeningSocket> {
  const what = `listen on unix socket ${address.path}`;
  const existing = lstatSync(address.path, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isSocket()) {
    return failed(failure("address-in-use", "proxy", `${what}: the path exists and is not a socket`));
  }
  const temporary = `${address.path}.${process.pid}.new`;
  const length = encodeUnixSockaddr(native.scratchBytes, 64, temporary, false);
  if (length === 0) return failed(failure("unsupported", "proxy", `${what}: the path is too long`));
  const fd = native.libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(errnoFailure(native.errno(), "proxy", what));
  const bound = bindAndListen(native, fd, length, backlog, what, keepNothing);
  if (!bound.ok) return bound;
  try {
    if (address.mode !== null) chmodSync(temporary, address.mode);
    if (address.uid !== null || address.gid !== null)
      chownSync(temporary, address.uid ?? -1, address.gid ?? -1);
    renameSync(temporary, address.path);
    const { ino, dev } = lstatSync(address.path);
    const removeFile = (): void => {
      const present = lstatSync(address.path, { throwIfNoEntry: false });
      if (present !== undefined && present.ino === ino && present.dev === dev) unlinkSync(address.path);
    };
    return success({ fd, address: { family: "unix", host: address.path, port: 0 }, removeFile });
  } catch (error) {
    native.libc.close(fd);
    try {
      unlinkSync(temporary);
    } catch {
      // It was renamed already.
    }
    return failed(errnoFailure(-((error as NodeJS.ErrnoException).errno ?? -EACCES), "proxy", what));
  }
}

function listenAbstract(native: Native, name: string, backlog: number): Result<ListeningSocket> {
  const what = `listen on abstract socket ${name}`;
  const length = encodeUnixSockaddr(native.scratchBytes, 64, name, true);
  if (length === 0) return failed(failure("unsupported", "proxy", `${what}: the name is too long`));
  const fd = native.libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(errnoFailure(native.errno(), "proxy", what));
  return bindAndListen(native, fd, length, backlog, what, keepNothing);
}

/** Takes a socket from whoever started us: it may be listening already, or only bound. */
function listenInherited(native: Native, fd: number, backlog: number): Result<ListeningSocket> {
  const what = `listen on descriptor ${fd}`;
  native.scratchInts[0] = 4;
  native.scratchInts[1] = 0;
  const { pointer } = native.scratch;
  if (native.libc.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, pointer + 4n, pointer) < 0) {
    return failed(errnoFailure(native.errno(), "proxy", what));
  }
  const isListening = native.scratchInts[1] !== 0;
  if (!isListening && native.libc.listen(fd, backlog) < 0)
    return failed(errnoFailure(native.errno(), "proxy", what));
  native.libc.fcntl(fd, F_SETFD, FD_CLOEXEC);
  const address = readLocalAddress(native, fd) ?? UNNAMED_UNIX;
  if (address.family !== "unix") setSocketOption(native, fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return success({ fd, address, removeFile: keepNothing });
}

/** A stream socket for `connect`, bound to the source address if one is wanted. */
export function openConnectingSocket(native: Native, options: ConnectOptions): Result<number> {
  const { address, source, keepAlive = null, buffers } = options;
  const what = `connect to ${describeTarget(options)}`;
  const family = address.kind === "unix" ? AF_UNIX : address.host.includes(":") ? AF_INET6 : AF_INET;
  const fd = native.libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(errnoFailure(native.errno(), "proxy", what));
  if (family === AF_UNIX) return success(fd);
  setSocketOption(native, fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (keepAlive !== null) setKeepAlive(native, fd, keepAlive);
  // Before connecting: the SYN says how far the window can grow.
  if (buffers !== undefined) setBuffers(native, fd, buffers);
  if (source === null) return success(fd);
  setSocketOption(native, fd, SOL_SOCKET, SO_REUSEADDR, 1);
  // The port is chosen at connect, when the four-tuple is known: else 28000 connections from one address are
  // the end.
  if (source.port === 0) setSocketOption(native, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const length = encodeIpSockaddr(native.scratchBytes, 64, source.host, source.port);
  if (length > 0 && native.libc.bind(fd, native.scratch.pointer + 64n, length) === 0) return success(fd);
  const error = errnoFailure(native.errno(), "proxy", `${what} from ${source.host}:${source.port}`);
  native.libc.close(fd);
  return failed(error);
}

export function describeTarget({ address }: ConnectOptions): string {
  if (address.kind === "unix") return address.path;
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** A connected datagram socket that never blocks. */
export function openDatagramSocket(
  native: Native,
  address:
    | { readonly kind: "udp"; readonly host: string; readonly port: number }
    | { readonly kind: "unix"; readonly path: string },
): Result<number> {
  const what =
    address.kind === "unix" ? `send to ${address.path}` : `send to ${address.host}:${address.port}`;
  const length =
    address.kind === "unix"
      ? encodeUnixSockaddr(native.scratchBytes, 64, address.path, false)
      : encodeIpSockaddr(native.scratchBytes, 64, address.host, address.port);
  if (length === 0) return failed(failure("unsupported", "proxy", `${what}: not a usable address`));
  const family = native.scratchBytes[64]!;
  const fd = native.libc.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed(errnoFailure(native.errno(), "proxy", what));
  if (native.libc.connect(fd, native.scratch.pointer + 64n, length) === 0) return success(fd);
  const error = errnoFailure(native.errno(), "proxy", what);
  native.libc.close(fd);
  return failed(error);
}
