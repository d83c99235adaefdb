// One connection with another machine that has the same tables, after the peers protocol 2.1 (HAProxy's
// peers.txt), sans I/O. Each end tells the other what has been used at its own place since; what it has
// learned it does not tell on. A peer that is new asks one of the others for everything.
import {
  CONTROL,
  encodeAcknowledgement,
  encodeControl,
  encodeTable,
  encodeUpdate,
  type PeerMessage,
  PeerMessageDecoder,
} from "../../protocol/peers/messages.ts";
import { NONE, type UsePlace } from "../stick-table/entry-lists.ts";
import type { StickTable } from "../stick-table/stick-table.ts";
import { announcementOf, encodeEntry, RemoteTable } from "./replicated-table.ts";

/** A peer says something at least this often, and is dead when it says nothing for longer. */
const HEARTBEAT_MS = 3000;
const SILENCE_MS = 5000;
/**
 * So many entries are told before those who work with a table have their turn, and before the output goes
 * out.
 */
const BATCH = 64;
const BATCHES_MAX = 16;
const HELLO_BYTES_MAX = 1024;

/** What all sessions of a `peers` section have in common. */
export interface PeerGroup {
  readonly localName: string;
  readonly remoteNames: readonly string[];
  readonly tables: readonly StickTable[];
  readonly processId: number;
  /** It has heard from somebody, or waited long enough, and need not ask for everything. */
  isUpToDate: boolean;
  /** Some session has asked for everything and has no answer yet. */
  isAsking: boolean;
  /** How far a peer is known to have each table: by the peer's name, then the table's. */
  readonly confirmed: Map<string, Map<string, number>>;
}

interface Lesson {
  table: number;
  slot: number;
  isAsked: boolean;
}

export type PeerState = "hello" | "status" | "open" | "closed";

export class PeerSession {
  readonly #group: PeerGroup;
  readonly #decoder = new PeerMessageDecoder();
  #state: PeerState;
  /** Null until it has said who it is. */
  #remote: string | null;
  #hello = "";
  #output: number[] = [];
  #heardMs: number;
  #saidMs: number;
  #present: RemoteTable | null = null;
  readonly #announced: Map<number, RemoteTable> = new Map();
  #lastUpdate = 0;
  #announcedHere = -1;
  readonly #told: readonly UsePlace[];
  /** What is still to be told of everything: tables from this one on, in it the slots from that one on. */
  #lesson: Lesson | null = null;
  #isAsking = false;

  /** `remote`: the peer that we connect to; null for one that has connected to us. */
  constructor(group: PeerGroup, remote: string | null, nowMs: number) {
    this.#group = group;
    this.#remote = remote;
    this.#heardMs = nowMs;
    this.#saidMs = nowMs;
    this.#told = group.tables.map(() => ({ use: 0, entry: NONE }));
    this.#state = remote === null ? "hello" : "status";
    if (remote === null) return;
    this.#say(`HAProxyS 2.1\n${remote}\n${group.localName} ${group.processId} 0\n`);
  }

  get state(): PeerState {
    return this.#state;
  }

  get remote(): string | null {
    return this.#remote;
  }

