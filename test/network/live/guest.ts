// For tests of drivers that this machine's kernel may lack: a Debian kernel in QEMU, without KVM, so that it
// runs wherever QEMU does. Its whole disk is an initramfs of busybox, iproute2, ping and tcpdump from this
// machine; a script runs as its root, what it prints comes back over the serial line, and then it is gone.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { findCommand, requires } from "../../requirements.ts";

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
const ARCHIVES = "/var/cache/apt/archives";
const PACKAGE = /^linux-image-[0-9].*-cloud-amd64_.*_amd64\.deb$/;
/** On a quiet machine it is 25 s; without KVM a busy one takes three times as long. */
const TIMEOUT_MS = 110_000;
const BEGIN = "---- begin";
const END = "---- end";

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev; mount -t tmpfs run /run
for module in $(cat /modules/order); do insmod /modules/$module.ko; done
ip link set lo up
echo "${BEGIN}"; sh -e /script 2>&1 && echo "${END}"
poweroff -f
`;

/** For a test's `skip`. */
export function guestLacks(): string | false {
  if (process.arch !== "x64") return "needs a processor of the kind x86-64, for which the kernel is";
  const lacking = requires(
    "qemu-system-x86_64",
    "busybox",
    "ip",
    "bridge",
    "ping",
    "tcpdump",
    "dpkg-deb",
    "ldd",
  );
  if (lacking !== false) return lacking;
  if (kernelPackage() !== null) return false;
  return "needs a kernel for QEMU: apt-get install --download-only linux-image-cloud-amd64";
}

/** What a script of busybox's sh says in a guest that has `files` besides, by their paths. */
export function inGuest(script: string, files: ReadonlyMap<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-guest-"));
  try {
    const root = join(folder, "root");
    const kernel = unpackKernel(folder, root);
    for (const name of PROGRAMS) addProgram(findCommand(name)!, root);
    const own = [
      ["init", INIT],
      ["script", script],
      // tcpdump wants to know who it is.
      ["etc/passwd", "root:x:0:0::/:/bin/sh\n"],
    ] as const;
    for (const [path, text] of [...files, ...own]) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text, { mode: 0o755 });
    }
    for (const name of ["proc", "sys", "dev", "run", "tmp"]) mkdirSync(join(root, name));
    const initramfs = join(folder, "initramfs");
    run("sh", [
      "-c",
      'cd "$1" && find . | busybox cpio -o -H newc > "$2" 2>/dev/null',
      "sh",
      root,
      initramfs,
    ]);
    return boot(kernel, initramfs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function boot(kernel: string, initramfs: string): string {
  const words = ["-accel", "tcg", "-m", "256", "-nodefaults", "-display", "none", "-no-reboot"];
  const image = ["-kernel", kernel, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1"];
  const output = run("qemu-system-x86_64", [...words, "-serial", "stdio", ...image]).replaceAll("\r", "");
  const from = output.indexOf(BEGIN);
  assert.ok(from !== -1 && output.includes(END), output);
  return output.slice(from + BEGIN.length + 1, output.indexOf(END));
}

function kernelPackage(): string | null {
  const names = existsSync(ARCHIVES) ? readdirSync(ARCHIVES).filter((name) => PACKAGE.test(name)) : [];
  const newest = names.sort().at(-1);
  return newest === undefined ? null : join(ARCHIVES, newest);
}

/** The kernel's path; its modules are put into `root`. */
function unpackKernel(folder: string, root: string): string {
  const unpacked = join(folder, "kernel");
  run("dpkg-deb", ["--extract", kernelPackage()!, unpacked]);
  const modules = join(unpacked, "lib/modules");
  const [version] = readdirSync(modules);
  mkdirSync(join(root, "modules"), { recursive: true });
  for (const module of MODULES) {
    const name = `${basename(module)}.ko`;
    copyFileSync(join(modules, version!, "kernel", dirname(module), name), join(root, "modules", name));
  }
  writeFileSync(join(root, "modules/order"), MODULES.map((module) => basename(module)).join("\n"));
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

function run(command: string, words: readonly string[]): string {
  const path = findCommand(command) ?? command;
  const ended = spawnSync(path, words, {
    encoding: "utf8",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "pipe"],
  });
  assert.equal(ended.status, 0, `${command}: ${ended.stderr}\n${ended.stdout}`);
  return ended.stdout;
}
