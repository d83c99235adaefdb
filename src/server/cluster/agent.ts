// The agent of one member of a running cluster, in the namespace of its machine or on a host of its own:
// heartbeats by UDP to all of its network, and what the member takes in nftables. What to do when it hears
// what, `agreement.ts` says.
import { createSocket, type Socket } from "node:dgram";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { familyOfIp, type Ip, type IpFamily } from "../../base/ip.ts";
import { runCommand } from "../../driver/linux/command.ts";
import { readRecord } from "../../driver/linux/records.ts";
import { ClusterMember, type Holdings, type MemberOutput } from "../../network/cluster/agreement.ts";
import {
  decodeHeartbeat,
  encodeHeartbeat,
  HEARTBEAT_HOPS,
  HEARTBEAT_PORT,
  type Heartbeat,
} from "../../network/cluster/heartbeat.ts";
import { liveSetsText } from "../../network/cluster/live-sets.ts";
import type { MemberSettings } from "../../network/cluster/member-settings.ts";
import {
  decodeOrder,
  type Order,
  OrderGate,
  type OrderMessage,
  wishOf,
} from "../../network/cluster/order.ts";
import { Announcer } from "./announcer.ts";
import { CableWatch } from "./cable-watch.ts";
import { ForeignOrders } from "./foreign-orders.ts";
import { joinGroup } from "./group-membership.ts";
import { readOrder, type SlotCount, writeOrder, writeStatus } from "./member-files.ts";
import { countConnections } from "./open-connections.ts";
import { readKey, seal, unseal } from "./seal.ts";

/**
 * Serves until it is told to end; the exit code. `renew` is called before the settings are read again, and
 * says why they cannot be.
 */
export async function runAgent(
  directory: string,
  renew: () => Promise<string | null> = async () => null,
): Promise<number> {
  const settings = readSettings(directory);
  if (settings === null) {
    log(`${directory} has no settings of a cluster's member`);
    return 1;
  }
  const agent = new Agent(directory, settings, renew);
  const fault = await agent.start();
  if (fault === null) return agent.end;
  log(fault);
  return 1;
}

class Agent {
  /** Resolves to the exit code. */
  readonly end: Promise<number>;
  readonly #directory: string;
  readonly #family: IpFamily;
  readonly #socket: Socket;
  readonly #core: ClusterMember;
  #settings: MemberSettings;
  #order: Order;
  readonly #renew: () => Promise<string | null>;
  #key: Buffer | null = null;
  readonly #gate = new OrderGate();
  readonly #foreignOrders: ForeignOrders;
  /** Sequences of its own heartbeats: the first, and the last one that was sent. */
  readonly #firstSequence = Date.now();
  #lastSequence = 0;
  readonly #announcer = new Announcer(log);
  #cable: CableWatch | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** It can be heard. */
  #isServing = false;
  #isWriting = false;
  #isLeaving = false;
  #fault: string | null = null;
  /** Why the settings that it was to read again are not in force. */
  #renewFault: string | null = null;
  #resolveEnd: (code: number) => void = () => {};

