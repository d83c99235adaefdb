// By which devices the remote shell comes that this program was called from. The shell's server leaves the
// connection in its children's environment (sshd(8), SSH_CONNECTION); sudo takes it away, so the processes
// above are asked too.
import { readFileSync } from "node:fs";
import { parseIp } from "../../base/ip.ts";
import type { OwnWay } from "../../network/plan/own-way.ts";
import { runCommand } from "./command.ts";
import { parseJson } from "./records.ts";

const PARENTS_MAX = 64;

interface ShownLink {
  readonly ifname: string;
  readonly link?: string;
  readonly master?: string;
  readonly addr_info?: readonly { readonly local?: string }[];
}

/** Null: nobody is connected from elsewhere, or nothing is known of it. */
export async function findOwnWay(): Promise<OwnWay | null> {
  const [clientText = "", , serverText = ""] = connectionOf(process.pid)?.split(" ") ?? [];
  const client = parseIp(unmapped(clientText));
  const server = parseIp(unmapped(serverText));
  if (client === null || server === null) return null;
  const [shown, route] = await Promise.all([
    runCommand(["ip", "-json", "address", "show"]),
    runCommand(["ip", "-json", "route", "get", client, "from", server]),
  ]);
  const all = parseJson<readonly ShownLink[]>(shown.output) ?? [];
  const [towards] = parseJson<readonly { readonly dev?: string }[]>(route.output) ?? [];
  const links = new Set<string>();
  const add = (name: string | undefined) => {
    if (name === undefined || links.has(name)) return;
    links.add(name);
    add(all.find(({ ifname }) => ifname === name)?.link);
    for (const one of all) if (one.master === name) add(one.ifname);
  };
  for (const { ifname, addr_info } of all)
    if (addr_info?.some(({ local }) => local === server) === true) add(ifname);
  if (towards?.dev !== "lo") add(towards?.dev);
  links.delete("lo");
  return { client, server, links };
}

/** "client port server port" of the nearest process that knows it. */
function connectionOf(pid: number): string | null {
  let current = pid;
  for (let depth = 0; depth < PARENTS_MAX && current > 1; depth++) {
    const text = readText(`/proc/${current}/environ`);
    const entry = text.split("\0").find((one) => one.startsWith("SSH_CONNECTION="));
    if (entry !== undefined) return entry.slice("SSH_CONNECTION=".length);
    const status = readText(`/proc/${current}/status`);
    current = Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? 0);
  }
  return null;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** IPv4 over a socket of IPv6 (RFC 4291, 2.5.5.2), and without a link-local zone. */
function unmapped(text: string): string {
  return text.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}
