import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import type { DashboardEvents } from "../../model/dashboard-api.ts";
import { ENDED } from "./dashboard.fixture.ts";
import { EventHub, type ReaderWishes, readTopics } from "./events.ts";
import { RequestLog } from "./request-log.ts";

const EVERYTHING: ReaderWishes = {
  topics: readTopics(new URLSearchParams()),
  filter: null,
  lastEventId: null,
  client: "192.0.2.1",
  isAllowed: () => true,
};
const KEPT = { count: 1, countMax: 1, share: 1 };

/** A response that keeps what it is given; one that is not `read` has all of it waiting. */
class FakeResponse extends EventEmitter {
  readonly parts: (string | Buffer)[] = [];
  text = "";
  isOver = false;
  isRead: boolean;

  constructor(isRead = true) {
    super();
    this.isRead = isRead;
  }

  get writableLength(): number {
    return this.isRead ? 0 : this.text.length;
  }

  writeHead(): void {}

  write(part: string | Buffer): void {
    this.parts.push(part);
    this.text += String(part);
  }

  end(): void {
    this.isOver = true;
  }

  get names(): string[] {
    return [...this.text.matchAll(/^event: (.+)$/gm)].map(([, name]) => name!);
  }

  get lastId(): string {
    return [...this.text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1] ?? "";
  }
}

function open(hub: EventHub, response: FakeResponse, wishes: Partial<ReaderWishes> = {}): boolean {
  return hub.open(response as unknown as ServerResponse, { ...EVERYTHING, ...wishes });
}

test("a reader gets the topics that it wants, and what concerns everybody", (t) => {
  const hub = new EventHub("run");
  t.after(() => hub.close("over"));
  const response = new FakeResponse();
  open(hub, response, { topics: readTopics(new URLSearchParams("topics=servers,nonsense")) });
  hub.send("servers", { atMs: 1, servers: [] });
  hub.send("requests", { requests: [], kept: KEPT });
  hub.send("reload", { generation: 2 });
  assert.deepEqual(response.names, ["servers", "reload"]);
});

test("requests are filtered for each reader, and none that matches is no event", (t) => {
  const hub = new EventHub("run");
  t.after(() => hub.close("over"));
  const [all, some, none] = [new FakeResponse(), new FakeResponse(), new FakeResponse()];
  open(hub, all);
  open(hub, some, { filter: ({ http }) => http?.status === 503 });
  open(hub, none, { filter: () => false });
  const failed = { ...ENDED, http: { ...ENDED.http!, status: 503 } };
  hub.send("requests", { requests: new RequestLog().add([ENDED, failed], 2, 0), kept: KEPT });
  const idsOf = ({ text }: FakeResponse) => {
    const data = JSON.parse(/^data: (.+)$/m.exec(text)![1]!) as DashboardEvents["requests"];
    return data.requests.map(({ id }) => id);
  };
  assert.deepEqual(idsOf(all), [1, 2]);
  assert.deepEqual(idsOf(some), [2]);
  assert.deepEqual(none.names, []);
});

test("an event is encoded once for all who want the whole of it, and not at all when nobody does", (t) => {
  const hub = new EventHub("run");
  t.after(() => hub.close("over"));
  let encodings = 0;
  const counted = {
    requests: [],
    kept: KEPT,
    toJSON: () => {
      encodings++;
      return { requests: [] };
    },
  };
  const topics = readTopics(new URLSearchParams("topics=overview"));
  open(hub, new FakeResponse(), { topics });
  assert.deepEqual([hub.isWanted("overview"), hub.isWanted("requests")], [true, false]);
  hub.send("requests", counted);
  assert.equal(encodings, 0);
  const readers = [new FakeResponse(), new FakeResponse(), new FakeResponse()];
  for (const reader of readers) open(hub, reader);
  hub.send("requests", counted);
  assert.equal(encodings, 1);
  for (const { names, parts } of readers) {
    assert.deepEqual(names, ["requests"]);
    assert.equal(parts.at(-1), readers[0]!.parts.at(-1), "the same bytes wait in all sockets");
  }
});

test("what nobody wants is told for half a minute more, and then lost to who comes back later still", (t) => {
  let now = 0;
  const hub = new EventHub("run", () => now);
  t.after(() => hub.close("over"));
  const servers = { atMs: 1, servers: [] };
  const other = new FakeResponse();
  open(hub, other, { topics: readTopics(new URLSearchParams("topics=overview")) });
  const first = new FakeResponse();
  open(hub, first);
  hub.send("servers", servers);
  const { lastId } = first;
  first.emit("close");
  now = 20_000;
  hub.send("servers", servers);
  const soon = new FakeResponse();
  open(hub, soon, { lastEventId: lastId });
  assert.deepEqual(soon.names, ["servers"]);
  soon.emit("close");
  now = 60_000;
  hub.send("servers", servers);
  hub.send("reload", { generation: 2 });
  const late = new FakeResponse();
  open(hub, late, { lastEventId: soon.lastId });
  assert.deepEqual(late.names, ["lost", "reload"]);
  const elsewhere = new FakeResponse();
  const topics = readTopics(new URLSearchParams("topics=overview"));
  open(hub, elsewhere, { topics, lastEventId: soon.lastId });
  assert.deepEqual(elsewhere.names, ["reload"], "who does not want it has lost nothing");
});

