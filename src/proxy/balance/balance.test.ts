// Balancing without HAProxy beside it: limits, queues, avoided servers, changes of state, several workers.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BalanceDefinition, HashType } from "../../model/proxy.ts";
import type { Backend } from "../runtime.ts";
import { CELL, SERVER_ADMIN, SERVER_STATE, SharedState, sharedStateBytes } from "../state.ts";
import {
  type BackendFacts,
  chooseNames,
  HASH_DEFAULT,
  makeBackend,
  makeStream,
  type ServerFacts,
  setServer,
} from "./backend.fixture.ts";
import { createBalancer } from "./create-balancer.ts";
import { avalanche, HASH_FUNCTIONS } from "./hash.ts";
import { hashRdpCookie } from "./hash-key.ts";
import { buildServerMap } from "./server-map.ts";
import { weightedOrder } from "./weighted-order.ts";

const ROUND_ROBIN: BalanceDefinition = { algorithm: "roundrobin" };

function balanced(
  balance: BalanceDefinition,
  servers: Readonly<Record<string, ServerFacts>>,
  facts: BackendFacts = {},
  hashType: HashType = HASH_DEFAULT,
  random: () => number = () => 0,
): Backend {
  const backend = makeBackend(servers, facts);
  backend.balancer = createBalancer(balance, hashType, backend, {
    random,
    wallClockSeconds: () => 1000,
    evaluateKey: null,
  });
  return backend;
}

const server = (backend: Backend, name: string) => backend.serversByName.get(name)!;
const serve = (backend: Backend, name: string, delta = 1) =>
  backend.state.add(server(backend, name).slot, CELL.served, delta);

describe("roundrobin", () => {
  test("serves equal servers in turn and each in proportion to its weight", () => {
    assert.equal(chooseNames(balanced(ROUND_ROBIN, { a: {}, b: {}, c: {} }), 6), "a b c a b c");
    const order = [...weightedOrder(Int32Array.of(16, 48, 32))];
    assert.deepEqual(
      [0, 1, 2].map((index) => order.filter((other) => other === index).length),
      [1, 3, 2],
    );
  });

  test("follows a server going down, up, to drain and to weight 0", () => {
    const backend = balanced(ROUND_ROBIN, { a: {}, b: {}, c: {} });
    setServer(server(backend, "b"), { isDown: true });
    assert.equal(chooseNames(backend, 4), "a c a c");
    setServer(server(backend, "b"), { isDown: false });
    setServer(server(backend, "a"), { admin: SERVER_ADMIN.drain });
    setServer(server(backend, "c"), { weight: 0 });
    assert.equal(chooseNames(backend, 2), "b b");
    setServer(server(backend, "b"), { admin: SERVER_ADMIN.maintenance });
    assert.equal(chooseNames(backend, 1), "-");
    assert.equal(backend.balancer.areAllFull, false);
  });

  test("gives the turns of a full server to the others and says when all are full", () => {
    const backend = balanced(ROUND_ROBIN, { a: { maxconn: 1 }, b: {}, c: { maxconn: 2 } });
    serve(backend, "a");
    assert.equal(chooseNames(backend, 4), "b c b c");
    setServer(server(backend, "b"), { isDown: true });
    serve(backend, "c", 2);
    assert.equal(chooseNames(backend, 1), "-");
    assert.equal(backend.balancer.areAllFull, true);
    serve(backend, "a", -1);
    assert.equal(chooseNames(backend, 2), "a a");
  });

  test("skips a server that has a queue of its own even if it has a free place", () => {
    const backend = balanced(ROUND_ROBIN, { a: { maxconn: 5 }, b: {} });
    backend.state.add(server(backend, "a").slot, CELL.queued, 1);
    assert.equal(chooseNames(backend, 3), "b b b");
  });

  test("takes the avoided server only if nothing else is left", () => {
    const backend = balanced(ROUND_ROBIN, { a: {}, b: {} });
    const stream = makeStream(backend);
    for (let i = 0; i < 4; i++)
      assert.equal(backend.balancer.choose(stream, server(backend, "a"))?.name, "b");
    setServer(server(backend, "b"), { isDown: true });
    assert.equal(backend.balancer.choose(stream, server(backend, "a"))?.name, "a");
  });

  test("goes round together in several processes, and on after a reload", () => {
    const memory = new SharedArrayBuffer(sharedStateBytes(64, 3));
    const worker = (index: number) =>
      balanced(
        ROUND_ROBIN,
        { a: {}, b: {}, c: {} },
        { state: new SharedState(memory, 64, 3, index, index === 0) },
      );
    const [first, second] = [worker(1), worker(2)];
    assert.equal(
      [first, second, first, second, second].map((backend) => chooseNames(backend, 1)).join(" "),
      "a b c a b",
    );
    assert.equal(chooseNames(worker(1), 1), "c");
  });

  test("uses the first backup alone, or all with allbackups, when no active server is left", () => {
    const servers = {
      a: { isDown: true },
      b: { isBackup: true, isDown: true },
      c: { isBackup: true, maxconn: 1 },
      d: { isBackup: true },
    };
    const backend = balanced(ROUND_ROBIN, servers);
    assert.equal(chooseNames(backend, 2), "c c");
    serve(backend, "c", 1);
    assert.equal(
      chooseNames(backend, 1),
      "c",
      "the only backup is not asked for room: the stream queues there",
    );
    assert.equal(
      chooseNames(balanced(ROUND_ROBIN, servers, { options: { allbackups: true } }), 4),
      "c d c d",
    );
    setServer(server(backend, "a"), { isDown: false });
    assert.equal(chooseNames(backend, 2), "a a");
  });

  test("keeps the proportions of weights whose order would be too long", () => {
    const order = weightedOrder(Int32Array.from({ length: 60 }, (_, i) => 4096 - i));
    assert.ok(order.length <= 32_768);
    assert.equal(new Set(order).size, 60);
  });
});

