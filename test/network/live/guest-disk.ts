// What a guest boots from: a Debian kernel, and an initramfs of busybox and a few programs of this machine,
// with Sallyport among them where it is asked for. Scripts of busybox's sh run as its root, one after the
// other; what each prints stands on its console between two lines that name it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findCommand } from "../../requirements.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PROGRAMS = ["busybox", "ip", "bridge", "ping", "tcpdump"] as const;
/** In the order in which they need each other. */
const MODULES: readonly string[] = [
  "net/llc/llc",
  "net/802/stp",
  "net/802/garp",
  "net/802/mrp",
  "net/8021q/8021q",
  "net/tls/tls",
  "drivers/net/bonding/bonding",
  "drivers/net/veth",
  "net/bridge/bridge",
];
/** Of nftables, for what Sallyport loads into bridges, edges and fences. */
const NFT_MODULES: readonly string[] = [
  "lib/libcrc32c",
  "net/netfilter/nfnetlink",
  "net/netfilter/nf_tables",
  "net/ipv4/netfilter/nf_defrag_ipv4",
  "net/ipv6/netfilter/nf_defrag_ipv6",
  "net/netfilter/nf_conntrack",
  "net/netfilter/nf_nat",
  "net/netfilter/nft_ct",
  "net/netfilter/nft_chain_nat",
  "net/netfilter/nft_nat",
  "net/netfilter/nft_masq",
  "net/netfilter/nft_redir",
  "net/ipv4/netfilter/nf_reject_ipv4",
  "net/ipv6/netfilter/nf_reject_ipv6",
  "net/netfilter/nft_reject",
  "net/netfilter/nft_reject_inet",
  "net/netfilter/nft_hash",
  "net/bridge/netfilter/nft_meta_bridge",
  "net/netfilter/nf_dup_netdev",
  "net/netfilter/nft_dup_netdev",
];
/** Of a card that QEMU gives to a guest. */
const CARD_MODULES: readonly string[] = [
  "drivers/virtio/virtio",
  "drivers/virtio/virtio_ring",
  "drivers/virtio/virtio_pci_legacy_dev",
  "drivers/virtio/virtio_pci_modern_dev",
  "drivers/virtio/virtio_pci",
  "net/core/failover",
  "drivers/net/net_failover",
  "drivers/net/virtio_net",
];
const ARCHIVES = "/var/cache/apt/archives";
const PACKAGE = /^linux-image-[0-9].*-cloud-amd64_.*_amd64\.deb$/;

/** Ends what hangs. */
const TIMEOUT_MS = 600_000;

/**
 * Where Sallyport is in a guest; `$S` is its command line, `$MANY` runs a line of its input each, `$NODE
 * $CLIENTS` is `cluster-clients.ts`.
 */
const SALLYPORT = "/sallyport";
const CACHE = "/compiled";
const NODE = `${SALLYPORT}/bin/node-26`;
const MANY = `${NODE} ${SALLYPORT}/test/network/live/many-commands.ts`;

const INIT = `#!/bin/busybox sh
[ -e /bin/sh ] || /bin/busybox --install -s /bin
export PATH=/bin HOME=/ NO_COLOR=1 SALLYPORT_NODE=/bin/node SALLYPORT_STATE=/run/state
export NODE_COMPILE_CACHE=${CACHE} S=${SALLYPORT}/bin/sallyport
export MANY="${MANY}" NODE=${NODE} CLIENTS=${SALLYPORT}/test/network/live/cluster-clients.ts
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev; mount -t tmpfs run /run
ln -s /proc/self/fd /dev/fd
# Of bonding none by itself, as systemd has it.
for module in $(cat /modules/order); do
  case $module in bonding) insmod /modules/$module.ko max_bonds=0 ;; *) insmod /modules/$module.ko ;; esac
done
ip link set lo up
cd /run
for part in $(cat /parts/order); do
  echo "---- begin $part"
  sh -e /parts/$part < /dev/null 2>&1
  echo "---- end $part $?"
done
poweroff -f
`;

export interface GuestOptions {
  /** Scripts by name, in order. What one makes is there for the next, and one that fails stops no other. */
  readonly parts: Readonly<Record<string, string>>;
  /** Before each part: functions that they share. */
  readonly common?: string;
  /** By their paths. */
  readonly files?: ReadonlyMap<string, string>;
  readonly hasNftables?: boolean;
  readonly hasCard?: boolean;
  /** With Node and nftables. */
  readonly hasSallyport?: boolean;
}

