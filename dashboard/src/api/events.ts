// One stream of server-sent events for the whole page. The browser's own EventSource comes back at a fixed
// pace and gives up on some answers; this one comes back later each time, up to half a minute, with the last
// event's id, so that what is still kept follows. It brings what somebody here listens to, and so costs the
// server no more than is looked at; a page that is not looked at has no stream.
import { signal } from "@preact/signals";
import type { DashboardEvents, EventTopic } from "../../../src/model/dashboard-api.ts";
import { session } from "./client.ts";
import { EventReader } from "./event-reader.ts";

type Name = keyof DashboardEvents;
type Listener<N extends Name> = (data: DashboardEvents[N]) => void;

const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_MAX_MS = 30_000;
/** The server says something every 15 seconds. */
const SILENCE_MAX_MS = 40_000;

/** What is not sent to everybody. */
const TOPICS = ["overview", "servers", "requests"] as const satisfies readonly EventTopic[];

export type LiveState = "connecting" | "live" | "waiting";
export const live = signal<LiveState>("connecting");

const listeners = new Map<Name, Set<Listener<never>>>();
let lastId: string | null = null;
let attempts = 0;
let current: AbortController | null = null;
/** Those of the stream that is open. */
let topics = "";
let isFollowing = false;
let timer = 0;

/** Returns what ends it. */
export function on<N extends Name>(name: N, listener: Listener<N>): () => void {
  const all = listeners.get(name) ?? new Set();
  listeners.set(name, all);
  all.add(listener as Listener<never>);
  followTopics();
  return () => {
    all.delete(listener as Listener<never>);
    followTopics();
  };
}

export function startEvents(): void {
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : connect()));
  window.addEventListener("online", connect);
  connect();
}

/** After a login, or when somebody does not want to wait. */
export function connect(): void {
  if (document.hidden || session.value?.user === null) return;
  live.value = "connecting";
  open();
}

/**
 * Each listener gets what it wants from the moment when the next task runs; a page brings several at once.
 */
function followTopics(): void {
  if (isFollowing) return;
  isFollowing = true;
  setTimeout(() => {
    isFollowing = false;
    if (current !== null && wantedTopics() !== topics) open();
  });
}

function open(): void {
  stop();
  void follow();
}

/** As the query has them. What concerns everybody, such as a reload, comes with any of them. */
function wantedTopics(): string {
  return TOPICS.filter((topic) => (listeners.get(topic)?.size ?? 0) > 0).join(",");
}

function stop(): void {
  clearTimeout(timer);
  current?.abort();
  current = null;
}

async function follow(): Promise<void> {
  const own = new AbortController();
  current = own;
  topics = wantedTopics();
  let silence = 0;
  const heard = () => {
    clearTimeout(silence);
    silence = window.setTimeout(() => own.abort(), SILENCE_MAX_MS);
  };
  try {
    heard();
    const response = await fetch(`/api/v1/events?topics=${topics}`, {
      headers: { accept: "text/event-stream", ...(lastId === null ? {} : { "last-event-id": lastId }) },
      cache: "no-store",
      signal: own.signal,
    });
    if (response.ok && response.body !== null) {
      live.value = "live";
      const reader = new EventReader();
      for await (const bytes of piecesOf(response.body)) {
        heard();
        attempts = 0;
        for (const { name, id, data } of reader.receive(bytes)) {
          if (id !== null) lastId = id;
          tell(name, data);
        }
      }
    } else if (response.status === 401) return;
  } catch {
    // Cut off, or ended by ourselves: what follows is the same.
  } finally {
    clearTimeout(silence);
  }
  if (current !== own) return;
  live.value = "waiting";
  const wait = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** attempts++);
  // Many browsers must not all come at once after a restart.
  timer = window.setTimeout(connect, wait * (0.5 + Math.random() / 2));
}

function tell(name: string, data: string): void {
  const all = listeners.get(name as Name);
  if (all === undefined) return;
  const value = JSON.parse(data) as never;
  for (const listener of all) listener(value);
}

async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
