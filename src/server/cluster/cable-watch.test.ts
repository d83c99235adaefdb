import assert from "node:assert/strict";
import { test } from "node:test";
import { carrierIn } from "./cable-watch.ts";

test("what ip monitor says of a device is read, and nothing of others", () => {
  const rest = "mtu 1500 qdisc noqueue state UP group default \\    link/ether 02:bf:c0:a8:1e:32";
  assert.equal(carrierIn(`2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> ${rest}`, "eth0"), true);
  assert.equal(carrierIn(`2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> ${rest}`, "eth0"), true);
  assert.equal(carrierIn(`2: eth0@if5: <NO-CARRIER,BROADCAST,MULTICAST,UP> ${rest}`, "eth0"), false);
  assert.equal(carrierIn(`Deleted 2: eth0@NONE: <BROADCAST,MULTICAST,UP,LOWER_UP> ${rest}`, "eth0"), false);
  for (const other of ["", "x", `3: eth01: <UP,LOWER_UP> ${rest}`, `4: lo: <LOOPBACK,UP,LOWER_UP> ${rest}`])
    assert.equal(carrierIn(other, "eth0"), null, other);
});
