import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseIpAddress } from "../../base/address.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { StickTableDefinition, StoredData } from "../../model/stick-table.ts";
import { NONE } from "./entry-lists.ts";
import { layoutOf, TABLE } from "./layout.ts";
import { StickTable } from "./stick-table.ts";

const one = (name: StoredData["name"], periodMs = 0, count = 1): StoredData => ({ name, periodMs, count });

function definitionOf(changes: Partial<StickTableDefinition> = {}): StickTableDefinition {
  return {
    name: "t",
    keyType: "string",
    keyBytes: 32,
    size: 100,
    expireMs: 1000,
    isKept: false,
    stored: [one("gpc0"), one("conn_cur"), one("http_req_rate", 1000), one("gpc", 0, 2)],
    serverKey: "name",
    peers: null,
    span: NO_SPAN,
    ...changes,
  };
}

/** Two processes with the same table. */
function sharedBy(
  count: number,
  definition: StickTableDefinition,
  buffer: ArrayBuffer = new ArrayBuffer(layoutOf(definition, definition.size, count).byteLength),
): StickTable[] {
  const secret = [1, 2] as const;
  return Array.from({ length: count }, (_, process) => {
    const capacity = definition.size;
    const place = { buffer, capacity, secret, process, processCount: count, clockOffsetMs: 0 };
    return new StickTable(definition, place);
  });
}

function keysOf(table: StickTable, nowMs: number): string[] {
  const keys: string[] = [];
  table.each(nowMs, (entry) => keys.push(String(table.keyOf(entry))));
  return keys.sort();
}

