// What happens to a tracked key, and in which of its table's counters it counts: made once for a table, so
// that counting is a few additions.
import type { EntryData } from "./entry-data.ts";

type Add = (entry: number, time: number, delta: number) => number;

export type TableEvent = "session" | "request" | "error" | "failure" | "bytesIn" | "bytesOut";

export class TableEvents {
  readonly #data: EntryData;
  readonly #connection: Add | null;
  readonly #adders: Readonly<Record<TableEvent, Add | null>>;

  constructor(data: EntryData) {
    this.#data = data;
    this.#connection = data.adder("conn_cnt", "conn_rate");
    this.#adders = {
      session: data.adder("sess_cnt", "sess_rate"),
      request: data.adder("http_req_cnt", "http_req_rate"),
      error: data.adder("http_err_cnt", "http_err_rate"),
      failure: data.adder("http_fail_cnt", "http_fail_rate"),
      bytesIn: data.adder("bytes_in_cnt", "bytes_in_rate"),
      bytesOut: data.adder("bytes_out_cnt", "bytes_out_rate"),
    };
  }

  /** A connection, or a request, has come to be tracked. */
  begin(entry: number, time: number): void {
    this.#data.addConnections(entry, 1);
    this.#connection?.(entry, time, 1);
  }

  end(entry: number): void {
    this.#data.addConnections(entry, -1);
  }

  /** False: this table does not count such events. */
  counts(event: TableEvent): boolean {
    return this.#adders[event] !== null;
  }

  add(event: TableEvent, entry: number, time: number, delta: number): void {
    this.#adders[event]?.(entry, time, delta);
  }
}