describe("limits", () => {
  test("minconn lets the limit follow the backend's load up to fullconn", () => {
    const backend = balanced(
      ROUND_ROBIN,
      { a: { minconn: 2, maxconn: 10 } },
      { settings: { fullconn: 100 } },
    );
    serve(backend, "a", 2);
    assert.equal(chooseNames(backend, 1), "-");
    backend.state.count(backend.slot, 0 /* scur */, 50);
    assert.equal(chooseNames(backend, 1), "a");
    serve(backend, "a", 3);
    assert.equal(chooseNames(backend, 1), "-");
    backend.state.count(backend.slot, 0, 50);
    assert.equal(chooseNames(backend, 1), "a");
  });

  test("a starting server's limit grows with its age", () => {
    const backend = balanced(ROUND_ROBIN, { a: { maxconn: 10, slowstartMs: 20_000 } });
    backend.state.write(server(backend, "a").slot, CELL.lastChangeSeconds, 990);
    backend.state.write(server(backend, "a").slot, CELL.operational, SERVER_STATE.starting);
    serve(backend, "a", 4);
    assert.equal(chooseNames(backend, 1), "a");
    serve(backend, "a", 1);
    assert.equal(chooseNames(backend, 1), "-");
  });

  test("a limit set at run time replaces the configured one", () => {
    const backend = balanced(ROUND_ROBIN, { a: { maxconn: 1 } });
    const { slot } = server(backend, "a");
    serve(backend, "a", 1);
    assert.equal(chooseNames(backend, 1), "-");
    backend.state.write(slot, CELL.isInitialised, 1);
    backend.state.write(slot, CELL.maxconn, 3);
    backend.state.raiseEpoch();
    assert.equal(chooseNames(backend, 1), "a");
  });
});

describe("leastconn", () => {
  test("takes the least loaded for its weight, idle ones before any other", () => {
    const backend = balanced({ algorithm: "leastconn" }, { a: { weight: 4 }, b: {}, c: {} });
    serve(backend, "a", 2);
    serve(backend, "b", 1);
    assert.equal(chooseNames(backend, 1), "c");
    serve(backend, "c", 1);
    assert.equal(chooseNames(backend, 1), "a");
  });

  test("idle servers take turns while others are busy", () => {
    const backend = balanced({ algorithm: "leastconn" }, { a: {}, b: {}, c: {} });
    assert.equal(chooseNames(backend, 3), "a b c");
    serve(backend, "a", 1);
    assert.equal(chooseNames(backend, 4), "b c b c");
  });

  test("fills a server's own queue up to maxqueue before it counts as full", () => {
    const backend = balanced({ algorithm: "leastconn" }, { a: { maxconn: 1, maxqueue: 1 } });
    serve(backend, "a", 1);
    assert.equal(chooseNames(backend, 1), "a");
    backend.state.add(server(backend, "a").slot, CELL.queued, 1);
    assert.equal(chooseNames(backend, 1), "-");
    assert.equal(backend.balancer.areAllFull, true);
  });
});

