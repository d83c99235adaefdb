// The engine that runs wherever Node runs: node:net, node:tls and node:dgram behind the contract of
// src/transport/contract.ts. It lives in Node's own loop, so promises and timers of others go on beside it,
// and it keeps the process alive only while a socket is open.
import {
  isIP,
  connect as netConnect,
  Socket,
  type SocketConstructorOpts,
  type TcpNetConnectOpts,
} from "node:net";
import { failed, failure, type Result, success } from "../../base/failure.ts";
import type {
  Acceptor,
  ConnectionHandler,
  ConnectOptions,
  Engine,
  Listener,
  ListenOptions,
  TlsServerContext,
} from "../../transport/contract.ts";
import { ProxyHeaderReader } from "../proxy-header-reader.ts";
import { setKeepAlive } from "./keep-alive.ts";
import { ChunkPool } from "./pooled-chunk.ts";
import { PortableConnection } from "./portable-connection.ts";
import { openPortableDatagramSender } from "./portable-datagram.ts";
import { listenPortable, type PortableListener } from "./portable-listener.ts";
import {
  createPortableTlsClientContext,
  createPortableTlsServerContext,
  type HandshakeOutcome,
  handshakeAsClient,
  handshakeAsServer,
  PortableTlsClientContext,
  PortableTlsServerContext,
} from "./portable-tls.ts";
import { localAddressOf, remoteAddressOf, socketAddress, unixAddress } from "./socket-addresses.ts";
import { failureOfError } from "./socket-failure.ts";
import { Turn } from "./turn.ts";

export function createPortableEngine(): Engine {
  const turn = new Turn();
  const pool = new ChunkPool();
  const registry = new Registry(turn);
  return {
    name: "portable",
    get nowMs() {
      return turn.nowMs;
    },
    get wallClockMs() {
      return turn.wallClockMs;
    },
    timers: turn.timers,
    random: () => Math.random(),
    allocate: (byteCount) => pool.allocate(byteCount),
    listen: (options, acceptor, done) => listen(registry, options, acceptor, done),
    connect: (options, handler) => connect(registry, options, handler),
    createTlsServerContext: createPortableTlsServerContext,
    createTlsClientContext: createPortableTlsClientContext,
    openDatagramSender: openPortableDatagramSender,
    defer: (task) => turn.defer(task),
    onTurnEnd: (task) => turn.onTurnEnd(task),
    run() {},
    stop: () => registry.stop(),
  };
}

/** What is open, so that `stop` can let the process end. */
class Registry {
  readonly turn: Turn;
  readonly connections: Set<PortableConnection> = new Set();
  readonly listeners: Set<PortableListener> = new Set();
  #nextId = 1;

  constructor(turn: Turn) {
    this.turn = turn;
  }