test("events that are kept for who comes back have a bounded size, and so have all slow readers together", (t) => {
  const hub = new EventHub("run");
  t.after(() => hub.close("over"));
  const slow = Array.from({ length: 200 }, () => new FakeResponse(false));
  for (const [index, response] of slow.entries()) open(hub, response, { client: `192.0.2.${index}` });
  const servers = { atMs: 1, servers: [], padding: "x".repeat(100_000) };
  for (let i = 0; i < 150; i++) hub.send("servers", servers);
  const waiting = slow.reduce((sum, { text }) => sum + text.length, 0);
  assert.ok(waiting < 55 * 1024 * 1024, `${waiting} bytes wait`);
  const again = new FakeResponse();
  open(hub, again, { lastEventId: "run-1" });
  assert.equal(again.names[0], "lost");
  assert.ok(again.text.length < 9 * 1024 * 1024, `${again.text.length} bytes are kept`);
});

test("one address has some places, and all together have more", (t) => {
  const hub = new EventHub("run");
  t.after(() => hub.close("over"));
  const openFrom = (client: string, count: number) =>
    Array.from({ length: count }, () => open(hub, new FakeResponse(), { client })).filter((isOpen) => isOpen)
      .length;
  assert.equal(openFrom("a", 70), 64);
  assert.deepEqual(
    ["b", "c", "d", "e"].map((client) => openFrom(client, 64)),
    [64, 64, 64, 0],
  );
});

test("a slow reader's memory is bounded, it is told of the loss, and nobody waits for it", (t) => {
  const hub = new EventHub("run");
  t.after(() => hub.close("over"));
  const [slow, quick] = [new FakeResponse(false), new FakeResponse()];
  open(hub, slow);
  open(hub, quick);
  const servers = { atMs: 1, servers: [], padding: "x".repeat(100_000) };
  for (let i = 0; i < 40; i++) hub.send("servers", servers);
  assert.equal(quick.names.length, 40);
  assert.ok(slow.names.length < 15, `${slow.names.length} events wait`);
  assert.ok(slow.text.length < 1_300_000);
  slow.isRead = true;
  hub.send("reload", { generation: 3 });
  assert.deepEqual(slow.names.slice(-2), ["lost", "reload"]);
});

test("who comes back gets what was missed; after too long, or another run, it is told that something is lost", (t) => {
  const hub = new EventHub("run");
  t.after(() => hub.close("over"));
  const first = new FakeResponse();
  open(hub, first);
  hub.send("reload", { generation: 1 });
  const lastEventId = first.lastId;
  first.emit("close");
  hub.send("reload", { generation: 2 });
  hub.send("reload", { generation: 3 });
  assert.deepEqual(first.names, ["reload"], "who has gone is not written to");
  const again = new FakeResponse();
  open(hub, again, { lastEventId });
  assert.deepEqual(again.names, ["reload", "reload"]);
  assert.match(again.text, /"generation":2[\s\S]*"generation":3/);
  for (const other of ["other-1", "nonsense", "run-"]) {
    const late = new FakeResponse();
    open(hub, late, { lastEventId: other });
    assert.equal(late.names[0], "lost", other);
  }
  for (let i = 0; i < 200; i++) hub.send("reload", { generation: i });
  const late = new FakeResponse();
  open(hub, late, { lastEventId });
  assert.equal(late.names[0], "lost");
});

test("a reader whose session has ended is sent away at the next look", (t) => {
  const hub = new EventHub("run");
  t.after(() => hub.close("over"));
  let isLoggedIn = true;
  const [own, other] = [new FakeResponse(), new FakeResponse()];
  open(hub, own, { isAllowed: () => isLoggedIn });
  open(hub, other);
  hub.dismissStrangers();
  assert.deepEqual([own.isOver, other.isOver], [false, false]);
  isLoggedIn = false;
  hub.dismissStrangers();
  assert.deepEqual([own.isOver, other.isOver], [true, false]);
});

test("there are at most so many readers, and the end is said to each", () => {
  const hub = new EventHub("run");
  const readers = Array.from({ length: 257 }, () => new FakeResponse());
  const places = readers.map((reader, index) => open(hub, reader, { client: `192.0.2.${index}` }));
  assert.equal(places.filter((isOpen) => isOpen).length, 256);
  hub.close("the program ends");
  assert.deepEqual(readers[0]!.names, ["bye"]);
  assert.equal(readers[0]!.isOver, true);
  assert.equal(open(hub, new FakeResponse()), false);
});
