import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { makeSelfSigned } from "../server/certificates/self-signed.ts";
import { World } from "./program.fixture.ts";

function fileOf(world: World, rest = ""): string {
  const { certificatePem, keyPem } = makeSelfSigned(["127.0.0.1"], Date.now());
  writeFileSync(world.path("console.pem"), certificatePem + keyPem);
  const file = world.path("datacenter.yaml");
  writeFileSync(
    file,
    `datacenter: d
networks: {org: {subnet: 192.168.10.0/24}}
machines: {web: {network: org, address: 192.168.10.11}}
consoles:
  proxy: {address: "203.0.113.11:443", certificate: console.pem, public: "consoles.company.com:443"}
  backends: {web: {serial: "unix:/run/nobody"}}
${rest}`,
  );
  return file;
}

test("what a console command lacks is said, with what to write", async (t) => {
  const world = new World();
  t.after(() => world.close());
  const file = fileOf(world);
  const complaintOf = async (...words: string[]) => {
    const { code, complaints } = await world.run(["console", ...words]);
    assert.equal(code, 1);
    return complaints;
  };
  assert.match(await complaintOf("sreve"), /Did you mean/i);
  assert.match(await complaintOf("open", file, "wep"), /web/);
  assert.match(await complaintOf("open", file, "web"), /--client/);
  assert.match(await complaintOf("list", file), /consoles\.sock/);
  assert.match(await complaintOf("user", file, "anna"), /users/);
  writeFileSync(file, readFileSync(file, "utf8").replace("web: {serial", "wep: {serial"));
  assert.match(await complaintOf("serve", file), /unknown-machine/);
  writeFileSync(world.path("empty.yaml"), "datacenter: d\n");
  assert.match(await complaintOf("serve", world.path("empty.yaml")), /consoles-absent/);
});

test("a ticket is for the name that browsers see; the key is made, rotated and nobody else's", async (t) => {
  const world = new World();
  t.after(() => world.close());
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  const port = typeof address === "object" ? address?.port : 0;
  const file = fileOf(world);
  writeFileSync(file, readFileSync(file, "utf8").replace("203.0.113.11:443", `127.0.0.1:${port}`));
  const serving = world.start(["console", "serve", file]);
  await serving.saw(/consoles: https:\/\/consoles\.company\.com\n/);
  const { output } = await world.run([
    "console",
    "open",
    file,
    "web",
    "--client",
    "192.0.2.1",
    "--view-only",
  ]);
  assert.match(output, /^https:\/\/consoles\.company\.com\/serial\?view-only#[\w-]+\.[\w-]+\n$/);
  const before = readFileSync(world.path("consoles.key"), "utf8");
  assert.equal((await world.run(["console", "rotate", file])).code, 0);
  const keys = readFileSync(world.path("consoles.key"), "utf8");
  assert.ok(keys.endsWith(before) && keys.length === 2 * before.length);
  assert.match((await world.run(["console", "list", file])).output, /nobody looks/);
  assert.equal((await world.run(["console", "kick", file, "web"])).code, 1);
  serving.signal("SIGTERM");
  assert.equal((await serving.ended).code, 0);
});