  constructor(directory: string, settings: MemberSettings, renew: () => Promise<string | null>) {
    this.#directory = directory;
    this.#renew = renew;
    this.#foreignOrders = new ForeignOrders(directory);
    this.#settings = settings;
    this.#family = familyOfIp(settings.shared.cluster);
    // One of IPv6 would hear IPv4 as well, which nobody looks at for routers on the way.
    this.#socket = createSocket({
      type: `udp${this.#family}`,
      reuseAddr: true,
      ipv6Only: this.#family === 6,
    });
    this.#order = readOrder(directory);
    // Above what it has sent before it was started anew: nobody sends a thousand in a second.
    const wish = wishOf(this.#order);
    this.#core = new ClusterMember(settings.member, settings.shared, wish, this.#firstSequence, now());
    this.end = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
  }

  /** Null, or why it cannot serve. */
  async start(): Promise<string | null> {
    process.on("SIGHUP", () => void this.#readAnew());
    const key = readKey(this.#settings.keyFile);
    if (typeof key === "string") return key;
    this.#key = key.key;
    // What one before it has taken is nobody's until all agree anew.
    const fault = await writeSets(this.#settings, new Map(), this.#order === "stop");
    if (fault !== null) return fault;
    const isBound = await new Promise<string | null>((resolve) => {
      this.#socket.once("error", ({ message }) => resolve(message));
      this.#socket.bind(HEARTBEAT_PORT, () => resolve(null));
    });
    if (isBound !== null) return isBound;
    if (this.#family === 4) this.#socket.setBroadcast(true);
    this.#socket.setTTL(HEARTBEAT_HOPS);
    this.#socket.setMulticastTTL(HEARTBEAT_HOPS);
    this.#socket.on("error", ({ message }) => log(message));
    this.#socket.on("message", (bytes) => this.#receive(bytes.toString("utf8")));
    this.#cable = new CableWatch(this.#settings.device, () => this.#plugIn(), log);
    await this.#plugIn();
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#leave());
    this.#isServing = true;
    log(`member ${this.#settings.member} of ${this.#settings.name}, ${this.#settings.shared.cluster}`);
    this.#go();
    return null;
  }

  #receive(datagram: string): void {
    const { text, isTrusted } = unseal(datagram, this.#key);
    const heartbeat = decodeHeartbeat(text);
    if (heartbeat !== null && heartbeat.cluster === this.#settings.shared.cluster) {
      if (heartbeat.member === this.#settings.member) this.#hearOwnNumber(heartbeat);
      else if (isTrusted) this.#core.receive(heartbeat, now());
      else this.#core.receiveStranger(heartbeat.member, now());
      this.#go();
    }
    const order = heartbeat === null && isTrusted ? decodeOrder(text) : null;
    if (order !== null) this.#receiveOrder(order);
  }

  /** What it sends comes back to it. What it never sent, another host says by the same name. */
  #hearOwnNumber({ member, sequence }: Heartbeat): void {
    if (sequence < this.#firstSequence || sequence > this.#lastSequence)
      this.#core.receiveStranger(member, now());
  }

  /** Without a key anybody could stop it. */
  #receiveOrder(message: OrderMessage): void {
    const { shared, member, machines } = this.#settings;
    if (this.#key === null || message.cluster !== shared.cluster || message.to !== member) return;
    if (!this.#gate.takes(message, this.#lastSequence) || message.order === this.#order) return;
    try {
      writeOrder(this.#directory, message.order);
    } catch (error) {
      log(`the order is not kept: ${(error as Error).message}`);
      return;
    }
    const from = machines.find((one) => one.member === message.from)?.machine ?? `member ${message.from}`;
    log(`${from} sends an order`);
    this.#takeOrder();
    this.#go();
  }

  /** Carries out what the member wants to have done, and comes again when it is time. */
  #go(): void {
    if (this.#isWriting || !this.#isServing) return;
    const output = this.#core.takeOutput(now());
    if (output !== null) {
      this.#isWriting = true;
      void this.#carryOut(output).then(() => {
        this.#isWriting = false;
        if (output.heartbeat.isLeaving) this.#close();
        else this.#go();
      });
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    const delay = Math.max(0, Math.ceil(this.#core.nextTimeout() - now()));
    this.#timer = setTimeout(() => {
      this.#core.handleTimeout(now());
      this.#go();
    }, delay);
  }

  /** The others hear only what the kernel does already. */
  async #carryOut({ held, isStopped, heartbeat }: MemberOutput): Promise<void> {
    const before = this.#fault;
    this.#fault = await writeSets(this.#settings, held, isStopped);
    if (this.#fault !== null && this.#fault !== before) log(this.#fault);
    if (this.#fault === null) {
      this.#lastSequence = heartbeat.sequence;
      await this.#send(encodeHeartbeat(heartbeat));
      await this.#sendForeignOrder();
    }
    this.#report();
  }

  async #sendForeignOrder(): Promise<void> {
    if (this.#key === null) return;
    const order = this.#foreignOrders.next(this.#settings, this.#core.status(now()).peers);
    if (order !== null) await this.#send(order);
  }

  #send(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.send(seal(text, this.#key), HEARTBEAT_PORT, this.#settings.broadcast, (error) => {
        // Without carrier nobody hears it; that it was not heard the others notice themselves.
        if (error !== null) this.#fault = `the heartbeat was not sent: ${error.message}`;
        resolve();
      });
    });
  }

  #report(): void {
    const status = this.#core.status(now());
    // Of a hundred thousand the kernel's list is long: it is read while somebody waits for their end.
    const connections = this.#order === "run" ? null : openConnections(this.#settings.shared.cluster);
    if (this.#order === "drainstop" && status.state === "drained" && connections === 0)
      this.#core.setWish("stop", now());
    const { state, view, strangers } = status;
    const peers = status.peers.map(({ held, ...peer }) => ({ ...peer, slots: countsOf(held) }));
    const slots = countsOf(status.held);
    const record = { state, active: view.active, slots, peers, strangers, connections };
    const fault = this.#fault ?? this.#renewFault;
    try {
      writeStatus(this.#directory, { at: Date.now(), order: this.#order, fault, ...record });
    } catch (error) {
      log(`the status is not written: ${(error as Error).message}`);
    }
  }

  /** New settings of the file, or an order of the command line. */
  async #readAnew(): Promise<void> {
    this.#renewFault = await this.#renew();
    if (this.#renewFault !== null) log(this.#renewFault);
    const settings = this.#renewFault === null ? readSettings(this.#directory) : null;
    const key = settings === null ? null : readKey(settings.keyFile);
    if (typeof key === "string") {
      this.#renewFault = key;
      log(key);
    } else if (settings !== null && key !== null) {
      this.#key = key.key;
      this.#settings = settings;
      this.#core.setSettings(settings.shared, now());
    }
    this.#foreignOrders.readAnew();
    this.#takeOrder();
    this.#go();
  }

  #takeOrder(): void {
    const order = readOrder(this.#directory);
    if (order !== this.#order) log(`order: ${order}`);
    this.#order = order;
    this.#core.setWish(wishOf(order), now());
  }

  /** What switches, and the card, must know of a machine that has come to a port. */
  async #plugIn(): Promise<void> {
    const fault = await joinGroup(this.#settings, this.#socket);
    if (fault !== null) log(`the group of the cluster's MAC is not joined: ${fault}`);
    if (this.#settings.isAnnounced) this.#announcer.announce(this.#settings);
  }

  #leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#core.leave(now());
    this.#go();
  }

  #close(): void {
    this.#announcer.stop();
    this.#cable?.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket.close();
    this.#resolveEnd(0);
  }
}

function now(): number {
  return performance.now();
}

function countsOf(held: Holdings): SlotCount[] {
  return [...held].map(([rule, list]) => ({ rule, count: list.length }));
}

function readSettings(directory: string): MemberSettings | null {
  return readRecord<MemberSettings>(join(directory, "settings.json"));
}

async function writeSets(...words: Parameters<typeof liveSetsText>): Promise<string | null> {
  const { status, errors } = await runCommand(["nft", "-f", "-"], { input: liveSetsText(...words) });
  return status === 0 ? null : `nftables does not take it: ${errors.trim().split("\n")[0] ?? ""}`;
}

function openConnections(address: Ip): number {
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  });
  return countConnections(tables, address);
}

function log(message: string): void {
  process.stdout.write(`${new Date().toISOString()} ${message}\n`);
}
