// What a machine lacks for a plan, found by trying and not by reading versions: each lack with what follows
// from it and how to cure it.
import { existsSync, readFileSync } from "node:fs";
import type { NetworkState } from "../../model/network-state.ts";
import type { NamespaceDoor } from "../../transport/namespace-door.ts";
import type { Lack } from "../contract.ts";
import { runCommand } from "./command.ts";
import { listNamespaces } from "./namespaces.ts";
import { LOOPBACK_INDEX, NETLINK_ROUTE, NEW_LINK, newLinkRequest } from "./netlink-message.ts";
import { findProgram } from "./program-path.ts";

/** Program -> Debian package, and what it is for. */
const PROGRAMS: Readonly<Record<string, readonly [string, string]>> = {
  ip: ["iproute2", "devices and addresses cannot be set"],
  bridge: ["iproute2", "bridges cannot be set up"],
  nft: ["nftables", "edges cannot filter and translate"],
  nsenter: ["util-linux", "namespaces cannot be entered"],
  unshare: ["util-linux", "machines cannot have processes of their own"],
  dnsmasq: ["dnsmasq-base", "nobody gives out addresses by DHCP"],
  udhcpc: ["udhcpc", "machines with `address: dhcp` get none"],
  "qemu-system-x86_64": ["qemu-system-x86", "virtual machines cannot run"],
  "qemu-img": ["qemu-utils", "virtual machines get no disks"],
};
const WHEN_CALLED: readonly string[] = ["dnsmasq", "udhcpc", "qemu-system-x86_64", "qemu-img"];
const ALWAYS: readonly string[] = ["ip", "nft", "nsenter", "unshare"];

export async function findLacks(
  desired: NetworkState,
  applied: NetworkState,
  prefix: string,
): Promise<Lack[]> {
  if (desired.namespaces.length === 0) return [];
  const lacks = [
    ...rightsLack(),
    ...programLacks(desired),
    ...imageLacks(desired),
    ...nameLacks(desired, applied, prefix),
  ];
  if (lacks.some(({ isFatal }) => isFatal)) return lacks;
  return [...lacks, ...(await kernelLacks(desired, applied))];
}

/** Numbers of linux/capability.h. */
const CAP_NET_ADMIN = 12;
const CAP_SYS_ADMIN = 21;

function rightsLack(): Lack[] {
  if (process.platform !== "linux")
    return [
      {
        isFatal: true,
        what: "this is no Linux",
        consequence: "there is no kernel here that could be the network",
        cure: "apply it on a Linux machine; check and explain work everywhere",
      },
    ];
  // To make namespaces takes more than to change what is in them. Root of a user namespace has both in there,
  // and root of a container often neither.
  if (hasCapability(CAP_NET_ADMIN) && hasCapability(CAP_SYS_ADMIN)) return [];
  return [
    {
      isFatal: true,
      what: "only root may change the network of a machine",
      consequence: "nothing can be applied",
      cure: "call it with sudo, or with --rootless in a network of your own",
    },
  ];
}

/** Whether this process may do what the capability of that number allows (capabilities(7), CapEff). */
function hasCapability(number: number): boolean {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    return ((BigInt(`0x${effective}`) >> BigInt(number)) & 1n) === 1n;
  } catch {
    return false;
  }
}

function programLacks({ namespaces, processes }: NetworkState): Lack[] {
  const called = new Set(processes.flatMap(({ command }) => command));
  const hasVlans = namespaces.some(({ links }) => links.some(({ port }) => (port?.vlans.length ?? 0) > 0));
  const needed = [
    ...ALWAYS,
    ...(hasVlans ? ["bridge"] : []),
    ...WHEN_CALLED.filter((name) => called.has(name)),
  ];
  return needed
    .filter((name) => findProgram(name) === null)
    .map((name) => {
      const [debianPackage, consequence] = PROGRAMS[name]!;
      return {
        isFatal: true,
        what: `there is no ${name}`,
        consequence,
        cure: `apt-get install ${debianPackage}`,
      };
    });
}

/** Of virtual machines: what follows the tool that copies it. */
function imageLacks({ processes }: NetworkState): Lack[] {
  return processes.flatMap(({ command, words }): Lack[] => {
    const at = command.indexOf("qemu-img");
    const image = at === -1 ? undefined : command[at + 1];
    if (image === undefined || existsSync(image)) return [];
    const consequence = `${words} has nothing to start from`;
    return [{ isFatal: true, what: `there is no ${image}`, consequence, cure: "Name the file of a disk." }];
  });
}