test("first fills servers in the order of their ids", () => {
  const backend = balanced(
    { algorithm: "first" },
    { a: { id: 3 }, b: { id: 1, maxconn: 1 }, c: { id: 2, maxconn: 1 } },
  );
  assert.equal(chooseNames(backend, 1), "b");
  serve(backend, "b");
  assert.equal(chooseNames(backend, 1), "c");
  serve(backend, "c");
  assert.equal(chooseNames(backend, 1), "a");
});

describe("random", () => {
  test("reaches all servers in proportion to their weights", () => {
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed / 2 ** 32;
    };
    const backend = balanced(
      { algorithm: "random", draws: 1 },
      { a: { weight: 100 }, b: { weight: 50 } },
      {},
      HASH_DEFAULT,
      random,
    );
    const names = chooseNames(backend, 3000).split(" ");
    const share = names.filter((name) => name === "a").length / names.length;
    assert.ok(share > 0.6 && share < 0.73, `share of a: ${share}`);
  });

  test("prefers the less loaded of two draws, and queues when the better one is full", () => {
    const draws = [0.05, 0.55, 0.05, 0.55];
    let at = 0;
    const backend = balanced(
      { algorithm: "random", draws: 2 },
      { a: { weight: 20, maxconn: 9 }, b: { weight: 20, maxconn: 9 } },
      {},
      HASH_DEFAULT,
      () => draws[at++ % draws.length]!,
    );
    const one = balanced(
      { algorithm: "random", draws: 1 },
      { a: { weight: 20 }, b: { weight: 20 } },
      {},
      HASH_DEFAULT,
      () => draws[at++ % draws.length]!,
    );
    const [first, second] = chooseNames(one, 2).split(" ") as [string, string];
    assert.notEqual(first, second, "the draws of this test must meet both servers");
    serve(backend, first, 5);
    assert.equal(chooseNames(backend, 1), second);
    serve(backend, first, 4);
    serve(backend, second, 9);
    assert.equal(chooseNames(backend, 1), "-");
    assert.equal(backend.balancer.areAllFull, true);
  });
});

