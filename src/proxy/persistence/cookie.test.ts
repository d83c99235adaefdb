// Cookies without HAProxy beside them: dynamic values, dates, persistence rules, requests that are left
// alone.
import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { describe, test } from "node:test";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import { makeBackend, makeStream } from "../balance/backend.fixture.ts";
import {
  HAS_HAPROXY,
  makeDirectory,
  removeDirectory,
  request,
  startHaproxy,
} from "../balance/haproxy.fixture.ts";
import { applyRequestCookie, applyResponseCookie, describeCheckcacheDenial } from "./cookie.ts";
import { decodeCookieDate, encodeCookieDate } from "./cookie-date.ts";
import { cookieSettings } from "./cookie-settings.fixture.ts";
import { assignDynamicCookies, hashXxh64, makeDynamicCookie } from "./dynamic-cookie.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("dynamic cookies", () => {
  test("XXH64 gives the published values for all lengths of its last block", () => {
    assert.equal(hashXxh64(bytes("")).toString(16), "ef46db3751d8e999");
    assert.equal(hashXxh64(bytes("a")).toString(16), "d24ec4f1a98c6e5b");
    assert.equal(hashXxh64(bytes("abc")).toString(16), "44bc2cf5ad770999");
    assert.equal(
      hashXxh64(bytes("Nobody inspects the spammish repetition")).toString(16),
      "fbcea83c8a378bf1",
    );
  });

  test("servers without a cookie of their own are found by the dynamic one", () => {
    const settings = { cookie: cookieSettings({ dynamic: true }), dynamicCookieKey: "key" };
    const backend = makeBackend({ a: {}, b: { cookie: "B" } }, { settings });
    assignDynamicCookies(backend);
    const value = makeDynamicCookie("key", "127.0.0.1", 80)!;
    assert.equal(backend.servers[0]!.cookie, value);
    assert.deepEqual([...backend.serversByCookie.keys()], [value, "B"]);
    const stream = makeStream(backend, { headers: [["cookie", `SRV=${value}`]] });
    assert.equal(applyRequestCookie(stream, backend, 0)?.name, "a");
  });

  test("a server without an IP address gets none", () => {
    assert.equal(makeDynamicCookie("key", "app.example.com", 80), null);
  });

  test("HAProxy makes the same value of address, port and key", { skip: !HAS_HAPROXY }, async () => {
    const directory = makeDirectory();
    const origin = http.createServer((_, outgoing) => outgoing.end());
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    const { port } = origin.address() as AddressInfo;
    const lines = [
      "listen one",
      "mode http",
      "timeout client 9s",
      "timeout server 9s",
      "timeout connect 9s",
      "bind unix@DIRECTORY/one",
    ];
    lines.push(
      "dynamic-cookie-key some-secret",
      "cookie SRV insert dynamic",
      `server a 127.0.0.1:${port}`,
      "",
    );
    const haproxy = await startHaproxy(directory, lines.join("\n"), ["one"]);
    try {
      const response = await request(path.join(directory, "one"), {});
      const cookie = response.rawHeaders[response.rawHeaders.indexOf("set-cookie") + 1];
      assert.equal(cookie, `SRV=${makeDynamicCookie("some-secret", "127.0.0.1", port)}; path=/`);
    } finally {
      await haproxy.dispose();
      await new Promise((resolve) => origin.close(resolve).closeAllConnections());
      removeDirectory(directory);
    }
  });
});

test("dates survive encoding to the next 4 seconds, and garbage is no date", () => {
  for (const seconds of [4, 1_700_000_000, 4_200_000_000])
    assert.equal(decodeCookieDate(encodeCookieDate(seconds), 0), seconds);
  assert.equal(decodeCookieDate(encodeCookieDate(1_700_000_001), 0), 1_700_000_004);
  assert.equal(decodeCookieDate("abc!x", 0), 0);
  assert.equal(decodeCookieDate("abcd", 0), 0);
});

test("persistence rules are asked once for each stream", () => {
  const rule = { kind: "ignore", condition: null as never, span: null as never } as const;
  const backend = makeBackend(
    { a: { cookie: "A" } },
    { settings: { cookie: cookieSettings({}), persistRules: [rule] } },
  );
  let calls = 0;
  const persistence = () => {
    calls++;
    return "ignore";
  };
  backend.programs = { persistence } as never;
  const stream = makeStream(backend, { headers: [["cookie", "SRV=A"]] });
  assert.equal(applyRequestCookie(stream, backend, 0), null);
  stream.server = backend.servers[0]!;
  stream.response = new MessageHead();
  stream.response.startResponse(200, "OK");
  assert.equal(applyResponseCookie(stream, backend, 0), "pass");
  assert.equal(stream.cookieRequest + stream.cookieResponse, "UN");
  assert.equal(stream.response.has("set-cookie"), false);
  assert.equal(calls, 1);
});

test("a backend without cookies leaves heads and flags alone", () => {
  const backend = makeBackend({ a: {} });
  const stream = makeStream(backend, { headers: [["cookie", "SRV = A"]] });
  assert.equal(applyRequestCookie(stream, backend, 0), null);
  assert.equal(stream.request?.firstValue("cookie"), "SRV = A");
  assert.equal(stream.cookieRequest, "-");
});

test("interim responses are not treated, a switch of protocols is", () => {
  const backend = makeBackend({ a: { cookie: "A" } }, { settings: { cookie: cookieSettings({}) } });
  const stream = makeStream(backend);
  stream.server = backend.servers[0]!;
  for (const [status, isTreated] of [
    [103, false],
    [101, true],
  ] as const) {
    stream.response = new MessageHead();
    stream.response.startResponse(status, "");
    applyResponseCookie(stream, backend, 0);
    assert.equal(stream.response.has("set-cookie"), isTreated);
  }
  assert.equal(
    describeCheckcacheDenial(stream, backend),
    "Blocking cacheable cookie in response from instance be, server a.",
  );
});
