import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { requires } from "../../test/requirements.ts";
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

test("what changes while it is told is asked for again", {
  skip: skip || requires("unshare", "nft"),
}, async () => {
  const change = "add table ip a; delete table ip a";
  const words = [
    "--net",
    "sh",
    "-c",
    `nft add table ip stays; echo ready; yes '${change}' | nft -i >/dev/null`,
  ];
  const changer = spawn("unshare", words, { stdio: ["ignore", "pipe", "ignore"], detached: true });
  try {
    await once(changer.stdout, "data");
    const [NETFILTER, GET_TABLES, ASKED] = [12, 0x0a01, 5000];
    const answers = door!.within(`/proc/${changer.pid}/ns/net`, (ask) =>
      Array.from({ length: ASKED }, () => ask(NETFILTER, GET_TABLES, "everything", new Uint8Array(4))),
    );
    assert.deepEqual(
      answers!.filter((answer) => typeof answer === "number"),
      [],
    );
    assert.ok(answers!.every((answer) => Array.isArray(answer) && answer.length >= 1 && answer.length <= 2));
  } finally {
    process.kill(-changer.pid!, "SIGKILL");
  }
});
