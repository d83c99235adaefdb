import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findCommand, requires } from "../../test/requirements.ts";
import { makeSelfSigned } from "../server/certificates/self-signed.ts";
import { loadConfiguration } from "../server/prepare.ts";
import { World } from "./program.fixture.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const BROKEN = "published-with-mistakes.cfg";
const files = readdirSync(EXAMPLES).filter((name) => name.endsWith(".cfg") && name !== BROKEN);
const world = new World();
const environment = { ...process.env, CERTIFICATES: world.folder };

before(() => {
  const { certificatePem, keyPem } = makeSelfSigned(["company.com"]);
  for (const name of ["company.com.pem", "intranet.company.com.pem"])
    writeFileSync(world.path(name), certificatePem + keyPem);
});
after(() => world.close());

test("there are examples, and each says what it is for", () => {
  assert.ok(files.length >= 6);
  for (const name of files) assert.match(readFileSync(join(EXAMPLES, name), "utf8"), /^# [A-Z]/, name);
});

test("every example is accepted without a warning", () => {
  for (const name of files) {
    const { diagnostics, loaded } = loadConfiguration([join(EXAMPLES, name)], { environment });
    assert.deepEqual(diagnostics, [], name);
    assert.notEqual(loaded, null, name);
  }
});

test("HAProxy accepts every example too", { skip: requires("haproxy") }, () => {
  for (const name of files) {
    const args = ["-c", "-f", join(EXAMPLES, name)];
    const { status, stdout, stderr } = spawnSync(findCommand("haproxy")!, args, {
      env: environment,
      encoding: "utf8",
    });
    assert.equal(stdout, "Configuration file is valid\n", `${name}: ${stderr}`);
    assert.equal(status, 0, name);
  }
});

test("the unit file starts the program in the foreground and names commands that exist", () => {
  const unit = readFileSync(join(EXAMPLES, "sallyport.service"), "utf8");
  assert.match(unit, /^Type=notify-reload$/m);
  assert.match(unit, /^ExecStart=\/usr\/bin\/sallyport run /m);
});
