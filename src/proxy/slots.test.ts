import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProxyConfiguration } from "../model/proxy.ts";
import { assignSlots, backendKey, frontendKey, listenerKey, serverKey } from "./slots.ts";

/** Only what slots depend on: names, and numbers of binds. */
function site(
  ...proxies: readonly {
    readonly name: string;
    readonly binds: readonly number[];
    readonly servers: readonly string[];
  }[]
): ProxyConfiguration {
  return {
    proxies: proxies.map(({ name, binds, servers }) => ({
      name,
      frontend: binds.length === 0 ? null : { binds: binds.map((id) => ({ id })) },
      backend:
        servers.length === 0
          ? null
          : { servers: servers.map((server) => ({ name: server })), dispatch: null },
    })),
  } as unknown as ProxyConfiguration;
}

const TWO = site({ name: "web", binds: [1], servers: ["a"] }, { name: "other", binds: [], servers: ["a"] });

test("everything that has a name has a slot of its own", () => {
  const table = assignSlots(TWO, {}, 100)!;
  const keys = [
    frontendKey("web"),
    listenerKey("web", 1),
    backendKey("web"),
    serverKey("web", "a"),
    backendKey("other"),
    serverKey("other", "a"),
  ];
  assert.deepEqual(Object.keys(table).sort(), keys.sort());
  assert.deepEqual(
    Object.values(table).sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5],
  );
});

test("a name keeps its slot when others come and go, and when it was gone itself", () => {
  const first = assignSlots(TWO, {}, 100)!;
  const second = assignSlots(site({ name: "new", binds: [], servers: ["b"] }), first, 100)!;
  const third = assignSlots(TWO, second, 100)!;
  for (const [key, slot] of Object.entries(first)) {
    assert.equal(second[key], slot);
    assert.equal(third[key], slot);
  }
  assert.equal(new Set(Object.values(third)).size, 8, "no slot has two owners");
});

test("more names than slots is no table", () => {
  assert.notEqual(assignSlots(TWO, {}, 6), null);
  assert.equal(assignSlots(TWO, {}, 5), null);
});

test("a slot that was given back is the next one's", () => {
  const { [serverKey("web", "a")]: freed, ...rest } = assignSlots(TWO, {}, 6)!;
  const table = assignSlots(site({ name: "web", binds: [1], servers: ["b"] }), rest, 6)!;
  assert.equal(table[serverKey("web", "b")], freed);
});