describe("a stick table", () => {
  test("finds an entry again, and forgets it when its time is over", () => {
    const table = StickTable.alone(definitionOf());
    const add = table.data.adder("gpc0", "gpc0_rate")!;
    assert.equal(
      table.update("a", 0, (entry, time) => add(entry, time, 1)),
      1,
    );
    assert.equal(
      table.update("a", 900, (entry, time) => add(entry, time, 1)),
      2,
    );
    const read = table.data.reader("gpc0")!;
    assert.equal(table.lookUp("a", 1899, read), 2);
    assert.equal(table.lookUp("a", 1900, read), undefined);
    assert.equal(table.lookUp("b", 0, read), undefined);
    assert.equal(table.used, 0);
  });

  test("keeps what is tracked beyond its time, and from then on as long as any other", () => {
    const table = StickTable.alone(definitionOf());
    const entry = table.track("a", 0, null);
    assert.deepEqual(keysOf(table, 5000), ["a"]);
    table.release(entry, 5000, null);
    assert.deepEqual(keysOf(table, 5999), ["a"]);
    assert.deepEqual(keysOf(table, 6000), []);
  });

  test("makes room for a new key by forgetting the one that was not used for longest", () => {
    const table = StickTable.alone(definitionOf({ size: 3 }));
    for (const key of ["a", "b", "c"]) table.update(key, 0, () => 0);
    table.track("a", 1, null);
    assert.equal(
      table.update("d", 2, () => 0),
      0,
    );
    assert.deepEqual(keysOf(table, 2), ["a", "c", "d"]);
  });

  test("that may not forget takes no new keys when it is full", () => {
    const table = StickTable.alone(definitionOf({ size: 2, isKept: true }));
    for (const key of ["a", "b"]) table.update(key, 0, () => 0);
    assert.equal(table.track("c", 1, null), NONE);
    assert.notEqual(table.track("c", 1000, null), NONE);
  });

  test("with nothing but tracked entries takes no new keys", () => {
    const table = StickTable.alone(definitionOf({ size: 1 }));
    table.track("a", 0, null);
    assert.equal(table.track("b", 5000, null), NONE);
  });

  test("is the same for all processes", () => {
    const [first, second] = sharedBy(2, definitionOf());
    const add = first!.data.adder("gpc0", "gpc0_rate")!;
    first!.update("a", 0, (entry, time) => add(entry, time, 5));
    assert.equal(second!.lookUp("a", 0, second!.data.reader("gpc0")!), 5);
    const entry = second!.track("a", 0, (one) => second!.data.addConnections(one, 1));
    assert.equal(first!.usesOf(entry), 1);
    assert.equal(first!.lookUp("a", 0, first!.data.reader("conn_cur")!), 1);
  });

  test("takes back what a process held that died, and mends what it left half done", () => {
    const definition = definitionOf();
    const buffer = new ArrayBuffer(layoutOf(definition, definition.size, 2).byteLength);
    const [first, second] = sharedBy(2, definition, buffer);
    for (let i = 0; i < 50; i++) first!.update(`k${i}`, i, () => 0);
    const entry = second!.track("k7", 60, (one) => second!.data.addConnections(one, 1));
    // It was killed at work: the lock is its own, and a list leads nowhere.
    const head = new Int32Array(buffer, 0, 8);
    head[TABLE.lock] = 2;
    head[TABLE.oldest] = 0;
    first!.forgetProcess(1);
    assert.equal(first!.usesOf(entry), 0);
    assert.equal(first!.lookUp("k7", 60, first!.data.reader("conn_cur")!), 0);
    assert.equal(keysOf(first!, 60).length, 50);
  });

  test("removes a key unless it is tracked", () => {
    const table = StickTable.alone(definitionOf());
    const entry = table.track("a", 0, null);
    assert.equal(table.remove("a", 0), "busy");
    table.release(entry, 0, null);
    assert.equal(table.remove("a", 0), "gone");
    assert.equal(table.used, 0);
    assert.equal(table.remove("never", 0), "gone");
  });

  test("does the same as a map, whatever is done with it", () => {
    const table = StickTable.alone(definitionOf({ size: 64, expireMs: null }));
    const model = new Map<string, number>();
    const add = table.data.adder("gpc0", "gpc0_rate")!;
    let seed = 12345;
    const random = (below: number) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
    for (let i = 0; i < 20_000; i++) {
      const key = `k${random(60)}`;
      if (random(4) === 0) {
        table.remove(key, i);
        model.delete(key);
      } else {
        table.update(key, i, (entry, time) => add(entry, time, 1));
        model.set(key, (model.get(key) ?? 0) + 1);
      }
      const read = table.lookUp(key, i, table.data.reader("gpc0")!);
      assert.equal(read, model.get(key));
    }
    assert.equal(table.used, model.size);
    assert.deepEqual(keysOf(table, 20_000), [...model.keys()].sort());
  });

  test("reads an address, a number or bytes as the key that it is declared to have", () => {
    const ip = StickTable.alone(definitionOf({ keyType: "ip", keyBytes: 4 }));
    ip.update("192.0.2.1", 0, () => 0);
    assert.equal(
      ip.lookUp(parseIpAddress("::ffff:192.0.2.1")!, 0, () => 1),
      1,
    );
    assert.equal(
      ip.update(parseIpAddress("2001:db8::1")!, 0, () => 1),
      undefined,
    );
    const integer = StickTable.alone(definitionOf({ keyType: "integer", keyBytes: 4 }));
    integer.update(4294967295, 0, () => 0);
    assert.equal(
      integer.lookUp(-1, 0, () => 1),
      1,
    );
    const binary = StickTable.alone(definitionOf({ keyType: "binary", keyBytes: 4 }));
    binary.update("ab", 0, () => 0);
    assert.equal(
      binary.lookUp("ab\0\0more", 0, () => 1),
      1,
    );
    const text = StickTable.alone(definitionOf({ keyBytes: 4 }));
    text.update("abcdef", 0, () => 0);
    assert.equal(
      text.lookUp("abcd", 0, () => 1),
      1,
    );
    assert.equal(
      text.update("", 0, () => 1),
      undefined,
    );
  });

  test("has gpc0 in the first place of a list", () => {
    const table = StickTable.alone(definitionOf({ stored: [one("gpc", 0, 2), one("gpc_rate", 1000, 1)] }));
    assert.notEqual(table.data.reader("gpc0"), null);
    assert.notEqual(table.data.reader("gpc1"), null);
    assert.equal(table.data.reader("gpc1_rate"), null);
    assert.equal(table.data.reader("gpc", 2), null);
    const add = table.data.adder("gpc1", "gpc1_rate")!;
    table.update("a", 0, (entry, time) => add(entry, time, 3));
    assert.equal(table.lookUp("a", 0, table.data.reader("gpc", 1)!), 3);
  });

  test("keeps names of servers beside its entries, each once", () => {
    const table = StickTable.alone(definitionOf({ stored: [one("server_key")] }));
    const first = table.data.internName("WEB-001");
    const second = table.data.internName("WEB-002");
    assert.equal(table.data.internName("WEB-001"), first);
    assert.equal(table.data.nameOf(second), "WEB-002");
    assert.equal(table.data.nameOf(0), null);
    for (let i = 0; i < 2000; i++) table.data.internName(`name-${i}`);
    assert.equal(table.data.internName("one too many, of more than is left over at the end"), 0);
  });
});
