// The commands that tests compare us with, and how they come onto a machine: by apt-get when we are root on a
// Debian or Ubuntu, else not at all. Installing starts no service.
import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { findCommand } from "../test/requirements.ts";

/** Command -> Debian package that has it. A test that names a new command in `requires` adds it here. */
export const PACKAGES: Readonly<Record<string, string>> = {
  bash: "bash",
  bridge: "iproute2",
  busybox: "busybox",
  chromium: "chromium",
  curl: "curl",
  dnsmasq: "dnsmasq-base",
  dot: "graphviz",
  "dpkg-deb": "dpkg",
  h2load: "nghttp2-client",
  haproxy: "haproxy",
  ip: "iproute2",
  ldd: "libc-bin",
  netplan: "netplan.io",
  newuidmap: "uidmap",
  nft: "nftables",
  nginx: "nginx",
  nsenter: "util-linux",
  openssl: "openssl",
  ping: "iputils-ping",
  "qemu-img": "qemu-utils",
  "qemu-system-x86_64": "qemu-system-x86",
  script: "bsdutils",
  setpriv: "util-linux",
  socat: "socat",
  ss: "iproute2",
  tcpdump: "tcpdump",
  tshark: "tshark",
  udhcpc: "udhcpc",
  unshare: "util-linux",
  wrk: "wrk",
};

/**
 * Package -> one that is only downloaded with it: of a kernel the files are enough
 * (test/network/live/guest.ts).
 */
const DOWNLOADS: Readonly<Record<string, string>> = { "qemu-system-x86": "linux-image-cloud-amd64" };
const POLICY_FILE = "/usr/sbin/policy-rc.d";
const APT_TIMEOUT_MS = 300_000;

export function missingCommands(): string[] {
  return Object.keys(PACKAGES).filter((command) => findCommand(command) === null);
}

/** Why packages cannot be installed here; null when they can. */
export function reasonNotToInstall(): string | null {
  if (!existsSync("/etc/debian_version") || findCommand("apt-get") === null)
    return "this is no Debian or Ubuntu";
  if (process.getuid?.() !== 0) return "only root may install packages";
  return null;
}

/** Installs the packages of `commands`. Returns what went wrong as one sentence, null when nothing did. */
export function installCommands(commands: readonly string[]): string | null {
  const packages = [...new Set(commands.map((command) => PACKAGES[command] ?? command))];
  return withoutStartingServices(() => {
    const update = aptGet("update");
    if (update !== null) return update;
    const failure = install(...packages);
    // Images of containers are set up to forget what was downloaded as soon as anything is installed.
    const downloads = packages.flatMap((name) => DOWNLOADS[name] ?? []);
    if (failure !== null || downloads.length === 0) return failure;
    return install("--download-only", ...downloads);
  });
}

function install(...words: readonly string[]): string | null {
  return aptGet("install", "--yes", "--no-install-recommends", ...words);
}

function aptGet(...words: readonly string[]): string | null {
  const run = spawnSync("apt-get", ["-qq", ...words], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    encoding: "utf8",
    timeout: APT_TIMEOUT_MS,
  });
  if (run.status === 0) return null;
  const lastLine = run.stderr?.trim().split("\n").at(-1) ?? "";
  return `apt-get ${words[0]} failed: ${lastLine || run.error?.message || `exit ${run.status ?? run.signal}`}`;
}

/**
 * Debian starts a server as soon as it is installed, unless this policy file says 101, "forbidden by policy".
 * A policy that the machine already has stays as it is.
 */
function withoutStartingServices<T>(change: () => T): T {
  if (existsSync(POLICY_FILE)) return change();
  writeFileSync(POLICY_FILE, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return change();
  } finally {
    rmSync(POLICY_FILE, { force: true });
  }
}
