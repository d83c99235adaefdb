// Clusters on virtual time with seeded faults: what holds at every moment, and what holds once it is quiet.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../src/base/ip.ts";
import type { SharedSettings } from "../src/network/cluster/agreement.ts";
import { BUCKET_COUNT, type SharedRule, slotCount, slotOwners } from "../src/network/cluster/shares.ts";
import { ClusterWorld, SETTLE_MS } from "./cluster-world.ts";

const ROUNDS = 40;

function settingsOf(weights: readonly number[], digest = "a"): SharedSettings {
  const members = weights.map((_, index) => index + 1);
  const listed = (values: readonly number[]) => values.map((value, index) => ({ member: index + 1, value }));
  const rules: SharedRule[] = [
    { name: "web", kind: "multiple", members: listed(weights) },
    { name: "other", kind: "single", members: listed(members) },
  ];
  return { cluster: "10.0.0.50" as Ip, members, rules, digest };
}

/** How many slots of a rule each member has; fails unless each has exactly one owner. */
function sharesIn(world: ClusterWorld, rule: SharedRule, words: string): Map<number, number> {
  const shares = new Map<number, number>();
  for (let slot = 0; slot < slotCount(rule); slot++) {
    const holders = world.holdersOf(rule, slot);
    assert.equal(holders.length, 1, `${words}: ${rule.name} ${slot} has [${holders.join()}]`);
    shares.set(holders[0]!, (shares.get(holders[0]!) ?? 0) + 1);
  }
  return shares;
}

function assertSettled(world: ClusterWorld, settings: SharedSettings, words: string): void {
  const active = [...world.nodes.values()].filter(({ isAlive, wish }) => isAlive && wish === "run");
  const members = new Set(active.map(({ member }) => member));
  for (const { core } of active) assert.equal(core.status(world.now).state, "converged", words);
  for (const rule of settings.rules) {
    const shares = sharesIn(world, rule, words);
    if (rule.kind === "single") continue;
    const sum = rule.members.reduce((all, { member, value }) => all + (members.has(member) ? value : 0), 0);
    for (const { member, value } of rule.members) {
      const due = members.has(member) ? (BUCKET_COUNT * value) / sum : 0;
      const has = shares.get(member) ?? 0;
      assert.ok(Math.abs(has - due) <= 2, `${words}: ${member} has ${has} buckets of ${due}`);
    }
  }
}

function randomWorld(seed: number): { world: ClusterWorld; settings: SharedSettings } {
  const world = new ClusterWorld(seed);
  const count = 2 + Math.floor(world.random() * 5);
  const weights = Array.from({ length: count }, () => 10 + Math.floor(world.random() * 90));
  const settings = settingsOf(weights);
  for (const member of settings.members) {
    world.start(member, settings);
    world.run(Math.floor(world.random() * 700));
  }
  return { world, settings };
}

test("three members that start together share at once, by weight", () => {
  const world = new ClusterWorld(1);
  const settings = settingsOf([50, 50, 100]);
  for (const member of settings.members) world.start(member, settings);
  world.run(500);
  const shares = sharesIn(world, settings.rules[0]!, "half a second");
  assert.deepEqual(
    [...shares],
    [
      [1, 15],
      [2, 15],
      [3, 30],
    ],
  );
});

test("a member that dies is replaced within six seconds, and nothing else moves", () => {
  for (let seed = 0; seed < ROUNDS; seed++) {
    const { world, settings } = randomWorld(seed);
    world.run(SETTLE_MS + Math.floor(world.random() * 1000));
    const [web] = settings.rules;
    const ownersNow = () => Array.from({ length: BUCKET_COUNT }, (_, slot) => world.holdersOf(web!, slot)[0]);
    const before = ownersNow();
    const dead = settings.members[Math.floor(world.random() * settings.members.length)]!;
    world.kill(dead);
    world.run(6000);
    assertSettled(world, settings, `seed ${seed}`);
    const after = ownersNow();
    for (const [slot, owner] of before.entries())
      if (owner !== dead) assert.equal(after[slot], owner, `seed ${seed}: bucket ${slot} moved`);
    assert.deepEqual(world.overlaps, [], `seed ${seed}`);
  }
});

