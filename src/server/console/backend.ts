// Connections to where the consoles are: unix sockets, TCP, and TLS with exactly one certificate. A viewer is
// never told where that is; the log is.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConsoleAddress } from "../../model/datacenter.ts";

/** A unix socket of a program of ours, which is found when it is needed. */
export interface ProgramSocket {
  readonly kind: "program";
  find(): string;
}

export interface ConsoleBackendOptions {
  readonly address: ConsoleAddress | ProgramSocket;
  /** SHA-256 of the certificate behind `tls`, lower case without colons. */
  readonly fingerprint: string | null;
  readonly passwordFile: string | null;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Rejects with an error whose message names the address. */
export function connectBackend({ address, fingerprint }: ConsoleBackendOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const place = placeOf(address);
    const socket = open(address, place);
    const fail = (message: string) => {
      socket.destroy();
      reject(new Error(`${place}: ${message}`));
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => fail("no connection in 10 seconds"));
    socket.once("error", ({ message }) => fail(message));
    socket.once(address.kind === "tls" ? "secureConnect" : "connect", () => {
      if (address.kind === "tls" && fingerprintOf(socket) !== fingerprint)
        return fail(`its certificate has the fingerprint ${fingerprintOf(socket)}`);
      socket.setTimeout(0);
      socket.removeAllListeners("timeout").removeAllListeners("error");
      // Whoever uses it listens for its close.
      socket.on("error", () => {});
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Null without a file. Throws like node:fs. */
export function readBackendPassword({ passwordFile }: ConsoleBackendOptions): string | null {
  return passwordFile === null ? null : readFileSync(passwordFile, "utf8").split(/\r?\n/, 1)[0]!;
}

function placeOf(address: ConsoleBackendOptions["address"]): string {
  if (address.kind === "program") return address.find();
  return address.kind === "unix" ? address.path : `${address.host}:${address.port}`;
}

function open(address: ConsoleBackendOptions["address"], place: string): Socket {
  if (address.kind === "unix" || address.kind === "program") return connect(place);
  const { host, port } = address;
  // Who it is is told by the fingerprint, not by an authority.
  return address.kind === "tcp" ? connect(port, host) : connectTls({ host, port, rejectUnauthorized: false });
}

function fingerprintOf(socket: Socket): string {
  const certificate = (socket as ReturnType<typeof connectTls>).getPeerX509Certificate();
  return certificate?.fingerprint256.replaceAll(":", "").toLowerCase() ?? "";
}
