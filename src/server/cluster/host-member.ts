// Makes the machine that this runs on a member of a cluster: a real host, or the Linux inside a virtual
// machine. One of its devices gets what `apply` gives to that of a namespace: the shared address and MAC, and
// the tables that hide and share them. What was there before is remembered, so that leaving puts it back,
// also after a crash.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Mac, parseMac } from "../../base/mac.ts";
import { type CommandResult, runCommand } from "../../driver/linux/command.ts";
import { parseJson, readRecord, writeRecord } from "../../driver/linux/records.ts";
import type { Sysctl } from "../../model/network-state.ts";
import type { ResolvedCluster, ResolvedInterface } from "../../model/resolved-datacenter.ts";
import { CLUSTER_TABLE, nftFamilyOf } from "../../network/cluster/live-sets.ts";
import {
  maskTable,
  memberSysctls,
  sharedPrefix,
  shareTable,
} from "../../network/plan/cluster-member-state.ts";

/** What a host must know to be a member. */
export interface HostMembership {
  readonly cluster: ResolvedCluster;
  readonly machine: string;
  /** Its interface in the cluster's network, as the file has it. */
  readonly own: ResolvedInterface;
  readonly device: string;
}

/** How the device was, and what was put there. */
interface Before {
  readonly device: string;
  readonly mac: Mac;
  readonly sysctls: readonly Sysctl[];
  /** "192.168.30.50/24" */
  readonly address: string;
  readonly family: "ip" | "ip6";
}

/** Null, or why this cannot be that member. Nothing is changed. */
export async function complaintAbout(membership: HostMembership): Promise<string | null> {
  const { own, device, machine } = membership;
  const devices = await devicesHere();
  const found = devices.find(({ ifname }) => ifname === device);
  if (found === undefined) {
    const names = devices.map(({ ifname }) => ifname).filter((name) => name !== "lo");
    return `there is no device ${device} here, but ${names.join(", ") || "none"}: --device says which one is in ${own.network}`;
  }
  if (own.wantsDhcp) return null;
  // Two hosts with one number would both take the same share.
  const present = found.addr_info.map(({ local }) => local);
  const missing = own.addresses.find(({ ip }) => !present.includes(ip));
  return missing === undefined
    ? null
    : `${device} does not have ${missing.ip}, the address of ${machine}: is this ${machine}?`;
}

/**
 * Null, or what the kernel refuses: then all of it is taken back. Done once more it only brings what is new,
 * and what is there stays when that is refused.
 */
export async function setUpHost(membership: HostMembership, directory: string): Promise<string | null> {
  const { cluster, machine, device } = membership;
  const known = readBefore(directory);
  const isSame = known?.device === device && known.address === sharedAddress(membership);
  if (known !== null && !isSame) {
    const { fault } = await takeDownHost(directory);
    if (fault !== null) return fault;
  }
  const mac = await macOf(device);
  if (mac === null) return `there is no device ${device}`;
  // What the same device has now may be what was put there.
  const before = isSame ? known : presentState(membership, mac);
  writeRecord(join(directory, "before.json"), before);
  const fault = await putThere(membership, before);
  if (fault === null) return null;
  const { fault: undone } = isSame ? { fault: null } : await takeDownHost(directory);
  return `${machine} cannot be a member of ${cluster.name}: ${fault}${undone === null ? "" : `; nor be as it was: ${undone}`}`;
}

async function putThere(
  { cluster, machine, device }: HostMembership,
  before: Before,
): Promise<string | null> {
  const tables = [maskTable(cluster, machine, device, before.mac), shareTable(cluster)];
  // The mask before the MAC: no frame may tell a switch where the shared one is.
  const put = await runCommand(["nft", "-f", "-"], { input: tables.map(({ text }) => text ?? "").join("") });
  if (put.status !== 0) return complaintOf("nftables", put);
  try {
    for (const { key, value } of sysctlsOf(cluster, device)) writeFileSync(`/proc/sys/${key}`, value);
  } catch (error) {
    return (error as Error).message;
  }
  const mac = cluster.mode === "unicast" ? cluster.mac : before.mac;
  if ((await macOf(device)) !== mac) {
    const set = await runCommand(["ip", "link", "set", "dev", device, "address", mac]);
    if (set.status !== 0) return complaintOf(`${device} does not take the MAC ${mac}`, set);
  }
  // All members have it, so nobody asks whether it is taken; and what is sent goes out from the member's own.
  const more = before.family === "ip6" ? ["nodad", "preferred_lft", "0"] : [];
  const added = await runCommand(["ip", "address", "replace", before.address, "dev", device, ...more]);
  return added.status === 0 ? null : complaintOf(`${device} does not take ${before.address}`, added);
}