test("under loss, delay, restarts, pauses and drains no slot ever has two owners, and each has one in the end", () => {
  for (let seed = 1000; seed < 1000 + ROUNDS; seed++) {
    const { world, settings } = randomWorld(seed);
    world.faults = { loss: world.random() * 0.4, delayMaxMs: 1 + Math.floor(world.random() * 300) };
    for (let event = 0; event < 12; event++) {
      const node = world.nodes.get(settings.members[Math.floor(world.random() * settings.members.length)]!)!;
      const what = world.random();
      if (!node.isAlive) world.start(node.member, settings);
      else if (what < 0.2) world.kill(node.member);
      else if (what < 0.3) world.leave(node.member);
      else if (what < 0.5) world.pause(node.member, Math.floor(world.random() * 12_000));
      else if (what < 0.6) world.start(node.member, settings);
      else world.setWish(node.member, node.wish === "run" ? (what < 0.8 ? "drain" : "stop") : "run");
      world.run(Math.floor(world.random() ** 3 * 9000));
    }
    for (const node of world.nodes.values()) {
      if (!node.isAlive) world.start(node.member, settings);
      if (node.wish !== "run" && node.member === 1) world.setWish(node.member, "run");
    }
    world.run(2 * SETTLE_MS);
    assertSettled(world, settings, `seed ${seed}`);
    assert.deepEqual(world.overlaps, [], `seed ${seed}`);
  }
});

test("two halves that do not hear each other each take everything, and share again when they do", () => {
  for (let seed = 2000; seed < 2000 + ROUNDS; seed++) {
    const { world, settings } = randomWorld(seed);
    world.run(SETTLE_MS);
    world.hears = (to, from) => (to === 1) === (from === 1);
    world.run(SETTLE_MS);
    for (let slot = 0; slot < BUCKET_COUNT; slot++)
      assert.equal(world.holdersOf(settings.rules[0]!, slot).length, 2, `seed ${seed}`);
    world.hears = () => true;
    world.run(SETTLE_MS);
    world.overlaps.length = 0;
    assertSettled(world, settings, `seed ${seed}`);
    world.run(SETTLE_MS);
    assert.deepEqual(world.overlaps, [], `seed ${seed}`);
  }
});

test("a member that nobody hears, though it hears the others, leaves its share to them", () => {
  for (let seed = 3000; seed < 3000 + ROUNDS; seed++) {
    const { world, settings } = randomWorld(seed);
    world.run(SETTLE_MS);
    world.hears = (_to, from) => from !== 1;
    world.run(SETTLE_MS);
    assert.equal(sharesIn(world, settings.rules[0]!, `seed ${seed}`).get(1), undefined, `seed ${seed}`);
    world.hears = () => true;
    world.run(SETTLE_MS);
    assertSettled(world, settings, `seed ${seed}`);
  }
});

test("new weights count when all have them; until then everybody keeps what they have", () => {
  const world = new ClusterWorld(7);
  const [old, next] = [settingsOf([50, 50, 100]), settingsOf([100, 50, 50], "b")];
  for (const member of old.members) world.start(member, old);
  world.run(SETTLE_MS);
  world.setSettings(1, next);
  world.setSettings(2, next);
  world.run(SETTLE_MS);
  assert.deepEqual(
    [...sharesIn(world, old.rules[0]!, "two of three")],
    [
      [1, 15],
      [2, 15],
      [3, 30],
    ],
  );
  assert.ok(
    world.nodes
      .get(3)!
      .core.status(world.now)
      .peers.every(({ hasOtherRules }) => hasOtherRules),
  );
  world.setSettings(3, next);
  world.run(500);
  assert.deepEqual(
    [...sharesIn(world, next.rules[0]!, "all")],
    [
      [1, 30],
      [2, 15],
      [3, 15],
    ],
  );
  assert.deepEqual(world.overlaps, []);
});

