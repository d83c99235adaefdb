import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { freePort } from "../../test/free-port.ts";
import { requires } from "../../test/requirements.ts";
import { encodeFrame, OPCODE_BINARY } from "../protocol/websocket/frame.ts";
import { makeSelfSigned } from "../server/certificates/self-signed.ts";
import { upgradeRequest } from "../server/console/console.fixture.ts";
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
  const port = await freePort();
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

test("a renewed certificate is taken by a reload, PEM and PFX; who looks goes on, and a bad one changes nothing", {
  skip: requires("openssl"),
}, async (t) => {
  const world = new World();
  t.after(() => world.close());
  const port = await freePort();
  const serial = createServer((socket) => {
    socket.write("login: ");
    socket.pipe(socket);
  });
  t.after(() => serial.close());
  serial.listen(world.path("serial"));
  const file = fileOf(world);
  const put = (from: string, to: string) => writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
  put("203.0.113.11:443", `127.0.0.1:${port}`);
  put(', public: "consoles.company.com:443"', "");
  put("/run/nobody", world.path("serial"));
  const serving = world.start(["console", "serve", file]);
  await serving.saw(/consoles: https:/);
  const dial = async () => {
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    return socket;
  };
  const shown = async () => {
    const socket = await dial();
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  const reload = () => world.run(["console", "reload", file]);
  const putPem = (name: string) => {
    const { certificatePem, keyPem } = makeSelfSigned([name], Date.now());
    writeFileSync(world.path("console.pem"), certificatePem + keyPem);
  };
  const { output: url } = await world.run(["console", "open", file, "web", "--serial"]);
  const open = await dial();
  open.write(upgradeRequest(`https://127.0.0.1:${port}`, url.trim().split("#")[1]!));
  let heard = "";
  open.on("data", (bytes: Buffer) => {
    heard += bytes.toString("latin1");
  });
  const hears = async (text: string) => {
    while (!heard.includes(text)) await once(open, "data");
  };
  await hears("login: ");

  putPem("second.company.com");
  assert.match(
    (await reload()).output,
    /^the console proxy has a new certificate, good until 20\S+\nreloaded\n$/,
  );
  assert.equal(await shown(), "second.company.com");
  writeFileSync(world.path("console.pem"), "nonsense");
  const refused = await reload();
  assert.equal(refused.code, 1);
  assert.match(refused.complaints, /console\.pem[\s\S]*not reloaded: the old configuration goes on\n$/);
  assert.equal(await shown(), "second.company.com");

  putPem("third.company.com");
  const words = ["pkcs12", "-export", "-in", world.path("console.pem"), "-out", world.path("console.pfx")];
  execFileSync("openssl", [...words, "-passout", "pass:sesame"]);
  writeFileSync(world.path("console.pfx.password"), "sesame\n");
  put("console.pem", "console.pfx");
  put("consoles:\n", "consoles:\n  audit: elsewhere.log\n");
  serving.signal("SIGHUP");
  await serving.saw(/until 20\S+\nkey, audit log and control socket stay where they are: .*\nreloaded\n/);
  assert.equal(await shown(), "third.company.com");
  open.write(encodeFrame(OPCODE_BINARY, Buffer.from("root"), Buffer.alloc(4)));
  await hears("root");
  assert.match((await world.run(["console", "list", file])).output, / web {2}serial /);
  open.destroy();
});
