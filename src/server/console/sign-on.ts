// Who asks, where a sign-on proxy in front has found that out: a header with the name, believed from its
// addresses only.
import type { IncomingMessage } from "node:http";
import { parseIp, type Subnet, subnetHas } from "../../base/ip.ts";
import { clientAddress } from "./tickets.ts";
import { userNameFault } from "./users.ts";

export interface SignOn {
  /** In lower case. */
  readonly header: string;
  readonly from: readonly Subnet[];
}

export interface Identity {
  /** Null: nobody has signed on, or who says so is not believed. */
  readonly user: string | null;
  /** Address of the browser. */
  readonly client: string;
}

export function identify({ socket, headers }: IncomingMessage, signOn: SignOn | null): Identity {
  const address = socket.remoteAddress ?? "";
  const peer = clientAddress(address);
  const ip = parseIp(address.replace(/^::ffff:(?=\d+\.)/i, ""));
  if (signOn === null || ip === null || !signOn.from.some((subnet) => subnetHas(subnet, ip)))
    return { user: null, client: peer };
  const user = headers[signOn.header];
  // The last entry is the one that the sign-on proxy itself has added.
  const forwarded = parseIp([headers["x-forwarded-for"]].flat().join(",").split(",").at(-1)!.trim());
  const isName = typeof user === "string" && userNameFault(user) === null;
  return { user: isName ? user : null, client: forwarded ?? peer };
}
