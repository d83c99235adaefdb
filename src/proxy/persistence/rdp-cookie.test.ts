import assert from "node:assert/strict";
import { test } from "node:test";
import { stageOf, streamOn } from "../../../test/proxy-stage.ts";
import { CELL, SERVER_STATE } from "../state.ts";
import { serverOfRdpCookie } from "./rdp-cookie.ts";

function chosen(cookie: string, line = "persist rdp-cookie", isDown = false): string | null {
  const stage = stageOf(`defaults
  mode tcp
  timeout client 5s
  timeout server 5s
  timeout connect 5s
listen desktops
  bind 127.0.0.1:3389
  ${line}
  server one 10.0.0.1:3389
  server two 10.0.0.2:3389
  server three 192.0.2.200:3390
`);
  const stream = streamOn(stage);
  const backend = stage.runtime.backends[0]!;
  if (isDown)
    for (const { slot } of backend.servers)
      stage.runtime.state.write(slot, CELL.operational, SERVER_STATE.down);
  // TPKT, COTP and the start of the connection request.
  const head = Buffer.from([3, 0, 0, 40, 35, 0xe0, 0, 0, 0, 0, 0]);
  stream.content = Buffer.concat([head, Buffer.from(`${cookie}\r\n`, "latin1")]);
  return serverOfRdpCookie(stream, backend)?.name ?? null;
}

test("the cookie of a session broker leads to the server that it names", () => {
  assert.equal(chosen("Cookie: msts=16777226.15629.0000"), "one");
  assert.equal(chosen("cookie: MSTS=33554442.15629.0000"), "two");
  assert.equal(chosen("Cookie: msts=3355574464.15885.0000"), "three");
  assert.equal(chosen("Cookie: farm=16777226.15629.0000", "persist rdp-cookie(farm)"), "one");
});

test("a cookie of another name, of another place, or that is none leads nowhere", () => {
  for (const cookie of [
    "Cookie: mstshash=alice",
    "Cookie: msts=16777226.15630.0000",
    "Cookie: msts=16777226",
    "Cookie: msts=99999999999.15629.0000",
    "Cookie: msts=16777226.99999.0000",
    "Cookie: msts=",
    "nothing",
  ])
    assert.equal(chosen(cookie), null, cookie);
  assert.equal(chosen("Cookie: msts=16777226.15629.0000", "balance roundrobin"), null);
});

test("a server that is down is passed over, unless `option persist` insists on it", () => {
  assert.equal(chosen("Cookie: msts=16777226.15629.0000", "persist rdp-cookie", true), null);
  assert.equal(
    chosen("Cookie: msts=16777226.15629.0000", "persist rdp-cookie\n  option persist", true),
    "one",
  );
});