/** A namespace of ours that we did not make would be changed, and removed one day. */
function nameLacks(desired: NetworkState, applied: NetworkState, prefix: string): Lack[] {
  const ours = new Set(applied.namespaces.map(({ name }) => name));
  const there = new Set(listNamespaces());
  return desired.namespaces
    .map(({ name }) => name)
    .filter((name) => name?.startsWith(prefix) === true && there.has(name) && !ours.has(name))
    .map((name) => ({
      isFatal: true,
      what: `there is a namespace ${name} already, and it is not of this datacentre`,
      consequence: "it would be changed",
      cure: `remove it if nobody needs it: ip netns delete ${name}`,
    }));
}

/** Kinds of devices, tried in a namespace that is gone afterwards. */
const DEVICE_KINDS: Readonly<Record<string, readonly [string, string]>> = {
  veth: ["link add sp-try0 type veth peer name sp-try1", "veth"],
  bridge: ["link add sp-try0 type bridge", "bridge"],
  bond: ["link add sp-try0 type bond", "bonding"],
  vlan: ["link add link lo name sp-try0 type vlan id 5", "8021q"],
  macvlan: ["link add link lo name sp-try0 type macvlan", "macvlan"],
  dummy: ["link add sp-try0 type dummy", "dummy"],
  tap: ["tuntap add dev sp-try0 mode tap", "tun"],
};

async function kernelLacks({ namespaces }: NetworkState, applied: NetworkState): Promise<Lack[]> {
  const links = namespaces.flatMap((one) => one.links);
  // What was made before can be made.
  const made = new Set(applied.namespaces.flatMap((one) => one.links.map(({ kind }) => kind.kind)));
  const kinds = [...new Set(links.map(({ kind }) => kind.kind))].filter(
    (kind) => kind !== "physical" && !made.has(kind),
  );
  const missing: Lack[] = [];
  for (const kind of kinds) {
    const [line, module] = DEVICE_KINDS[kind]!;
    if (await canDo(line)) continue;
    missing.push({
      isFatal: true,
      what: `this kernel makes no devices of kind ${kind}`,
      consequence: `${links.filter((link) => link.kind.kind === kind).length} devices cannot be made`,
      cure: `modprobe ${module}, or a kernel that has it`,
    });
  }
  return missing;
}

/** Attributes of linux/if_link.h. */
const [IFLA_BR_VLAN_FILTERING, IFLA_VLAN_ID] = [7, 1];

/**
 * Whether a kernel has VLAN devices, and bridges that filter VLANs. Only uplinks need the former, and to ask
 * a kernel that has none makes it look for a module, which takes ten times as long as all else.
 */
export async function findAbilities(door: NamespaceDoor | null, hasUplinks: boolean): Promise<Abilities> {
  const found = door?.withinNew((ask): Abilities => {
    const can = (wanted: "new" | "changed", ...request: Parameters<typeof newLinkRequest>) =>
      Array.isArray(ask(NETLINK_ROUTE, NEW_LINK, wanted, newLinkRequest(...request)));
    // A bridge that is refused after it was made keeps the kernel busy for 40 ms, one that is kept does not.
    const filtering = [[IFLA_BR_VLAN_FILTERING, Uint8Array.of(1)]] as const;
    const isVlanAware = can("new", "sp-try0", "bridge", []) && can("changed", "sp-try0", "bridge", filtering);
    const tag = [[IFLA_VLAN_ID, Uint8Array.of(5, 0)]] as const;
    return { isVlanAware, hasVlanDevices: hasUplinks && can("new", "sp-try1", "vlan", tag, LOOPBACK_INDEX) };
  });
  if (found !== null && found !== undefined) return found;
  const [isVlanAware, hasVlanDevices] = await Promise.all([
    canDo("link add sp-try0 type bridge vlan_filtering 1"),
    hasUplinks && canDo(DEVICE_KINDS["vlan"]![0]),
  ]);
  return { isVlanAware, hasVlanDevices };
}

interface Abilities {
  readonly isVlanAware: boolean;
  readonly hasVlanDevices: boolean;
}

async function canDo(line: string): Promise<boolean> {
  const { status } = await runCommand(["unshare", "--net", "ip", "-batch", "-"], { input: `${line}\n` });
  return status === 0;
}
