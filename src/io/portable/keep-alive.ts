// TCP's keep-alive probes over node:net, which has values of its own where nothing is said: a probe each
// second. Here it is the system's that hold then.
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { KeepAlive } from "../../transport/contract.ts";

export function setKeepAlive(socket: Socket, { idleSeconds, intervalSeconds, probeCount }: KeepAlive): void {
  socket.setKeepAlive({
    enable: true,
    initialDelay: (idleSeconds ?? systemValue("time", 7200)) * 1000,
    interval: (intervalSeconds ?? systemValue("intvl", 75)) * 1000,
    count: probeCount ?? systemValue("probes", 9),
  });
}

/** Of tcp(7), seconds or a count; `usual` where the system does not tell. */
function systemValue(name: "time" | "intvl" | "probes", usual: number): number {
  try {
    return Number(readFileSync(`/proc/sys/net/ipv4/tcp_keepalive_${name}`, "utf8"));
  } catch {
    return usual;
  }
}
