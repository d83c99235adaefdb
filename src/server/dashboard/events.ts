// Server-sent events: what is new, to every browser that looks. The newest are kept, so that a browser that
// comes back after a break gets what it missed. One that reads too slowly loses events and is told so; its
// memory is bounded, and nobody else waits for it.
import type { ServerResponse } from "node:http";
import {
  type DashboardEvents,
  EVENT_TOPICS,
  type EventTopic,
  type RequestRecord,
} from "../../model/dashboard-api.ts";
import { withSecurity } from "../console/pages.ts";

const READERS_MAX = 256;
/** Of one address, so that nobody alone can take all places. */
const READERS_MAX_OF_CLIENT = 64;
/** What may wait in a reader's socket, and in those of all of them. */
const WAITING_BYTES_MAX = 1024 * 1024;
const WAITING_BYTES_MAX_OF_ALL = 32 * 1024 * 1024;
/** Kept for readers that come back: half a minute of everything, unless thousands of servers change in it. */
const KEPT_MAX = 200;
const KEPT_BYTES_MAX = 8 * 1024 * 1024;
/** So long after the last reader of a topic has gone it is still told, for it may come back. */
const RETURN_MS = 30_000;
/** A comment now and then, so that proxies between do not take silence for an end. */
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2000;

type EventName = keyof DashboardEvents;

interface KeptEvent {
  readonly id: number;
  readonly name: EventName;
  /** For readers that do not want all of it. */
  readonly data: unknown;
  /** As it is sent: encoded once, and the same bytes in the sockets of all. */
  readonly bytes: Buffer;
}

export interface ReaderWishes {
  readonly topics: ReadonlySet<EventTopic>;
  /** Null: all of them. */
  readonly filter: ((record: RequestRecord) => boolean) | null;
  /** Of the last event that it has; null: it is new here. */
  readonly lastEventId: string | null;
  /** Address of the browser. */
  readonly client: string;
  /** Whether its session is still one: asked again and again, since events go on for hours. */
  isAllowed(): boolean;
}

interface Reader extends ReaderWishes {
  readonly response: ServerResponse;
  hasLost: boolean;
}

export class EventHub {
  readonly #readers = new Set<Reader>();
  #kept: KeptEvent[] = [];
  #keptBytes = 0;
  #nextId = 1;
  /** When somebody last wanted it. */
  readonly #wantedMs = new Map<EventTopic, number>();
  /** Up to which event it was not told, since nobody wanted it. */
  readonly #untoldUpTo = new Map<EventTopic, number>();
  /** Ids of another run of the program mean nothing here. */
  readonly #run: string;
  readonly #now: () => number;
  readonly #heartbeat: ReturnType<typeof setInterval>;
  #isClosed = false;

