// Addresses as HAProxy's `addr` column has them: "192.0.2.1:80", "[2001:db8::1]:80", "unix".
import type { ListenAddress } from "../../transport/contract.ts";
import type { Server } from "../runtime.ts";

export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === "fd") return `fd@${address.fd}`;
  if (address.kind !== "tcp") return "unix";
  return formatHostPort(address.host ?? (address.isV6Only === true ? "::" : "0.0.0.0"), address.port);
}

/** The address in force: what resolution or the runtime API put in its place. */
export function formatServerAddress(server: Server): string {
  return server.definition.address.kind === "unix" ? "unix" : formatHostPort(server.host, server.port ?? 0);
}

function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
