// Which rules of nftables a packet meets in a namespace, told by the kernel itself (nft monitor trace).
// Tracing is switched on for the packets of a few questions by a table that the kernel takes away with the
// process that owns it, however this program ends; rules and sets of others stay as they are.
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import type { TracedPacket } from "../../network/explain/compare-rules.ts";
import { runCommand } from "./command.ts";
import { programEnvironment } from "./program-path.ts";
import { type MapElements, mapElements, tracedPackets } from "./trace-lines.ts";

export const TRACE_TABLE = "sallyport_trace";
/** Behind connection tracking (-200), before everything that decides. */
const PRIORITY = -190;
/** When the input ends, as it does with whoever writes it, nft ends, and then its monitor. */
const WATCH = "nft -a monitor & nft -i > /dev/null; kill $!";
const HEAD = `table inet ${TRACE_TABLE} { flags owner; `;
/** By what the monitor says of it, it is known to listen. */
const SIGNAL = "listening";
const [LOOKS_MAX, LOOK_MS] = [300, 10];
/** Somebody else may change tables at the same moment. */
const ATTEMPTS = 3;
const SILENT = "nft does not say what the kernel does";

export class RuleTrace {
  readonly #enter: readonly string[];
  #child: ChildProcess | null = null;
  #said = "";
  #fault: string | null = null;
  #elements: MapElements = new Map();
  #keys: ReadonlySet<number> = new Set();

  constructor(namespace: string) {
    this.#enter = ["nsenter", `--net=/run/netns/${namespace}`];
  }

  /**
   * `keys`: source ports and identifiers of echoes. Null when it listens; else why the kernel does not tell.
   */
  async start(keys: readonly number[]): Promise<string | null> {
    const { status, output, errors } = await runCommand([...this.#enter, "nft", "-j", "list", "ruleset"]);
    if (status !== 0) return errors.trim() || "nft cannot be run";
    this.#elements = mapElements(output);
    this.#keys = new Set(keys);
    for (let attempt = 1; ; attempt++) {
      const fault = await this.#attempt(keys);
      if (fault === null || attempt === ATTEMPTS) return fault;
      await this.stop();
    }
  }

  async #attempt(keys: readonly number[]): Promise<string | null> {
    this.#said = "";
    this.#fault = null;
    const [command, ...words] = [...this.#enter, "sh", "-c", WATCH];
    const child = spawn(command!, words, {
      stdio: ["pipe", "pipe", "pipe"],
      env: programEnvironment(),
    });
    this.#child = child;
    const fail = (why: string | null) => {
      if (this.#child === child) this.#fault ??= why;
    };
    child.on("error", ({ message }) => fail(message));
    child.on("close", () => fail("nft ended"));
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      // Warnings are of no account: the monitor may hear of a chain before it hears of its table.
      fail(text.split("\n").find((line) => line.startsWith("Error")) ?? null);
    });
    this.#tell(`add ${HEAD}}`);
    const chain = `chain inet ${TRACE_TABLE} ${SIGNAL}`;
    const hears = await this.#until(SIGNAL, () => this.#tell(`add ${chain}; delete ${chain}`));
    if (!hears) return this.#fault ?? SILENT;
    this.#tell(traceTable(keys));
    return (await this.#until("add rule", () => {})) ? null : (this.#fault ?? SILENT);
  }

  /** Of the questions whose keys were given, so far. */
  packets(): readonly TracedPacket[] {
    return tracedPackets(this.#said, this.#elements).filter(({ key }) => this.#keys.has(key));
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.on("close", () => resolve());
    child.stdin!.end();
    await promise;
  }

  #tell(line: string): void {
    this.#child!.stdin!.write(`${line}\n`);
  }

  async #until(words: string, again: () => void): Promise<boolean> {
    for (let look = 0; look < LOOKS_MAX && this.#fault === null; look++) {
      again();
      await pause(LOOK_MS);
      if (this.#said.includes(words)) return true;
    }
    return false;
  }
}

/** What belongs to a connection that is known passes by it, and meets no rule of the file. */
function traceTable(keys: readonly number[]): string {
  const some = `{ ${keys.join(", ")} }`;
  const isUnknown = "ct state != { established, related }";
  const rules = [
    `meta l4proto { tcp, udp } th sport ${some}`,
    `meta l4proto { tcp, udp } th dport ${some}`,
    `icmp id ${some}`,
    `icmpv6 id ${some}`,
  ].map((match) => `${match} ${isUnknown} meta nftrace set 1; `);
  const chains = ["prerouting", "output"].map(
    (hook) => `chain ${hook} { type filter hook ${hook} priority ${PRIORITY}; ${rules.join("")}}; `,
  );
  return `add ${HEAD}${chains.join("")}}`;
}
