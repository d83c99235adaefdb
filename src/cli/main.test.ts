import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { findCommand, requires } from "../../test/requirements.ts";
import { COMMANDS } from "./commands.ts";
import { runCommandLine } from "./main.ts";
import { LAUNCHER, recordedTerminal, World } from "./program.fixture.ts";

const world = new World();
after(() => world.close());

async function call(...args: string[]) {
  const terminal = recordedTerminal();
  const code = await runCommandLine(args, terminal);
  return { code, output: terminal.output, complaints: terminal.complaints };
}

test("--version says which program this is and whose language it reads, in one line", async () => {
  const { code, output, complaints } = await world.run(["--version"]);
  assert.match(output, /^Sallyport version \d+\.\d+\.\d+\S* - reads haproxy\.cfg as HAProxy 2\.6\n$/);
  assert.deepEqual([code, complaints], [0, ""]);
});

test("help names every command, and nothing at all is a fault", async () => {
  const { code, output } = await call("help");
  assert.equal(code, 0);
  for (const { synopsis } of COMMANDS) assert.ok(output.includes(`sallyport ${synopsis}`), synopsis);
  const silent = await world.run([]);
  assert.deepEqual([silent.code, silent.output, silent.complaints], [1, "", output]);
});

test("every command has help with its usage, an example and its exit codes", async () => {
  for (const { name } of COMMANDS) {
    const { code, output } = await call(name, "--help");
    assert.equal(code, 0, name);
    assert.match(output, new RegExp(`^Usage: sallyport ${name}`), name);
    assert.match(output, /Exit codes: 0/, name);
    assert.deepEqual(await call("help", name), { code, output, complaints: "" });
  }
});

test("a mistyped command is answered with the nearest one", async () => {
  const { code, complaints } = await call("chekc");
  assert.equal(code, 1);
  assert.equal(complaints, "error: there is no command chekc\n  Did you mean `check`?\n");
});

test("a mistyped option is answered with the nearest one", async () => {
  const { code, complaints } = await call("check", "--jsn", "x.cfg");
  assert.equal(code, 1);
  assert.equal(complaints, "error: there is no option --jsn\n  Did you mean `--json`?\n");
});

test("no command takes words that mean nothing to it", async () => {
  for (const args of [
    ["reload", "x"],
    ["status", "x"],
    ["demo", "x"],
    ["run"],
    ["check"],
    ["convert", "x"],
  ]) {
    const { code, output, complaints } = await call(...args);
    assert.deepEqual([code, output], [1, ""], args.join(" "));
    assert.match(complaints, /^error: /, args.join(" "));
  }
});

test("a reader that has gone ends the program quietly", { skip: requires("bash") }, async () => {
  // The pipe's reader has ended for certain before the program begins to write.
  const script = 'exec 3> >(exec true); wait $!; exec "$0" help >&3';
  const { stderr } = spawnSync(findCommand("bash")!, ["-c", script, LAUNCHER], { encoding: "utf8" });
  assert.equal(stderr, "");
});
