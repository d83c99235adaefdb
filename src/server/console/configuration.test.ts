// Portal and proxy with certificates as Windows exports them, and rights that the file gives.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { findCommand, requires } from "../../../test/requirements.ts";
import { makeSelfSigned } from "../certificates/self-signed.ts";
import { loadDatacenter } from "../datacenter/load-datacenter.ts";
import { readConsoleConfiguration } from "./configuration.ts";
import { ConsoleWorld } from "./console.fixture.ts";
import { setPassword } from "./users.ts";

function writePfx(path: string, name: string, password: string, how: readonly string[]): void {
  const { certificatePem, keyPem } = makeSelfSigned([name, "127.0.0.1"], Date.now());
  writeFileSync(`${path}.pem`, certificatePem + keyPem);
  const words = ["pkcs12", "-export", "-in", `${path}.pem`, "-out", path, "-passout", `pass:${password}`];
  execFileSync(findCommand("openssl")!, [...words, ...how]);
}

function configurationOf(
  world: ConsoleWorld,
  more: string,
  passwords: Readonly<Record<string, string>> = {},
) {
  const path = join(world.folder, "datacenter.yaml");
  writeFileSync(
    path,
    `datacenter: d
networks: {lan: {subnet: 10.0.0.0/24}}
machines: {web: {network: lan, address: 10.0.0.5}}
consoles:
  backends: {web: {serial: "unix:${join(world.folder, "serial")}"}}
${more}`,
  );
  const { datacenter } = loadDatacenter(path, {});
  const passwordFor = (file: string) => passwords[file.slice(file.lastIndexOf("/") + 1)] ?? null;
  return readConsoleConfiguration(datacenter!, path, new Map(), { passwordFor, environment: {} });
}

async function worldOf(t: TestContext): Promise<ConsoleWorld> {
  const world = new ConsoleWorld();
  t.after(() => world.close());
  await world.backend("serial", (socket) => socket.write("login: "));
  return world;
}

/** The name in the certificate that is shown. */
async function shownAt(origin: string, ca: string | null): Promise<string> {
  const { port } = new URL(origin);
  const trust = ca === null ? { rejectUnauthorized: false } : { ca };
  const socket = connect({ port: Number(port), host: "127.0.0.1", ...trust });
  await once(socket, "secureConnect");
  const { subjectaltname = "" } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname;
}

test("portal and proxy show each their own PFX, of the newer and of the older kind, and consoles go over it", {
  skip: requires("openssl"),
}, async (t) => {
  const world = await worldOf(t);
  writePfx(join(world.folder, "portal.pfx"), "portal.company.com", "sesame", ["-legacy"]);
  writePfx(join(world.folder, "console.pfx"), "consoles.company.com", "Grüße", []);
  const { configuration, diagnostics } = configurationOf(
    world,
    `  portal: {address: "127.0.0.1:1", certificate: portal.pfx}
  proxy: {address: "127.0.0.1:2", certificate: console.pfx}
`,
    { "portal.pfx": "sesame", "console.pfx": "Grüße" },
  );
  assert.deepEqual(diagnostics, []);
  const anyPort = { port: 0 };
  await world.start(
    { web: configuration!.machines.get("web")! },
    { proxy: { ...configuration!.proxy, ...anyPort }, portal: { ...configuration!.portal!, ...anyPort } },
  );
  const { certificatePem } = configuration!.proxy.certificates[0]!;
  assert.match(await shownAt(world.server.portalOrigin!, null), /portal\.company\.com/);
  assert.match(await shownAt(world.server.origin, certificatePem), /consoles\.company\.com/);
  const client = await world.connect(world.ticket(), { ca: certificatePem });
  await client.untilText("login: ");
});

test("a PFX whose password nobody knows is told of, by name of the endpoint's file", {
  skip: requires("openssl"),
}, async (t) => {
  const world = await worldOf(t);
  writePfx(join(world.folder, "console.pfx"), "consoles.company.com", "sesame", []);
  const proxy = '  proxy: {address: "127.0.0.1:2", certificate: console.pfx}\n';
  for (const passwords of [{}, { "console.pfx": "wrong" }]) {
    const { configuration, diagnostics } = configurationOf(world, proxy, passwords);
    assert.equal(configuration, null);
    assert.match(diagnostics[0]!.message, /console\.pfx/);
  }
});

test("a user with rights who cannot log in is told of, unless a sign-on proxy knows more", async (t) => {
  const world = await worldOf(t);
  const { certificatePem, keyPem } = makeSelfSigned(["127.0.0.1"], Date.now());
  writeFileSync(join(world.folder, "console.pem"), certificatePem + keyPem);
  await setPassword(join(world.folder, "users"), "anna", "right");
  const more = `  proxy: {address: "127.0.0.1:2", certificate: console.pem}
  users: users
  rights: {anna: {open: "*"}, ana: {look: web}, "*": {look: web}}
`;
  const { configuration, diagnostics } = configurationOf(world, more);
  assert.deepEqual(
    diagnostics.map(({ code, severity, help }) => [code, severity, help]),
    [["console-right-unknown-user", "warning", "Did you mean `anna`?"]],
  );
  assert.equal(configuration!.rights!.length, 3);
  const signOn = "  sign-on: {header: x-user, from: 10.0.0.0/24}\n";
  assert.deepEqual(configurationOf(world, more + signOn).diagnostics, []);
});
