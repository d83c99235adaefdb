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
/** What may wait in a reader's socket. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** Kept for readers that come back: half a minute of everything. */
const KEPT_MAX = 200;
/** A comment now and then, so that proxies between do not take silence for an end. */
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2000;

type EventName = keyof DashboardEvents;

interface KeptEvent {
  readonly id: number;
  readonly name: EventName;
  readonly data: unknown;
}

export interface ReaderWishes {
  readonly topics: ReadonlySet<EventTopic>;
  /** Null: all of them, which are encoded once for everybody who wants all. */
  readonly filter: ((record: RequestRecord) => boolean) | null;
  /** Of the last event that it has; null: it is new here. */
  readonly lastEventId: string | null;
  /** Whether its session is still one: asked again and again, since events go on for hours. */
  isAllowed(): boolean;
}

interface Reader extends ReaderWishes {
  readonly response: ServerResponse;
  hasLost: boolean;
}

export class EventHub {
  readonly #readers = new Set<Reader>();
  readonly #kept: KeptEvent[] = [];
  #nextId = 1;
  /** Ids of another run of the program mean nothing here. */
  readonly #run: string;
  readonly #heartbeat: ReturnType<typeof setInterval>;
  #isClosed = false;

  constructor(run: string) {
    this.#run = run;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** Whether anybody gets this: what nobody wants need not be found out. */
  isWanted(topic: EventTopic): boolean {
    for (const { topics } of this.#readers) if (topics.has(topic)) return true;
    return false;
  }

  /** False: there are too many already, or everything ends. Nothing has been written then. */
  open(response: ServerResponse, wishes: ReaderWishes): boolean {
    if (this.#isClosed || this.#readers.size >= READERS_MAX) return false;
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
    response.on("close", () => this.#readers.delete(reader));
    this.#replay(reader);
    return true;
  }

  send<Name extends EventName>(name: Name, data: DashboardEvents[Name]): void {
    if (this.#isClosed) return;
    const event: KeptEvent = { id: this.#nextId++, name, data };
    this.#kept.push(event);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    if (this.#readers.size === 0 || (isTopic(name) && !this.isWanted(name))) return;
    const text = JSON.stringify(data);
    for (const reader of this.#readers) this.#write(reader, event, text);
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

  #replay(reader: Reader): void {
    const { lastEventId } = reader;
    if (lastEventId === null) return;
    const [run, text = ""] = lastEventId.split("-");
    const last = run === this.#run && /^\d{1,15}$/.test(text) ? Number(text) : -1;
    const oldest = this.#kept[0]?.id ?? this.#nextId;
    if (last < oldest - 1) this.#tellLoss(reader);
    for (const event of this.#kept) if (event.id > last) this.#write(reader, event, null);
  }

  /** `text`: of the data, when it is at hand. */
  #write(reader: Reader, event: KeptEvent, text: string | null): void {
    if (isTopic(event.name) && !reader.topics.has(event.name)) return;
    if (reader.response.writableLength > WAITING_BYTES_MAX) {
      reader.hasLost = true;
      return;
    }
    if (reader.hasLost) {
      reader.hasLost = false;
      this.#tellLoss(reader);
    }
    if (event.name !== "requests" || reader.filter === null) {
      reader.response.write(this.#format(event.name, event.id, text ?? JSON.stringify(event.data)));
      return;
    }
    const shown = filtered(event.data as DashboardEvents["requests"], reader.filter);
    if (shown !== null) reader.response.write(this.#format(event.name, event.id, shown));
  }

  #tellLoss(reader: Reader): void {
    reader.response.write(this.#format("lost", this.#nextId - 1, JSON.stringify({ atMs: Date.now() })));
  }

  #format(name: EventName, id: number, text: string): string {
    return `event: ${name}\nid: ${this.#run}-${id}\ndata: ${text}\n\n`;
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
