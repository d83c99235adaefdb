// For tests of drivers that this machine's kernel may lack: a Debian kernel in QEMU, without KVM, so that it
// runs wherever QEMU does. Its whole disk is an initramfs of busybox and a few programs of this machine, with
// Sallyport among them where it is asked for. Scripts of busybox's sh run as its root, one after the other;
// what each prints comes back over the serial line while the next is on, so that one boot serves many tests.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findCommand, requires } from "../../requirements.ts";

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
  "net/bridge/netfilter/nft_meta_bridge",
  "net/netfilter/nf_dup_netdev",
  "net/netfilter/nft_dup_netdev",
];
const ARCHIVES = "/var/cache/apt/archives";
const PACKAGE = /^linux-image-[0-9].*-cloud-amd64_.*_amd64\.deb$/;
/** Without KVM a busy machine takes several times as long as a quiet one. */
const TIMEOUT_MS = 600_000;

/** Where Sallyport is in a guest; `$S` is its command line, `$MANY` runs a line of its input each. */
const SALLYPORT = "/sallyport";
const CACHE = "/compiled";

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ NO_COLOR=1 SALLYPORT_NODE=/bin/node SALLYPORT_STATE=/run/state
export NODE_COMPILE_CACHE=${CACHE} S=${SALLYPORT}/bin/sallyport
export MANY="${SALLYPORT}/bin/node-26 ${SALLYPORT}/test/network/live/many-commands.ts"
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
  /** With Node and nftables. */
  readonly hasSallyport?: boolean;
}

/** For a test's `skip`. */
export function guestLacks(): string | false {
  if (process.arch !== "x64") return "needs a processor of the kind x86-64, for which the kernel is";
  const lacking = requires(
    "qemu-system-x86_64",
    "busybox",
    "ip",
    "bridge",
    "nft",
    "ping",
    "tcpdump",
    "dpkg-deb",
    "unshare",
    "ldd",
  );
  if (lacking !== false) return lacking;
  if (kernelPackage() !== null) return false;
  return "needs a kernel for QEMU: apt-get install --download-only linux-image-cloud-amd64";
}

export class Guest {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #isOver: Promise<void>;
  #output = "";
  #wake: () => void = () => {};

  constructor(options: GuestOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), "sallyport-guest-"));
    const { kernel, initramfs } = buildDisk(this.#folder, options);
    // Two processors would wait for each other's locks wherever the host has none to spare.
    const machine = ["-accel", "tcg", "-cpu", "max,pku=off", "-nodefaults", "-display", "none"];
    const memory = options.hasSallyport === true ? "1024" : "256";
    const image = ["-kernel", kernel, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1"];
    this.#child = spawn(
      findCommand("qemu-system-x86_64")!,
      [...machine, "-m", memory, "-no-reboot", "-serial", "stdio", ...image],
      { stdio: ["ignore", "pipe", "inherit"], timeout: TIMEOUT_MS, killSignal: "SIGKILL" },
    );
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text.replaceAll("\r", "");
      this.#wake();
    });
    this.#isOver = new Promise((resolve) => this.#child.once("close", () => resolve()));
  }

  /** What that part has printed, once it is through; a part that fails, or never begins, fails the test. */
  async part(name: string): Promise<string> {
    const pattern = new RegExp(`^---- begin ${name}\\n(.*?)^---- end ${name} (\\d+)$`, "ms");
    let isOver = false;
    while (!pattern.test(this.#output) && !isOver) {
      const more = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      isOver = await Promise.race([more.then(() => false), this.#isOver.then(() => true)]);
    }
    const [, text, status] = pattern.exec(this.#output) ?? [];
    assert.equal(status, "0", `part ${name}:\n${text ?? this.#output}`);
    return text!;
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#isOver;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function buildDisk(
  folder: string,
  { parts, common = "", files = new Map(), hasSallyport = false, ...options }: GuestOptions,
): { readonly kernel: string; readonly initramfs: string } {
  const root = join(folder, "root");
  const hasNftables = hasSallyport || options.hasNftables === true;
  const kernel = unpackKernel(folder, root, hasNftables ? [...MODULES, ...NFT_MODULES] : MODULES);
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

function kernelPackage(): string | null {
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

/** With its compiled code, made here: without KVM the guest would need ten seconds for that. */
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
  const prepare = `
cd "$0"; ln -s busybox bin/sh; ln -s busybox bin/env; mkdir -p .${CACHE}
chroot . /bin/env PATH=/bin SALLYPORT_NODE=/bin/node NODE_COMPILE_CACHE=${CACHE} /bin/sh -c '
  for command in apply switch status explain; do ${SALLYPORT}/bin/sallyport $command --help; done'
rm bin/sh bin/env`;
  run("unshare", ["--map-root-user", "sh", "-c", prepare, root]);
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
