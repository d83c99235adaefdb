import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeOwnDirectory, removeAbandonedDirectories } from "./own-directory.ts";

async function inPlace(use: (place: string) => Promise<void>): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), "own-directory-"));
  try {
    await use(place);
  } finally {
    rmSync(place, { recursive: true });
  }
}

test("the directory is in the first place that takes it, for its user only", () =>
  inPlace(async (place) => {
    const made = makeOwnDirectory([join(place, "none"), place]);
    assert.ok(made.ok);
    assert.equal(statSync(made.value).mode & 0o777, 0o700);
    assert.ok(made.value.startsWith(join(place, "sallyport-")));
  }));

test("without any place there is one sentence", () =>
  inPlace(async (place) => {
    const made = makeOwnDirectory([join(place, "none"), join(place, "neither")]);
    assert.ok(!made.ok);
    assert.match(made.error, /^there is no place for the memory that workers share: .*ENOENT/);
  }));

test("what a dead master left is removed; what lives, begins or is something else stays", () =>
  inPlace(async (place) => {
    const path = (name: string) => {
      mkdirSync(join(place, name));
      return join(place, name);
    };
    const [own, alive, dead, beginning, other] = [
      path("sallyport-own"),
      path("sallyport-alive"),
      path("sallyport-dead"),
      path("sallyport-beginning"),
      path("another"),
    ] as const;
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(join(alive, "control"), resolve));
    // A file that nobody listens on refuses, as the socket of a process does that was killed.
    for (const directory of [dead, other]) writeFileSync(join(directory, "control"), "");
    await removeAbandonedDirectories(own);
    assert.equal(existsSync(dead), false);
    for (const directory of [own, alive, beginning, other]) assert.ok(existsSync(directory), directory);
    await new Promise((resolve) => server.close(resolve));
  }));
