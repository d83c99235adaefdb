import assert from "node:assert/strict";
import { test } from "node:test";
import { type DashboardSettings, readPlaces } from "./settings.ts";

function placesOf(address: string, more: Partial<DashboardSettings> = {}) {
  return readPlaces({
    address,
    certificateFile: null,
    usersFile: null,
    signOn: null,
    names: [],
    auditFile: null,
    datacenterFile: null,
    isDemo: false,
    ...more,
  });
}

test("a port alone and localhost are both addresses of loopback", () => {
  for (const address of ["8404", "localhost:8404"]) {
    const places = placesOf(address);
    assert.deepEqual(places.ok && places.places.map(({ host }) => host), ["127.0.0.1", "::1"]);
    assert.equal(places.ok && places.isLoopback, true);
  }
  assert.equal(placesOf("127.0.0.2:8404").ok, true);
  assert.equal(placesOf("[::1]:8404").ok, true);
});

test("anywhere else it takes TLS and a login, and the refusal says which is missing", () => {
  const bare = placesOf("192.0.2.1:8404");
  assert.match(bare.ok ? "" : bare.message, /has not TLS and a login/);
  const half = placesOf("0.0.0.0:8404", { certificateFile: "a.pem" });
  assert.match(half.ok ? "" : half.message, /has not a login/);
  assert.equal(placesOf("[::]:8404", { usersFile: "users" }).ok, false);
  const signOn = { header: "x-remote-user", from: [] };
  assert.equal(placesOf("192.0.2.1:8404", { certificateFile: "a.pem", signOn }).ok, true);
  assert.equal(placesOf("[2001:db8::1]:8404", { certificateFile: "a.pem", usersFile: "users" }).ok, true);
});

test("a name for others takes a login, also where it is reached through a proxy on this machine", () => {
  const named = placesOf("localhost:8404", { names: ["lb.company.com"] });
  assert.match(named.ok ? "" : named.message, /would answer as lb\.company\.com/);
  assert.equal(placesOf("localhost:8404", { names: ["lb.company.com"], usersFile: "users" }).ok, true);
});

test("what is no address is refused", () => {
  for (const address of [
    "",
    "here",
    "here:80",
    "1.2.3:80",
    "127.0.0.1",
    "127.0.0.1:70000",
    "::1:80",
    "[x]:80",
  ])
    assert.equal(placesOf(address).ok, false, address);
});
