import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseAddress, wishesOf } from "./choose-address.ts";

const CANDIDATES = ["192.0.2.1", "10.0.0.1", "2001:db8::1", "fd00::1"].map((address) => ({
  family: address.includes(":") ? (6 as const) : (4 as const),
  address,
}));

function choose(
  settings: Partial<Parameters<typeof wishesOf>[0]>,
  present = "",
  taken: readonly string[] = [],
  candidates = CANDIDATES,
): string | null {
  const wishes = wishesOf({ family: 4, networks: [], allowsDuplicates: false, ...settings });
  return chooseAddress(candidates, wishes, present, (address) => taken.includes(address));
}

test("the family comes before the network, the network before what a server has now", () => {
  assert.equal(choose({}), "192.0.2.1");
  assert.equal(choose({ family: 6 }), "2001:db8::1");
  assert.equal(choose({ networks: ["10.0.0.0/8"] }), "10.0.0.1");
  assert.equal(choose({ networks: ["10.0.0.0/8"] }, "192.0.2.1"), "10.0.0.1");
  assert.equal(choose({ family: 6, networks: ["10.0.0.0/8", "fd00::/8"] }), "fd00::1");
  assert.equal(choose({ family: 4, networks: ["fd00::/8"] }), "192.0.2.1");
});

test("what a server has stays as long as it is as good as any", () => {
  assert.equal(choose({}, "10.0.0.1"), "10.0.0.1");
  assert.equal(choose({ family: 6 }, "10.0.0.1"), "2001:db8::1");
});

test("what a sibling has is taken only by who may, and last", () => {
  assert.equal(choose({}, "", ["192.0.2.1"]), "10.0.0.1");
  assert.equal(choose({}, "", ["192.0.2.1", "10.0.0.1"]), "2001:db8::1");
  const all = CANDIDATES.map(({ address }) => address);
  assert.equal(choose({}, "", all), null);
  assert.equal(choose({ allowsDuplicates: true }, "", all), "192.0.2.1");
  assert.equal(choose({ allowsDuplicates: true }, "", ["192.0.2.1"]), "10.0.0.1");
});

test("nothing to choose from is nothing", () => {
  assert.equal(choose({}, "192.0.2.1", [], []), null);
});
