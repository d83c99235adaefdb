// A reload while somebody looks: certificates, machines and rights become others, and his session lives on.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect } from "node:tls";
import { parseSubnet } from "../../base/ip.ts";
import { makeSelfSigned } from "../certificates/self-signed.ts";
import { CERTIFICATE, ConsoleWorld, ENDPOINT } from "./console.fixture.ts";
import type { ConsoleRenewal, ReadEndpoint } from "./console-server.ts";

const echo = (socket: Socket) => {
  socket.write("login: ");
  socket.pipe(socket);
};
const LOOPBACK = parseSubnet("127.0.0.1/32")!.subnet;
const LIMITS = { idleMs: 0, sessionMs: 0 };

function endpointOf(name: string, nowMs: number = Date.now()): ReadEndpoint {
  return { ...ENDPOINT, certificates: [{ name, ...makeSelfSigned([name], nowMs) }], diagnostics: [] };
}

/** Whose certificate is shown there now. */
async function shownAt(origin: string): Promise<string> {
  const port = Number(new URL(origin).port);
  const tcp = connectTcp({ port, host: "127.0.0.1" });
  const socket = connect({ socket: tcp, servername: "any.company.com", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

async function served(t: TestContext): Promise<{ world: ConsoleWorld; now: ConsoleRenewal }> {
  const world = new ConsoleWorld();
  t.after(() => world.close());
  const serial = await world.backend("serial", echo);
  const login = { usersFile: null, signOn: { header: "x-user", from: [LOOPBACK] }, rights: null };
  await world.start({ web: { serial } }, { portal: { ...ENDPOINT, ...login } });
  const same: ReadEndpoint = { ...ENDPOINT, diagnostics: [] };
  const machines = new Map([["web", { vnc: null, serial }]]);
  return { world, now: { machines, limits: LIMITS, proxy: same, portal: { ...same, ...login } } };
}

test("new certificates are shown from the next handshake on, and an open console goes on", async (t) => {
  const { world, now } = await served(t);
  const { server } = world;
  const open = await world.connect(world.ticket());
  await open.untilText("login: ");
  assert.deepEqual(server.reload(now), [], "the same ones are no news");

  const said = server.reload({
    ...now,
    proxy: endpointOf("consoles.company.com"),
    portal: { ...now.portal!, ...endpointOf("portal.company.com") },
  });
  assert.equal(said.length, 2);
  assert.match(said[0]!, /^the console proxy has a new certificate, good until 20\d\d-\d\d-\d\d$/);
  assert.match(said[1]!, /^the portal has a new certificate, good until 20/);
  assert.equal(await shownAt(server.origin), "consoles.company.com");
  assert.equal(await shownAt(server.portalOrigin!), "portal.company.com");
  open.send("root");
  await open.untilText("login: root");
});

test("a certificate that browsers would refuse, or that has another's key, leaves the old one there", async (t) => {
  const { world, now } = await served(t);
  const { server } = world;
  const expired: ReadEndpoint = {
    ...endpointOf("late.company.com"),
    diagnostics: [
      {
        ...{ code: "certificate-expired", severity: "warning", message: "it expired", help: null },
        span: { file: "late.pem", line: 0, column: 0, endColumn: 0 },
        related: [],
      },
    ],
  };
  const foreignKey = makeSelfSigned(["other.company.com"], Date.now());
  const mixed = { name: "mixed", certificatePem: CERTIFICATE.certificatePem, keyPem: foreignKey.keyPem };
  for (const proxy of [expired, { ...endpointOf("mixed"), certificates: [mixed] }]) {
    const [refused, ...more] = server.reload({ ...now, proxy });
    assert.match(refused!, /^the console proxy goes on with its old certificate: /);
    assert.deepEqual(more, []);
    assert.equal(await shownAt(server.origin), "localhost");
  }
});

test("machines and rights become others with it, addresses do not", async (t) => {
  const { world, now } = await served(t);
  const { server } = world;
  const kept = await world.connect(world.ticket());
  await kept.untilText("login: ");
  const askPortal = () =>
    new Promise<number>((resolve, reject) => {
      const { origin, port } = new URL(server.portalOrigin!);
      const asked = request(
        {
          ...{ host: "127.0.0.1", port, path: "/", method: "POST", agent: false },
          headers: { origin, "x-user": "anna", "x-forwarded-for": "127.0.0.1" },
          ca: CERTIFICATE.certificatePem,
        },
        (response) => {
          response.resume();
          resolve(response.statusCode!);
        },
      );
      asked.on("error", reject);
      asked.end("machine=web&kind=serial");
    });
  assert.equal(await askPortal(), 303);
  const machines = new Map([["db", now.machines.get("web")!]]);
  const moved = server.reload({
    ...now,
    machines,
    proxy: { ...now.proxy, public: "consoles.company.com:8443" },
    portal: { ...now.portal!, rights: [] },
  });
  assert.deepEqual(moved, [`the console proxy stays at ${server.origin}: another address needs a start`]);
  assert.equal(await askPortal(), 403);
  assert.match(await (await world.connect(world.ticket())).head, /^HTTP\/1\.1 403/);
  assert.match(await (await world.connect(world.ticket({ machine: "db" }))).head, /^HTTP\/1\.1 101/);
  assert.equal(server.list().length, 2, "who looks at a machine that has left the file goes on");
});
