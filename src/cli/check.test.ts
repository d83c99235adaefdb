import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { World } from "./program.fixture.ts";

const PUBLISHED = fileURLToPath(new URL("../../examples/published-with-mistakes.cfg", import.meta.url));
const world = new World();
after(() => world.close());

const GOOD = `defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
frontend in
  bind 127.0.0.1:8080
  default_backend out
backend out
  server one 127.0.0.1:8081
`;

test("the published text gets all its faults named in one run, and exit code 1", async () => {
  const { code, output } = await world.run(["check", "--json", PUBLISHED]);
  assert.equal(code, 1);
  const found = (
    JSON.parse(output) as { severity: string; code: string; line: number; column: number }[]
  ).map(({ severity, code: name, line, column }) => `${severity} ${name} ${line}:${column}`);
  for (const expected of [
    "warning obsolete-keyword 3:3",
    "error bad-address 10:18",
    "error missing-space 11:17",
    "error bad-address 11:17",
    "error bad-address 12:18",
  ])
    assert.ok(found.includes(expected), `${expected} in ${found.join(", ")}`);
  assert.equal(found.filter((text) => text.startsWith("error")).length, 4);
});

test("faults are shown with their line and a caret, and the last line counts them", async () => {
  const { code, output, complaints } = await world.run(["check", PUBLISHED]);
  assert.deepEqual([code, complaints], [1, ""]);
  assert.match(
    output,
    / 11 \| {3}server WEB-002192\.168\.x\.2:80 cookie B check\n {5}\| {17}\^\n {2}help: server WEB-002 192\.168\.x\.2:80 cookie B check\n/,
  );
  assert.match(output, /published-with-mistakes\.cfg: 4 errors and \d warnings\n$/);
});

test("a good file is called so, in text and in JSON", async () => {
  writeFileSync(world.path("good.cfg"), GOOD);
  const text = await world.run(["check", world.path("good.cfg")]);
  assert.deepEqual(text, { code: 0, output: `${world.path("good.cfg")}: no errors\n`, complaints: "" });
  const json = await world.run(["check", world.path("good.cfg"), "--json"]);
  assert.deepEqual(json, { code: 0, output: "[]\n", complaints: "" });
});

test("a warning leaves the exit code 0", async () => {
  writeFileSync(
    world.path("old.cfg"),
    GOOD.replace("  default_backend", "  reqidel ^X-Old:\n  default_backend"),
  );
  const { code, output } = await world.run(["check", world.path("old.cfg")]);
  assert.equal(code, 0);
  assert.match(output, /old\.cfg: 1 warning\n$/);
});

const OLD = GOOD.replace(
  "  default_backend",
  "  reqadd X-Note:\\ one\n  reqidel ^X-Old: # theirs\n  default_backend",
);
const OF_TODAY = GOOD.replace(
  "  default_backend",
  "  http-request del-header X-Old # theirs\n  http-request add-header X-Note one\n  default_backend",
);

test("a dry run shows what lines would become, and changes nothing", async () => {
  const file = world.path("dry.cfg");
  writeFileSync(file, OLD);
  const { code, output } = await world.run(["check", "--dry-run", "--fix", file]);
  assert.equal(code, 0);
  assert.ok(
    output.includes("-   reqadd X-Note:\\ one\n+   http-request del-header X-Old # theirs\n"),
    output,
  );
  assert.match(output, /check --fix .*dry\.cfg mends 2 of them\.\n/);
  assert.equal(readFileSync(file, "utf8"), OLD);
});

test("old words become those of today in the order in which they were done, and the rest stays", async () => {
  const file = world.path("fix.cfg");
  writeFileSync(file, OLD);
  const { code, output } = await world.run(["check", "--fix", file]);
  assert.equal(code, 0);
  assert.match(
    output,
    /^fixed .*fix\.cfg:8: `reqadd`.*\nfixed .*fix\.cfg:9: `reqidel`.*\n\n.*: no errors\n$/,
  );
  assert.equal(readFileSync(file, "utf8"), OF_TODAY);
  const json = await world.run(["check", "--fix", "--json", file]);
  assert.equal(json.output, "[]\n");
});

test("standard input is not mended", async () => {
  const { code, complaints } = await world.run(["check", "--fix", "-"]);
  assert.equal(code, 1);
  assert.match(complaints, /standard input cannot be mended/);
});

test("a missing file, certificate and trust are each one clear error", async () => {
  const missing = await world.run(["check", world.path("nothing.cfg")]);
  assert.equal(missing.code, 1);
  assert.ok(missing.output.includes(`there is no file '${world.path("nothing.cfg")}'`), missing.output);
  const crt = world.path("nothing.pem");
  writeFileSync(world.path("tls.cfg"), GOOD.replace(":8080", `:8080 ssl crt ${crt}`));
  const { code, output } = await world.run(["check", world.path("tls.cfg")]);
  assert.equal(code, 1);
  assert.ok(output.includes(`tls.cfg:7:`) && output.includes(crt), output);
  assert.match(output, /: 1 error\n$/);
});

test("colour is on a terminal only, unless it is forced", async () => {
  const { output } = await world.run(["check", PUBLISHED], { NO_COLOR: "", FORCE_COLOR: "1" });
  assert.ok(output.includes("\x1b[1;31merror\x1b[0m"));
});