  add(
    side: "client" | "server",
    socket: Socket,
    addresses: { readonly remote: PortableConnection["remote"]; readonly local: PortableConnection["local"] },
  ): PortableConnection {
    const onGone = (gone: PortableConnection) => this.connections.delete(gone);
    const connection = new PortableConnection(this.#nextId++, side, socket, addresses, this.turn, onGone);
    this.connections.add(connection);
    return connection;
  }

  stop(): void {
    this.turn.stop();
    for (const listener of this.listeners) listener.drop();
    for (const connection of this.connections) connection.drop();
    this.connections.clear();
  }
}

function listen(
  registry: Registry,
  options: ListenOptions,
  acceptor: Acceptor,
  done: (result: Result<Listener>) => void,
): void {
  const { turn, listeners } = registry;
  if (options.tls !== null && !(options.tls instanceof PortableTlsServerContext)) {
    turn.defer(() => done(failed(failure("unsupported", "proxy", "a TLS context of another engine"))));
    return;
  }
  listenPortable(
    options,
    (socket, local, tls) => accept(registry, options, acceptor, { socket, local, tls }),
    (listener) => listeners.delete(listener),
    (result) => {
      if (result.ok) listeners.add(result.value);
      turn.dispatch(() => done(result));
    },
  );
}

interface AcceptedSocket {
  readonly socket: Socket;
  readonly local: PortableConnection["local"];
  readonly tls: TlsServerContext | null;
}

function accept(
  registry: Registry,
  options: ListenOptions,
  acceptor: Acceptor,
  accepted: AcceptedSocket,
): void {
  const { socket, tls } = accepted;
  const isUnix = accepted.local.family === "unix";
  const remote = isUnix ? unixAddress("") : remoteAddressOf(socket);
  // Reset while it was queued: nobody is there to tell.
  if (remote === null || socket.destroyed) {
    socket.destroy();
    return;
  }
  const local = isUnix ? accepted.local : (localAddressOf(socket) ?? accepted.local);
  const connection = registry.add("client", socket, { remote, local });
  registry.turn.dispatch(() => {
    const handler = acceptor.accept(connection);
    if (handler === null) return connection.reset();
    connection.handler = handler;
    if (options.acceptProxy || tls !== null) connection.limitHandshake(options.handshakeTimeoutMs);
    if (options.acceptProxy) readProxyHeader(connection, socket, () => establish(connection, socket, tls));
    else establish(connection, socket, tls);
  });
}

/** Reads the PROXY header off a socket and puts back what is behind it. */
function readProxyHeader(connection: PortableConnection, socket: Socket, whenRead: () => void): void {
  const reader = new ProxyHeaderReader();
  const hangUp = () =>
    connection.fail(failure("closed", "client", "the peer closed within the PROXY header"));
  const take = (bytes: Buffer): void => {
    const outcome = reader.receive(bytes);
    if (outcome.kind === "more" || connection.isClosed) return;
    if (outcome.kind === "bad") {
      connection.fail(failure("protocol", "client", outcome.message));
      return;
    }
    socket.off("data", take).off("end", hangUp).off("close", hangUp).pause();
    if (outcome.rest.length > 0) socket.unshift(Buffer.from(outcome.rest));
    connection.proxied = outcome.proxied;
    if (outcome.proxied !== null) connection.remote = outcome.proxied.source;
    whenRead();
  };
  socket.on("data", take).on("end", hangUp).on("close", hangUp).resume();
}

function establish(connection: PortableConnection, socket: Socket, tls: TlsServerContext | null): void {
  if (connection.isClosed) return;
  if (tls instanceof PortableTlsServerContext) handshakeAsServer(socket, tls, outcomeFor(connection));
  else connection.open(socket);
}

function connect(
  registry: Registry,
  options: ConnectOptions,
  handler: ConnectionHandler,
): PortableConnection {
  const { address, tls } = options;
  const remote =
    address.kind === "unix" ? unixAddress(address.path) : socketAddress(address.host, address.port);
  const local =
    address.kind === "unix" ? unixAddress("") : socketAddress(remote.family === 6 ? "::" : "0.0.0.0", 0);
  const started = startConnecting(options);
  const socket = started.ok ? started.value : unusableSocket();
  const connection = registry.add("server", socket, { remote, local });
  connection.handler = handler;
  connection.limitHandshake(options.timeoutMs);
  if (!started.ok) {
    connection.fail(started.error);
    return connection;
  }
  socket.on("error", (error) => connection.fail(failureOfError(error, "server", true)));
  socket.once("close", () => connection.fail(failure("closed", "server", "closed while connecting", true)));
  socket.once("connect", () => {
    if (connection.isClosed) return;
    if (address.kind === "tcp") connection.local = localAddressOf(socket) ?? local;
    if (options.preamble !== null) socket.write(Buffer.from(options.preamble));
    if (tls === null) return connection.open(socket);
    const peerKey = address.kind === "tcp" ? `${address.host} ${address.port}` : address.path;
    const context = tls.context as PortableTlsClientContext;
    handshakeAsClient(socket, context, { serverName: tls.serverName, peerKey }, outcomeFor(connection));
  });
  return connection;
}

function startConnecting({ address, source, tls, keepAlive = null }: ConnectOptions): Result<Socket> {
  const refuse = (message: string) => failed(failure("unreachable", "server", message));
  if (tls !== null && !(tls.context instanceof PortableTlsClientContext)) {
    return failed(failure("unsupported", "proxy", "a TLS context of another engine"));
  }
  try {
    if (address.kind === "unix") return success(netConnect({ path: address.path, allowHalfOpen: true }));
    const family = isIP(address.host);
    if (family === 0) return refuse(`${address.host} is not an IP address`);
    const options: TcpNetConnectOpts & SocketConstructorOpts = {
      host: address.host,
      port: address.port,
      allowHalfOpen: true,
      noDelay: true,
      autoSelectFamily: false,
      ...(source === null ? {} : { localAddress: source.host }),
      ...(source === null || source.port === 0 ? {} : { localPort: source.port }),
    };
    const socket = netConnect(options);
    if (keepAlive !== null) setKeepAlive(socket, keepAlive);
    return success(socket);
  } catch (error) {
    return failed(failureOfError(error, "server", true));
  }
}

/** Stands in for a socket that could not be made, so that the connection has one way to end. */
function unusableSocket(): Socket {
  return new Socket().destroy();
}

function outcomeFor(connection: PortableConnection): HandshakeOutcome {
  return {
    succeed(stream, facts) {
      connection.tls = facts;
      connection.open(stream);
    },
    fail: (cause) => connection.fail(cause),
  };
}