test("a rule that says something else about its ports begins anew, and passes from nobody to one", () => {
  const world = new ClusterWorld(8);
  const old = settingsOf([50, 50, 100]);
  const [web, other] = old.rules;
  const next = { ...old, rules: [{ ...web!, kind: "single" } as const, other!], digest: "b" };
  for (const member of old.members) world.start(member, old);
  world.run(SETTLE_MS);
  for (const member of old.members) {
    world.setSettings(member, next);
    assert.equal(world.nodes.get(member)!.core.status(world.now).held.get("web"), undefined);
  }
  world.run(500);
  assert.deepEqual(world.holdersOf(next.rules[0]!, 0).length, 1);
});

test("a drained member hands over within moments; one that stops, at once", () => {
  const world = new ClusterWorld(9);
  const settings = settingsOf([50, 50, 100]);
  for (const member of settings.members) world.start(member, settings);
  world.run(SETTLE_MS);
  world.setWish(3, "drain");
  world.run(300);
  assert.deepEqual(
    [...sharesIn(world, settings.rules[0]!, "drained")],
    [
      [1, 30],
      [2, 30],
    ],
  );
  assert.equal(world.nodes.get(3)!.core.status(world.now).state, "drained");
  world.setWish(1, "stop");
  assert.equal(world.nodes.get(1)!.core.status(world.now).held.size, 0);
  world.run(300);
  assert.deepEqual([...sharesIn(world, settings.rules[0]!, "stopped")], [[2, 60]]);
  world.setWish(1, "run");
  world.setWish(3, "run");
  world.run(300);
  assertSettled(world, settings, "back");
  assert.deepEqual(world.overlaps, []);
});

test("one that ends in order is replaced without waiting", () => {
  const world = new ClusterWorld(11);
  const settings = settingsOf([50, 50, 100]);
  for (const member of settings.members) world.start(member, settings);
  world.run(SETTLE_MS);
  world.leave(2);
  world.run(300);
  assertSettled(world, settings, "left");
  assert.deepEqual(world.overlaps, []);
});

test("of several that are away the shares are still whole, and those who are there keep their homes", () => {
  const rule = settingsOf([10, 20, 30, 40, 0]).rules[0]!;
  const homes = slotOwners(rule, new Set([1, 2, 3, 4, 5]));
  for (let mask = 1; mask < 16; mask++) {
    const active = new Set([1, 2, 3, 4].filter((member) => (mask & (1 << (member - 1))) !== 0));
    const owners = slotOwners(rule, active);
    for (const [slot, owner] of owners.entries()) {
      assert.ok(owner !== null && active.has(owner));
      if (active.has(homes[slot]!)) assert.equal(owner, homes[slot]);
    }
  }
  assert.ok(
    slotOwners(rule, new Set([5])).every((owner) => owner === null),
    "a weight of 0 takes nothing",
  );
});

test("while somebody is heard who is not believed nothing moves, and once he is quiet the lost one is replaced", () => {
  const world = new ClusterWorld(7);
  const settings = settingsOf([50, 50, 100]);
  for (const member of settings.members) world.start(member, settings);
  world.run(SETTLE_MS);
  const [web] = settings.rules;
  const before = sharesIn(world, web!, "before");
  // The third has another key now: it goes on, and the others cannot tell it from a thief.
  world.hears = (to, from) => to === 3 || from !== 3;
  for (let second = 0; second < 20; second++) {
    for (const member of [1, 2]) world.nodes.get(member)!.core.receiveStranger(3, world.now);
    world.run(1000);
    assert.deepEqual(sharesIn(world, web!, `second ${second}`), before);
  }
  assert.deepEqual(world.nodes.get(1)!.core.status(world.now).strangers, [3]);
  world.kill(3);
  world.run(SETTLE_MS);
  assert.deepEqual(world.overlaps, []);
  assert.deepEqual(
    [...sharesIn(world, web!, "after").keys()].sort((a, b) => a - b),
    [1, 2],
  );
});
