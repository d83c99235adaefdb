import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../../transport/contract.ts";
import type { Server } from "../runtime.ts";
import { CELL, SharedState } from "../state.ts";
import { type LinkOwner, ServerLink } from "./server-link.ts";
import { ServerPool } from "./server-pool.ts";

const state = SharedState.alone(1);

function serverWith(poolMaxConnections: number | null): Server {
  return { definition: { poolMaxConnections, poolPurgeDelayMs: 5000 }, slot: 0, state } as unknown as Server;
}

function openLink(pool: ServerPool): { readonly link: ServerLink; isClosed(): boolean } {
  const link = new ServerLink(serverWith(null), pool, {} as LinkOwner);
  let isClosed = false;
  const close = () => {
    isClosed = true;
  };
  link.connection = { isClosed: false, close } as unknown as Connection;
  return { link, isClosed: () => isClosed };
}

test("a connection that was in use while the pool was closed does not come back to it", () => {
  const pool = new ServerPool(serverWith(null));
  const before = openLink(pool);
  pool.closeAll();
  const after = openLink(pool);
  pool.put(before.link, 0);
  pool.put(after.link, 0);
  assert.deepEqual([before.isClosed(), after.isClosed(), pool.size], [true, false, 1]);
  assert.equal(pool.take("", false), after.link);
  assert.equal(state.read(0, CELL.idle), 0);
});

test("a retired pool closes what it has and keeps nothing more", () => {
  const pool = new ServerPool(serverWith(null));
  const idle = openLink(pool);
  pool.put(idle.link, 0);
  pool.retire();
  const late = openLink(pool);
  pool.put(late.link, 0);
  assert.deepEqual([idle.isClosed(), late.isClosed(), pool.size], [true, true, 0]);
  assert.equal(state.read(0, CELL.idle), 0);
});

test("a pool follows the limits of the generation that it has moved to", () => {
  const pool = new ServerPool(serverWith(null));
  pool.put(openLink(pool).link, 0);
  pool.moveTo(serverWith(1));
  const surplus = openLink(pool);
  pool.put(surplus.link, 0);
  assert.deepEqual([surplus.isClosed(), pool.size], [true, 1]);
  pool.closeAll();
});