  constructor(run: string, now: () => number = Date.now) {
    this.#run = run;
    this.#now = now;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /**
   * Whether anybody gets this, or may come back for it: what nobody wants need not even be found out, and who
   * wants it later is told that something is lost.
   */
  isWanted(topic: EventTopic): boolean {
    for (const { topics } of this.#readers) if (topics.has(topic)) return true;
    const wantedMs = this.#wantedMs.get(topic) ?? Number.NEGATIVE_INFINITY;
    if (this.#now() - wantedMs <= RETURN_MS) return true;
    this.#untoldUpTo.set(topic, this.#nextId++);
    return false;
  }

  /** False: there are too many already, or everything ends. Nothing has been written then. */
  open(response: ServerResponse, wishes: ReaderWishes): boolean {
    if (this.#isClosed || this.#readers.size >= READERS_MAX) return false;
    const ofClient = [...this.#readers].filter(({ client }) => client === wishes.client).length;
    if (ofClient >= READERS_MAX_OF_CLIENT) return false;
    const reader: Reader = { ...wishes, response, hasLost: false };
    response.writeHead(
      200,
      withSecurity({
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store, no-transform",
        // nginx would collect events otherwise.
        "x-accel-buffering": "no",
      }),
    );
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.#readers.add(reader);
    response.on("close", () => this.#forget(reader));
    this.#replay(reader);
    return true;
  }

  send<Name extends EventName>(name: Name, data: DashboardEvents[Name]): void {
    if (this.#isClosed || (isTopic(name) && !this.isWanted(name))) return;
    const id = this.#nextId++;
    const event: KeptEvent = { id, name, data, bytes: this.#encode(name, id, JSON.stringify(data)) };
    this.#keep(event);
    for (const reader of this.#readers) this.#write(reader, event);
  }

  /** Ends the readers who are no longer allowed to read. */
  dismissStrangers(): void {
    for (const reader of this.#readers) if (!reader.isAllowed()) reader.response.end();
  }

  /** Says good-bye, so that browsers come again, and ends all. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.send("bye", { reason });
    this.#isClosed = true;
    clearInterval(this.#heartbeat);
    for (const { response } of this.#readers) response.end();
    this.#readers.clear();
  }

  #forget(reader: Reader): void {
    this.#readers.delete(reader);
    for (const topic of reader.topics) this.#wantedMs.set(topic, this.#now());
  }

  #keep(event: KeptEvent): void {
    this.#kept.push(event);
    this.#keptBytes += event.bytes.length;
    let tooMany = 0;
    while (this.#kept.length - tooMany > KEPT_MAX || this.#keptBytes > KEPT_BYTES_MAX)
      this.#keptBytes -= this.#kept[tooMany++]!.bytes.length;
    if (tooMany > 0) this.#kept = this.#kept.slice(tooMany);
  }

  #replay(reader: Reader): void {
    const { lastEventId, topics } = reader;
    if (lastEventId === null) return;
    const [run, text = ""] = lastEventId.split("-");
    const last = run === this.#run && /^\d{1,15}$/.test(text) ? Number(text) : -1;
    const oldest = this.#kept[0]?.id ?? this.#nextId;
    const isUntold = [...topics].some((topic) => (this.#untoldUpTo.get(topic) ?? 0) > last);
    if (last < oldest - 1 || isUntold) this.#tellLoss(reader);
    for (const event of this.#kept) if (event.id > last) this.#write(reader, event);
  }

  #write(reader: Reader, { name, id, data, bytes }: KeptEvent): void {
    if (isTopic(name) && !reader.topics.has(name)) return;
    const most = Math.min(WAITING_BYTES_MAX, WAITING_BYTES_MAX_OF_ALL / this.#readers.size);
    if (reader.response.writableLength > most) {
      reader.hasLost = true;
      return;
    }
    if (reader.hasLost) {
      reader.hasLost = false;
      this.#tellLoss(reader);
    }
    if (name !== "requests" || reader.filter === null) {
      reader.response.write(bytes);
      return;
    }
    const shown = filtered(data as DashboardEvents["requests"], reader.filter);
    if (shown !== null) reader.response.write(this.#encode(name, id, shown));
  }

  #tellLoss(reader: Reader): void {
    const text = JSON.stringify({ atMs: this.#now() });
    reader.response.write(this.#encode("lost", this.#nextId - 1, text));
  }

  #encode(name: EventName, id: number, text: string): Buffer {
    return Buffer.from(`event: ${name}\nid: ${this.#run}-${id}\ndata: ${text}\n\n`);
  }

  #beat(): void {
    for (const { response } of this.#readers) if (response.writableLength === 0) response.write(":\n\n");
  }
}

function isTopic(name: EventName): name is EventTopic {
  return (EVENT_TOPICS as readonly string[]).includes(name);
}

/** Null: none of them is wanted. */
function filtered(
  { requests, kept }: DashboardEvents["requests"],
  filter: (record: RequestRecord) => boolean,
): string | null {
  const wanted = requests.filter(filter);
  return wanted.length === 0 ? null : JSON.stringify({ requests: wanted, kept });
}

/** All topics, unless some are named. */
export function readTopics(query: URLSearchParams): ReadonlySet<EventTopic> {
  const named = (query.get("topics") ?? "").split(",").filter((word) => word !== "");
  const topics = EVENT_TOPICS.filter((topic) => named.length === 0 || named.includes(topic));
  return new Set(topics);
}
