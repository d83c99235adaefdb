import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestRecord } from "../../../src/model/dashboard-api.ts";
import { fieldsOfHead, presetsOf } from "./request-presets.ts";

const record = (id: number, target: string, more: object = {}) =>
  ({
    id,
    client: "198.51.100.7:4000",
    frontend: "web",
    isTls: true,
    http: { method: "GET", target, host: "company.com:8443", status: 200, ...more },
  }) as unknown as RequestRecord;

test("each kind of request is there once, the newest of it", () => {
  const requests = [
    record(9, "/a?x=2"),
    record(8, "/a?x=1"),
    record(7, "/a", { status: 503 }),
    record(6, "/b"),
  ];
  const presets = presetsOf(requests);
  assert.deepEqual(
    presets.map(({ id }) => id),
    [9, 7, 6],
  );
  assert.deepEqual(presets[0], {
    id: 9,
    label: "GET company.com:8443/a?x=2 · 200",
    url: "https://company.com:8443/a?x=2",
    method: "GET",
    from: "198.51.100.7",
  });
});

test("connections without a request, and requests to no name, are none of them", () => {
  const tcp = { ...record(1, "/"), http: null };
  assert.deepEqual(presetsOf([tcp, record(2, "/", { host: "" })]), []);
  assert.equal(presetsOf([{ ...record(3, "/"), client: "[2001:db8::1]:4000" }])[0]!.from, "2001:db8::1");
});

test("of a head goes into the fields what was kept of it", () => {
  const head = [
    ["host", "company.com"],
    ["cookie", "SERVERID=A"],
    ["authorization", "…"],
    ["accept", "*/*"],
  ] as const;
  assert.deepEqual(fieldsOfHead(head), { cookie: "SERVERID=A", headers: "accept: */*" });
});
