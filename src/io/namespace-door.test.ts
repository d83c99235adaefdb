import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { openNamespaceDoor } from "./namespace-door.ts";

const door = openNamespaceDoor();
const skip = door === null ? "no foreign functions here" : process.getuid?.() === 0 ? false : "needs root";
const OWN = "/proc/thread-self/ns/net";
const GET_LINKS = 18;
const NEW_LINK = 16;

test("a new namespace has its loopback device and nothing else, and one is back afterwards", { skip }, () => {
  const before = readlinkSync(OWN);
  const found = door!.withinNew((ask) => {
    return { place: readlinkSync(OWN), links: ask(0, GET_LINKS, "everything", new Uint8Array(16)) };
  });
  assert.notEqual(found!.place, before);
  assert.ok(Array.isArray(found!.links));
  assert.equal(found!.links.length, 1);
  assert.equal(readlinkSync(OWN), before);
});

test("what is thrown inside comes out, outside", { skip }, () => {
  const before = readlinkSync(OWN);
  assert.throws(() => {
    door!.withinNew(() => {
      throw new Error("thrown inside");
    });
  }, /thrown inside/);
  assert.equal(readlinkSync(OWN), before);
});

test("a namespace that is not there, and a file that is none, let nobody in", { skip }, () => {
  assert.equal(
    door!.within("/nonexistent", () => 1),
    null,
  );
  assert.equal(
    door!.within("/etc/passwd", () => 1),
    null,
  );
});

test("what the kernel refuses is told by its number", { skip }, () => {
  const EINVAL = 22;
  const outcome = door!.withinNew((ask) => ask(0, NEW_LINK, "new", new Uint8Array(3)));
  assert.equal(outcome, EINVAL);
});