describe("hashing", () => {
  const consistent: HashType = { method: "consistent", function: "sdbm", avalanche: true };

  test("a key stays with its server when that is full, and round robin is for streams without a key", () => {
    const backend = balanced(
      { algorithm: "hdr", name: "x", useDomainOnly: false },
      { a: { maxconn: 1 }, b: { maxconn: 1 } },
    );
    const keyed = { headers: [["x", "k"]] } as const;
    const name = chooseNames(backend, 1, keyed);
    serve(backend, "a");
    serve(backend, "b");
    assert.equal(chooseNames(backend, 1, keyed), name);
    assert.equal(chooseNames(backend, 1), "-");
  });

  test("consistent hashing moves only the keys of the server that went", () => {
    const backend = balanced(
      { algorithm: "uri", length: null, depth: null, whole: true, pathOnly: false },
      { a: { weight: 10 }, b: { weight: 10 }, c: { weight: 10 } },
      {},
      consistent,
    );
    const targets = Array.from({ length: 300 }, (_, i) => ({ target: `/${i}` }));
    const place = () => targets.map((target) => chooseNames(backend, 1, target));
    const beforehand = place();
    setServer(server(backend, "b"), { isDown: true });
    for (const [i, name] of place().entries()) if (beforehand[i] !== "b") assert.equal(name, beforehand[i]);
    setServer(server(backend, "b"), { isDown: false });
    assert.deepEqual(place(), beforehand);
  });

  test("hash-balance-factor moves a key on from a server above its share", () => {
    const definition: BalanceDefinition = {
      algorithm: "uri",
      length: null,
      depth: null,
      whole: true,
      pathOnly: false,
    };
    const backend = balanced(
      definition,
      { a: { weight: 10 }, b: { weight: 10 } },
      { settings: { hashBalanceFactor: 110 } },
      consistent,
    );
    const favourite = chooseNames(backend, 1, { target: "/k" });
    serve(backend, favourite, 10);
    assert.notEqual(chooseNames(backend, 1, { target: "/k" }), favourite);
  });

  test("consistent hashing goes on from the avoided server; a lone one is taken anyway", () => {
    const backend = balanced({ algorithm: "source" }, { a: {}, b: {} }, {}, consistent);
    const stream = makeStream(backend);
    const chosen = backend.balancer.choose(stream, null)!;
    assert.notEqual(backend.balancer.choose(stream, chosen), chosen);
    setServer(backend.servers.find((other) => other !== chosen)!, { isDown: true });
    assert.equal(backend.balancer.choose(stream, chosen), chosen);
  });

  test("url_param looks into a buffered POST body when the query has no such parameter", () => {
    const backend = balanced({ algorithm: "url_param", name: "id", checkPost: 100 }, { a: {}, b: {}, c: {} });
    const inQuery = chooseNames(backend, 1, { target: "/?id=session-5" });
    const stream = makeStream(backend, { method: "POST", target: "/" });
    stream.body = new TextEncoder().encode("x=1&id=session-5&y=2");
    for (let i = 0; i < 3; i++) assert.equal(backend.balancer.choose(stream, null)?.name, inQuery);
  });

  test("hash EXPR hashes what the compiled sample gives", () => {
    const backend = makeBackend({ a: {}, b: {}, c: {} });
    const values = ["k", null, 5, { kind: "ip", family: 4, bytes: Uint8Array.of(10, 0, 0, 1) }] as const;
    let at = 0;
    backend.balancer = createBalancer({ algorithm: "hash", sample: null as never }, HASH_DEFAULT, backend, {
      random: () => 0,
      wallClockSeconds: () => 0,
      evaluateKey: () => values[at++]!,
    });
    const byHash = (key: string) => "abc"[HASH_FUNCTIONS.sdbm(key, 0, key.length) % 3];
    assert.equal(
      chooseNames(backend, 4),
      `${byHash("k")} a ${byHash("\0\0\0\0\0\0\0\x05")} ${byHash("\x0a\0\0\x01")}`,
    );
  });

  test("an RDP cookie is found behind the connection request header, by any case of its name", () => {
    const content = (text: string) =>
      Uint8Array.from([...new Array(11).fill(3), ...new TextEncoder().encode(text)]);
    const hash = (key: string) => key.length;
    assert.equal(hashRdpCookie(content("Cookie: mstshash=alice\r\n\x01"), "MSTSHASH", hash), 5);
    for (const text of [
      "Cookie: mstshash=alice",
      "Cookie: other=alice\r\n",
      "Cookie: mstshash=\r\n",
      "",
      "GET / HTTP/1.1\r\n",
    ]) {
      assert.equal(hashRdpCookie(content(text), "mstshash", hash), -1);
    }
  });

  test("hash functions give the published values", () => {
    const key = "123456789";
    assert.equal(HASH_FUNCTIONS.crc32(key, 0, 9), 0xcbf43926);
    assert.equal(HASH_FUNCTIONS.djb2(key, 0, 0), 5381);
    assert.equal(HASH_FUNCTIONS.sdbm("a", 0, 1), 97);
    assert.equal(HASH_FUNCTIONS.none("4711", 0, 4), 4711);
    assert.notEqual(avalanche(1), avalanche(2));
  });
});

test("the server map begins with the first server and holds each as often as its weight", () => {
  const map = [...buildServerMap(Int32Array.of(2, 1, 3))];
  assert.equal(map.length, 6);
  assert.deepEqual(
    [0, 1, 2].map((index) => map.filter((other) => other === index).length),
    [2, 1, 3],
  );
  assert.deepEqual([...buildServerMap(Int32Array.of(1, 1, 1))], [0, 1, 2]);
  assert.deepEqual([...buildServerMap(Int32Array.of())], []);
});
