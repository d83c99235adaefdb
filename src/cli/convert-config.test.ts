import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { convertConfig } from "./convert-config.ts";
import { recordedTerminal, World } from "./program.fixture.ts";

const world = new World();
after(() => world.close());

const OLD = `frontend in
  mode http
  bind :8080 # stays
  reqadd X-Forwarded-Proto:\\ https
  default_backend out
`;
const MODERN = OLD.replace(
  "reqadd X-Forwarded-Proto:\\ https",
  "http-request add-header X-Forwarded-Proto https",
);

async function call(...args: string[]) {
  const terminal = recordedTerminal();
  const code = await convertConfig(args, terminal);
  return { code, output: terminal.output, complaints: terminal.complaints };
}

test("the modern text goes to standard output and the file stays", async () => {
  const path = world.path("a.cfg");
  writeFileSync(path, OLD);
  assert.deepEqual(await world.run(["convert", "config", path]), { code: 0, output: MODERN, complaints: "" });
  assert.equal(readFileSync(path, "utf8"), OLD);
});

test("--output writes another file", async () => {
  const path = world.path("b.cfg");
  writeFileSync(path, OLD);
  const { code, output } = await call(path, "--output", world.path("c.cfg"));
  assert.deepEqual([code, output], [0, ""]);
  assert.equal(readFileSync(world.path("c.cfg"), "utf8"), MODERN);
});

test("--in-place keeps the old file beside it, with the rights that it had", async () => {
  const path = world.path("d.cfg");
  writeFileSync(path, OLD);
  chmodSync(path, 0o640);
  assert.equal((await call("--in-place", path)).code, 0);
  assert.equal(readFileSync(path, "utf8"), MODERN);
  assert.equal(readFileSync(`${path}.bak`, "utf8"), OLD);
  assert.equal(statSync(path).mode & 0o777, 0o640);
});

test("--in-place leaves a file alone that is modern already", async () => {
  const path = world.path("e.cfg");
  writeFileSync(path, MODERN);
  const before = statSync(path).ino;
  assert.equal((await call("--in-place", path)).code, 0);
  assert.equal(statSync(path).ino, before);
  assert.equal(existsSync(`${path}.bak`), false);
});

test("what cannot be written or read is one clear error", async () => {
  const path = world.path("f.cfg");
  writeFileSync(path, OLD);
  const unwritable = await call(path, "--output", world.path("no/such/place"));
  assert.equal(unwritable.code, 1);
  assert.match(unwritable.complaints, /^error: cannot write .*no\/such\/place/);
  const unreadable = await call(world.path("nothing.cfg"));
  assert.equal(unreadable.code, 1);
  assert.match(unreadable.complaints, /there is no file/);
});

test("options that contradict each other are refused", async () => {
  assert.match((await call("--in-place", "-o", "x", "y")).complaints, /not both/);
  assert.match((await call("--in-place", "-")).complaints, /standard input/);
  assert.match((await call("-o", "x", "y", "z")).complaints, /for one file/);
});
