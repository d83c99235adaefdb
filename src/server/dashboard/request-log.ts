// The newest requests, kept in the master for the dashboard: a ring, so that memory is bounded whatever the
// traffic. What only an explanation needs, such as the headers, is kept beside the record.
import type { RequestRecord, RequestsKept } from "../../model/dashboard-api.ts";
import { describeEnding, describePersistence } from "../../proxy/log/termination-words.ts";
import type { EndedRequest } from "../messages.ts";

const KEPT_MAX = 10_000;
/** Over which the share of requests that are kept is told. */
const SHARE_WINDOW_MS = 1000;

export interface KeptRequest {
  readonly record: RequestRecord;
  readonly ended: EndedRequest;
}

export class RequestLog {
  readonly #ring: KeptRequest[] = [];
  readonly #countMax: number;
  #nextId = 1;
  #window = { sinceMs: 0, ended: 0, kept: 0 };
  #share = 1;

  constructor(countMax: number = KEPT_MAX) {
    this.#countMax = countMax;
  }

  /** Keeps what a worker tells. `endedCount`: how many there were in all. */
  add(ended: readonly EndedRequest[], endedCount: number, nowMs: number): RequestRecord[] {
    if (nowMs - this.#window.sinceMs >= SHARE_WINDOW_MS) {
      const { ended: all, kept } = this.#window;
      this.#share = all === 0 ? 1 : kept / all;
      this.#window = { sinceMs: nowMs, ended: 0, kept: 0 };
    }
    this.#window.ended += endedCount;
    this.#window.kept += ended.length;
    return ended.map((one) => {
      const record = recordOf(one, this.#nextId++);
      this.#ring[record.id % this.#countMax] = { record, ended: one };
      return record;
    });
  }

  get kept(): RequestsKept {
    const count = Math.min(this.#nextId - 1, this.#countMax);
    return { count, countMax: this.#countMax, share: Math.round(this.#share * 1000) / 1000 };
  }

  /** Undefined: it has been overwritten, or was never there. */
  find(id: number): KeptRequest | undefined {
    const kept = this.#ring[id % this.#countMax];
    return kept?.record.id === id ? kept : undefined;
  }

  /** The newest first. `filter` null: all of them; `before` null: from the newest on. */
  list(
    filter: ((record: RequestRecord) => boolean) | null,
    limit: number,
    before: number | null,
  ): { readonly requests: RequestRecord[]; readonly before: number | null } {
    const requests: RequestRecord[] = [];
    const oldest = Math.max(1, this.#nextId - this.#countMax);
    for (let id = Math.min(before ?? this.#nextId, this.#nextId) - 1; id >= oldest; id--) {
      const { record } = this.#ring[id % this.#countMax]!;
      if (filter !== null && !filter(record)) continue;
      if (requests.length === limit) return { requests, before: requests.at(-1)!.id };
      requests.push(record);
    }
    return { requests, before: null };
  }
}

function recordOf(one: EndedRequest, id: number): RequestRecord {
  const header = (name: string) => one.http?.headers.find(([other]) => other === name)?.[1] ?? "";
  const client = one.clientHost.includes(":") ? `[${one.clientHost}]` : one.clientHost;
  return {
    id,
    atMs: Math.round(one.atMs),
    client: one.clientPort > 0 ? `${client}:${one.clientPort}` : client,
    frontend: one.frontend,
    backend: one.backend,
    server: one.server,
    isTls: one.serverName !== null,
    http:
      one.http === null
        ? null
        : {
            method: one.http.method,
            target: one.http.target,
            host: header("host"),
            userAgent: header("user-agent"),
            status: one.http.status,
          },
    bytesIn: one.bytesIn,
    bytesOut: one.bytesOut,
    timers: {
      idleMs: rounded(one.idleMs),
      requestMs: rounded(one.requestMs),
      queueMs: rounded(one.queueMs),
      connectMs: rounded(one.connectMs),
      responseMs: rounded(one.responseMs),
      totalMs: rounded(one.totalMs),
    },
    termination: one.termination,
    retries: one.retries,
    isRedispatched: one.isRedispatched,
    isFailed: one.isFailed,
    ending: describeEnding(one.termination),
    persistence: describePersistence(one.termination),
  };
}

/** To a hundredth: engines measure no better. -1 stays. */
function rounded(ms: number): number {
  return ms < 0 ? -1 : Math.round(ms * 100) / 100;
}