  takeOutput(): Uint8Array | null {
    if (this.#output.length === 0) return null;
    const output = Uint8Array.from(this.#output);
    this.#output = [];
    return output;
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#heardMs = nowMs;
    if (this.#state === "open") this.#receiveMessages(bytes, nowMs);
    else if (this.#state !== "closed") this.#receiveHello(bytes, nowMs);
  }

  /** To be called now and then, and whenever more can be sent. */
  handleTimeout(nowMs: number): void {
    if (this.#state === "closed") return;
    if (nowMs - this.#heardMs > SILENCE_MS) {
      this.close();
      return;
    }
    if (this.#state !== "open") return;
    this.#ask();
    for (let i = 0; i < BATCHES_MAX && this.#lesson !== null; i++) this.#teach(this.#lesson, nowMs);
    for (const index of this.#group.tables.keys()) this.#tellChanges(index, nowMs);
    if (this.#output.length > 0) this.#saidMs = nowMs;
    else if (nowMs - this.#saidMs >= HEARTBEAT_MS) {
      this.#send(encodeControl(CONTROL.heartbeat));
      this.#saidMs = nowMs;
    }
  }

  close(): void {
    this.#state = "closed";
    if (this.#isAsking) this.#group.isAsking = false;
    this.#isAsking = false;
  }

  #receiveHello(bytes: Uint8Array, nowMs: number): void {
    this.#hello += Buffer.from(bytes).toString("latin1");
    const lineCount = this.#state === "hello" ? 3 : 1;
    const lines = this.#hello.split("\n");
    if (lines.length <= lineCount) {
      if (this.#hello.length > HELLO_BYTES_MAX) this.close();
      return;
    }
    const rest = lines.slice(lineCount).join("\n");
    if (this.#state === "status") {
      if (lines[0] !== "200") this.close();
      else this.#open();
    } else this.#answerHello(lines);
    if (this.#state === "open" && rest !== "") this.#receiveMessages(Buffer.from(rest, "latin1"), nowMs);
  }

  #answerHello([protocol = "", target = "", sender = ""]: readonly string[]): void {
    const { localName, remoteNames } = this.#group;
    const name = sender.split(" ")[0]!;
    const status = !/^HAProxyS \d+\.\d+$/.test(protocol)
      ? 501
      : !protocol.startsWith("HAProxyS 2.")
        ? 502
        : target !== localName
          ? 503
          : remoteNames.includes(name)
            ? 200
            : 504;
    this.#say(`${status}\n`);
    if (status !== 200) {
      this.close();
      return;
    }
    this.#remote = name;
    this.#open();
  }

  /** What the peer has confirmed on an earlier connection is not told again. */
  #open(): void {
    this.#state = "open";
    const confirmed = this.#group.confirmed.get(this.#remote!);
    if (confirmed === undefined) this.#lesson = { table: 0, slot: 0, isAsked: false };
    for (const [index, { name, useCount }] of this.#group.tables.entries())
      this.#told[index]!.use = confirmed === undefined ? useCount : (confirmed.get(name) ?? 0);
    this.#ask();
  }

  #ask(): void {
    const group = this.#group;
    if (group.isUpToDate || group.isAsking) return;
    group.isAsking = true;
    this.#isAsking = true;
    this.#send(encodeControl(CONTROL.resyncRequest));
  }

  #receiveMessages(bytes: Uint8Array, nowMs: number): void {
    const messages = this.#decoder.receive(bytes);
    if (!messages.ok) {
      this.#send([1, 0]);
      this.close();
      return;
    }
    const heard = new Map<RemoteTable, number>();
    for (const message of messages.value) {
      if (this.#state !== "open") return;
      this.#take(message, heard, nowMs);
    }
    for (const [{ id }, update] of heard) this.#send(encodeAcknowledgement(id, update));
  }

  #take(message: PeerMessage, heard: Map<RemoteTable, number>, nowMs: number): void {
    switch (message.kind) {
      case "control":
        this.#takeControl(message.type);
        return;
      case "error":
        this.close();
        return;
      case "table":
        this.#present = RemoteTable.match(message.table, this.#group.tables);
        if (this.#present === null) this.#announced.delete(message.table.id);
        else this.#announced.set(message.table.id, this.#present);
        return;
      case "switch":
        this.#present = this.#announced.get(message.id) ?? null;
        return;
      case "acknowledged":
        this.#confirm(message.id, message.update);
        return;
      case "update":
        this.#lastUpdate = message.update ?? (this.#lastUpdate + 1) % 2 ** 32;
        // Of a table that is none of ours.
        if (this.#present === null) return;
        if (this.#present.learn(message.body, message.remainingMs, nowMs))
          heard.set(this.#present, this.#lastUpdate);
        else {
          this.#send([1, 0]);
          this.close();
        }
    }
  }

  #takeControl(type: number): void {
    const group = this.#group;
    switch (type) {
      case CONTROL.resyncRequest:
        this.#lesson = { table: 0, slot: 0, isAsked: true };
        return;
      case CONTROL.resyncFinished:
      case CONTROL.resyncPartial:
        if (this.#isAsking) {
          this.#isAsking = false;
          group.isAsking = false;
          // A part is all that there is when nobody has more: asking on would never end.
          group.isUpToDate = true;
        }
        this.#send(encodeControl(CONTROL.resyncConfirmed));
        return;
      default:
    }
  }

  /** Numbers of updates are the last 32 bits of the table's own. */
  #confirm(id: number, update: number): void {
    const table = this.#group.tables[id - 1];
    if (table === undefined) return;
    const told = this.#told[id - 1]!.use;
    const base = Math.floor(told / 2 ** 32) * 2 ** 32;
    const use = base + update > told ? base + update - 2 ** 32 : base + update;
    const ofPeer = this.#group.confirmed.get(this.#remote!) ?? new Map<string, number>();
    this.#group.confirmed.set(this.#remote!, ofPeer);
    if (use > (ofPeer.get(table.name) ?? 0)) ofPeer.set(table.name, use);
  }

  /** The next part of everything, and behind it, for who has asked for it, that this was all. */
  #teach(lesson: Lesson, nowMs: number): void {
    const { tables, isUpToDate } = this.#group;
    const table = tables[lesson.table];
    if (table === undefined) {
      this.#lesson = null;
      if (lesson.isAsked)
        this.#send(encodeControl(isUpToDate ? CONTROL.resyncFinished : CONTROL.resyncPartial));
      return;
    }
    const updates: number[][] = [];
    lesson.slot = table.eachInSlots(lesson.slot, BATCH, nowMs, (entry, time) =>
      updates.push(updateOf(table, entry, time)),
    );
    this.#sendUpdates(lesson.table, updates);
    if (lesson.slot !== NONE) return;
    lesson.table++;
    lesson.slot = 0;
  }

  #tellChanges(index: number, nowMs: number): void {
    const table = this.#group.tables[index]!;
    for (let i = 0; i < BATCHES_MAX; i++) {
      const place = this.#told[index]!;
      const before = place.use;
      const updates: number[][] = [];
      table.eachUsedBehind(place, BATCH, nowMs, (entry, time) => updates.push(updateOf(table, entry, time)));
      this.#sendUpdates(index, updates);
      if (place.use === before) return;
    }
  }

  #sendUpdates(index: number, updates: readonly number[][]): void {
    if (updates.length === 0) return;
    if (this.#announcedHere !== index) {
      this.#announcedHere = index;
      this.#send(encodeTable(announcementOf(this.#group.tables[index]!, index + 1)));
    }
    for (const update of updates) this.#send(update);
  }

  #say(text: string): void {
    this.#send([...Buffer.from(text, "latin1")]);
  }

  #send(message: readonly number[]): void {
    for (const byte of message) this.#output.push(byte);
  }
}

function updateOf(table: StickTable, entry: number, time: number): number[] {
  const body = encodeEntry(table, entry, time);
  return encodeUpdate(table.useOf(entry) % 2 ** 32, table.remainingMs(entry, time), body);
}
