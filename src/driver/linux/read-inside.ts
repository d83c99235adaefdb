// What a namespace has, read in it without a process. Tables are not read but recognised: the kernel numbers
// each change of nftables in a namespace, so that what was once listed is known to be there still.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Sysctl } from "../../model/network-state.ts";
import type { AskKernel, NamespaceDoor } from "../../transport/namespace-door.ts";
import { linkSettings } from "./link-settings.ts";
import { NAMESPACE_FOLDER } from "./namespaces.ts";
import { indexNames, linkList, routeList, ruleList } from "./netlink-lists.ts";
import {
  ADDRESS_BYTES,
  AF_INET,
  AF_INET6,
  GET_ADDRESSES,
  GET_LINKS,
  GET_ROUTES,
  GET_RULES,
  linksRequest,
  NETLINK_ROUTE,
  ROUTE_BYTES,
  requestFor,
} from "./netlink-message.ts";
import { GET_TABLES, NETLINK_NETFILTER, NFT_BYTES } from "./table-marks.ts";

type Json = Readonly<Record<string, unknown>>;

export interface Inside {
  /** As `ip -json` has them. */
  readonly shown: readonly Json[];
  readonly routes: readonly Json[];
  readonly rules: readonly Json[];
  readonly sysctls: readonly Sysctl[];
  /** Changes with everything that is done to tables; null: not asked for, or this kernel does not tell. */
  readonly signature: string | null;
}

/** NFNL_SUBSYS_NFTABLES in the upper byte (linux/netfilter/nf_tables.h). */
const GET_GENERATION = 0x0a10;

/** Null: it cannot be read so, and has to be by processes. `keys`: of settings. `hasTables`: it should. */
export function readInside(
  door: NamespaceDoor,
  name: string,
  keys: Iterable<string>,
  hasTables: boolean,
): Inside | null {
  const path = join(NAMESPACE_FOLDER, name);
  return door.within(path, (ask) => {
    const everything = (type: number, request: Uint8Array) =>
      listOrNull(ask(NETLINK_ROUTE, type, "everything", request));
    const dump = (type: number, bytes: number, family?: number) =>
      everything(type, requestFor(bytes, family));
    const links = everything(GET_LINKS, linksRequest());
    const addresses = dump(GET_ADDRESSES, ADDRESS_BYTES);
    const routes4 = dump(GET_ROUTES, ROUTE_BYTES, AF_INET);
    const routes6 = dump(GET_ROUTES, ROUTE_BYTES, AF_INET6);
    const rules = dump(GET_RULES, ROUTE_BYTES, AF_INET);
    if (links === null || addresses === null || routes4 === null || rules === null) return null;
    const shown = linkList(links, addresses);
    if (shown === null) return null;
    // A kernel without IPv6 has no routes of it.
    const routes = routeList([...routes4, ...(routes6 ?? [])], indexNames(links));
    const signature = hasTables ? signatureOf(ask, statSync(path).ino) : null;
    const settingOf = linkSettings(links);
    const sysctls = [...keys].flatMap((key) => {
      const value = settingOf(key);
      return value === null ? sysctlOf(key) : [{ key, value }];
    });
    return { shown, routes, rules: ruleList(rules), sysctls, signature };
  });
}

function listOrNull(answer: ReturnType<AskKernel>): Uint8Array[] | null {
  return typeof answer === "number" ? null : answer;
}

/** A namespace that was made anew has another number, or at least other tables. */
function signatureOf(ask: AskKernel, inode: number): string | null {
  const generation = listOrNull(ask(NETLINK_NETFILTER, GET_GENERATION, "one", requestFor(NFT_BYTES)));
  const tables = listOrNull(ask(NETLINK_NETFILTER, GET_TABLES, "everything", requestFor(NFT_BYTES)));
  if (generation === null || tables === null) return null;
  // The first attribute is the number; those behind it are about who made the last change.
  const number = Buffer.from(generation[0]?.subarray(NFT_BYTES + 4, NFT_BYTES + 8) ?? []);
  const names = tables.map((bytes) => Buffer.from(bytes.subarray(NFT_BYTES)).toString("base64"));
  return [inode, number.toString("hex"), ...names].join(" ");
}

/** Settings of the network are those of whoever asks. */
function sysctlOf(key: string): Sysctl[] {
  try {
    const value = readFileSync(join("/proc/sys", key), "utf8").trimEnd();
    return [{ key, value: value.replaceAll("\t", " ") }];
  } catch {
    return [];
  }
}