export interface TakenDown {
  /** There was something to put back. */
  readonly hadJoined: boolean;
  /** What could not be put back; it is tried again the next time. */
  readonly fault: string | null;
}

/** Puts back what was there. */
export async function takeDownHost(directory: string): Promise<TakenDown> {
  const before = readBefore(directory);
  if (before === null) return { hadJoined: false, fault: null };
  const { device, mac, address, sysctls, family } = before;
  const faults: string[] = [];
  const run = async (words: readonly string[], isGone: RegExp, input = "") => {
    const result = await runCommand(words, { input });
    if (result.status !== 0 && !isGone.test(result.errors)) faults.push(complaintOf(words.join(" "), result));
  };
  const present = await macOf(device);
  if (present !== null) {
    await run(["ip", "address", "delete", address, "dev", device], /Cannot assign requested address/);
    if (present !== mac) await run(["ip", "link", "set", "dev", device, "address", mac], /^$/);
    for (const { key, value } of sysctls) {
      try {
        writeFileSync(`/proc/sys/${key}`, value);
      } catch (error) {
        faults.push((error as Error).message);
      }
    }
  }
  for (const table of [`netdev ${CLUSTER_TABLE}`, `${family} ${CLUSTER_TABLE}`])
    await run(["nft", "-f", "-"], /^$/, `table ${table}\ndelete table ${table}\n`);
  if (faults.length > 0) return { hadJoined: true, fault: faults.join("; ") };
  writeRecord(join(directory, "before.json"), null);
  return { hadJoined: true, fault: null };
}

function readBefore(directory: string): Before | null {
  return readRecord<Before>(join(directory, "before.json"));
}

function sharedAddress({ cluster, own }: HostMembership): string {
  return `${cluster.address}/${sharedPrefix(cluster, own)}`;
}

function presentState(membership: HostMembership, mac: Mac): Before {
  const { cluster, device } = membership;
  return {
    device,
    mac,
    sysctls: sysctlsOf(cluster, device).map(({ key }) => ({
      key,
      value: readFileSync(`/proc/sys/${key}`, "utf8").trim(),
    })),
    address: sharedAddress(membership),
    family: nftFamilyOf(cluster.address),
  };
}

/** A host has neighbours that know its MAC: the kernel tells them of the new one (ip-sysctl.rst). */
function sysctlsOf(cluster: ResolvedCluster, device: string): Sysctl[] {
  const telling = ["ipv4", "ipv6"].map((family) => ({
    key: `net/${family}/conf/${device}/${family === "ipv4" ? "arp_notify" : "ndisc_notify"}`,
    value: "1",
  }));
  const all = cluster.mode === "unicast" ? [...telling, ...memberSysctls(cluster, device)] : [];
  // A kernel without IPv6 has nothing of it to set.
  return all.filter(({ key }) => existsSync(`/proc/sys/${key}`));
}

/** As `ip -j address` has it. */
interface Device {
  readonly ifname: string;
  readonly address: string;
  readonly addr_info: readonly { readonly local?: string }[];
}

async function devicesHere(): Promise<Device[]> {
  const { status, output } = await runCommand(["ip", "-j", "address"]);
  return status === 0 ? parseJson<Device[]>(output) : [];
}

async function macOf(device: string): Promise<Mac | null> {
  const found = (await devicesHere()).find(({ ifname }) => ifname === device);
  return found === undefined ? null : parseMac(found.address);
}

function complaintOf(what: string, { errors }: CommandResult): string {
  return `${what}: ${errors.trim().split("\n")[0] ?? ""}`;
}
