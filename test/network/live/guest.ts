// For tests of drivers that this machine's kernel may lack: a Debian kernel in QEMU, without KVM, so that it
// runs wherever QEMU does. What its scripts print comes back over the serial line while the next is on, so
// that one boot serves many tests.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findCommand, requires } from "../../requirements.ts";
import { buildDisk, type GuestOptions, kernelPackage } from "./guest-disk.ts";

/** Without KVM a busy machine takes several times as long as a quiet one. */
const TIMEOUT_MS = 600_000;

/**
 * Eight nanoseconds have passed for each instruction, and while none is due nothing is waited for: what a
 * busy machine gives to a guest changes nothing in it, so timers of LACP and pings a second are those of a
 * quiet one. It takes twice the work, which is too much for Node.
 */
const OWN_CLOCK: readonly string[] = ["-icount", "shift=3,sleep=off"];

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
    // A plain one: what is compiled for wide registers costs more when they are emulated.
    const machine = ["-accel", "tcg", "-cpu", "Nehalem", "-nodefaults", "-display", "none"];
    const { hasSallyport = false } = options;
    const clock = hasSallyport ? [] : OWN_CLOCK;
    const image = [
      "-kernel",
      kernel,
      "-initrd",
      initramfs,
      "-append",
      "console=ttyS0 quiet panic=-1 mitigations=off",
    ];
    this.#child = spawn(
      findCommand("qemu-system-x86_64")!,
      [...machine, ...clock, "-m", hasSallyport ? "1024" : "256", "-no-reboot", "-serial", "stdio", ...image],
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