/** Kernel and disk, below `folder`, for who starts QEMU himself. */
export function buildDisk(
  folder: string,
  { parts, common = "", files = new Map(), hasSallyport = false, ...options }: GuestOptions,
): { readonly kernel: string; readonly initramfs: string } {
  const root = join(folder, "root");
  const hasNftables = hasSallyport || options.hasNftables === true;
  const kernel = unpackKernel(folder, root, [
    ...MODULES,
    ...(hasNftables ? NFT_MODULES : []),
    ...(options.hasCard === true ? CARD_MODULES : []),
  ]);
  for (const name of [...PROGRAMS, ...(hasNftables ? ["nft"] : [])]) addProgram(findCommand(name)!, root);
  if (hasSallyport) addSallyport(root);
  const own = [
    ["init", INIT],
    ["parts/order", Object.keys(parts).join("\n")],
    ...Object.entries(parts).map(([name, script]) => [`parts/${name}`, `${common}\n${script}`] as const),
    // tcpdump wants to know who it is.
    ["etc/passwd", "root:x:0:0::/:/bin/sh\n"],
  ] as const;
  for (const [path, text] of [...files, ...own]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode: 0o755 });
  }
  for (const name of ["proc", "sys", "dev", "run", "tmp"]) mkdirSync(join(root, name), { recursive: true });
  const initramfs = join(folder, "initramfs");
  run("sh", ["-c", 'cd "$1" && find . | busybox cpio -o -H newc > "$2" 2>/dev/null', "sh", root, initramfs]);
  return { kernel, initramfs };
}

/** Null: this machine has none. */
export function kernelPackage(): string | null {
  const names = existsSync(ARCHIVES) ? readdirSync(ARCHIVES).filter((name) => PACKAGE.test(name)) : [];
  const newest = names.sort().at(-1);
  return newest === undefined ? null : join(ARCHIVES, newest);
}

/** The kernel's path; its modules are put into `root`. */
function unpackKernel(folder: string, root: string, wanted: readonly string[]): string {
  const unpacked = join(folder, "kernel");
  run("dpkg-deb", ["--extract", kernelPackage()!, unpacked]);
  const modules = join(unpacked, "lib/modules");
  const [version] = readdirSync(modules);
  mkdirSync(join(root, "modules"), { recursive: true });
  for (const module of wanted) {
    const name = `${basename(module)}.ko`;
    copyFileSync(join(modules, version!, "kernel", dirname(module), name), join(root, "modules", name));
  }
  writeFileSync(join(root, "modules/order"), wanted.map((module) => basename(module)).join("\n"));
  return join(unpacked, "boot", `vmlinuz-${version}`);
}

/** The program and the libraries that it is linked with, where it looks for them. */
function addProgram(path: string, root: string): void {
  mkdirSync(join(root, "bin"), { recursive: true });
  copyFileSync(path, join(root, "bin", basename(path)));
  for (const [library] of run("ldd", [path]).matchAll(/\/\S+/g)) {
    const target = join(root, library);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(library, target);
  }
}

/** Into a disk that is still a folder, as root of nothing else. */
const ENTER = `
cd "$0"; mkdir -p proc sys dev run tmp .${CACHE}
mount -t proc proc proc; mount --rbind /sys sys; mount --rbind /dev dev; mount -t tmpfs run run
chroot . /bin/busybox --install -s /bin
exec chroot . /bin/busybox sh /warm-up`;
const WARM_UP_FILE = `
datacenter: warm-up
switches:
  dvs0: {version: "5.1", port-groups: {voice: {vlan: 40}}}
networks:
  voice: {subnet: 10.40.0.0/24, port-group: dvs0/voice}
machines:
  phone: {network: voice, address: 10.40.0.11}
  fax: {network: voice, address: 10.40.0.12}
clusters:
  both: {machines: [phone, fax], address: 10.40.0.50, mode: multicast, rules: [{ports: 80}]}
`;
const WARM_UP = `
export PATH=/bin HOME=/ NO_COLOR=1 SALLYPORT_NODE=/bin/node SALLYPORT_STATE=/run/state
export NODE_COMPILE_CACHE=${CACHE}
ip link set lo up; cd /run; cp /warm-up.yaml dc.yaml
${MANY} <<END
apply dc.yaml
status dc.yaml
switch upgrade dc.yaml dvs0 --to 5.5 --live
switch restore dc.yaml --live
destroy dc.yaml
END
`;

/**
 * With its compiled code, from commands that are run here: to compile them without KVM would take a guest
 * longer than all that it is there for.
 */
function addSallyport(root: string): void {
  for (const name of [
    "src",
    "bin",
    "test/network/live",
    "package.json",
    "node_modules/yaml",
    "node_modules/node-forge",
  ])
    cpSync(join(ROOT, name), join(root, SALLYPORT, name), { recursive: true, dereference: true });
  addProgram(process.execPath, root);
  writeFileSync(join(root, "warm-up.yaml"), WARM_UP_FILE);
  writeFileSync(join(root, "warm-up"), WARM_UP);
  // Root may mount more than root of a user namespace. What cannot be mounted costs the guest time only.
  const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const isolated = [...asRoot, "--net", "--mount", "--pid", "--fork", "--kill-child"];
  run("unshare", [...isolated, "sh", "-c", ENTER, root]);
}

function run(command: string, words: readonly string[]): string {
  const path = findCommand(command) ?? command;
  const ended = spawnSync(path, words, {
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
  });
  assert.equal(ended.status, 0, `${command}: ${ended.stderr}\n${ended.stdout}`);
  return ended.stdout;
}
