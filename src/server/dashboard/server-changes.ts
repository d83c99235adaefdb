// Which rows of servers a browser has to hear of: those in which something changed that an operator looks at.
// Ages and totals change all the time and come along with the rest.
import type { ServerRow } from "../../model/dashboard-api.ts";

export class ServerChanges {
  #last = new Map<string, string>();

  /** The rows that differ from those of the last call; all of them when servers have come or gone. */
  take(rows: readonly ServerRow[]): readonly ServerRow[] {
    const before = this.#last;
    const now = new Map(rows.map((row) => [row.id, essence(row)]));
    this.#last = now;
    const isSameSet = before.size === now.size && rows.every(({ id }) => before.has(id));
    return isSameSet ? rows.filter(({ id }) => before.get(id) !== now.get(id)) : rows;
  }
}

function essence(row: ServerRow): string {
  const { lastChangeSeconds, downtimeSeconds, lastSessionSeconds, sticky, ...rest } = row;
  return JSON.stringify([rest, sticky?.clients]);
}
