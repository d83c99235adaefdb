// Certificates, authorities and lists of certificates that change at run time, in all workers, in HAProxy's
// words and beside a real HAProxy.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { connect } from "node:tls";
import { createTestAuthority } from "../../src/io/test-certificates.ts";
import { startHaproxy } from "../../src/proxy/balance/haproxy.fixture.ts";
import { toPem } from "../../src/server/certificates/read-certificate.ts";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { Load } from "./load.ts";
import { Origin } from "./origin.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const authority = createTestAuthority("Test Authority");
const issue = (commonName: string) => authority.issue({ commonName, names: [commonName, "shared.example"] });
const first = issue("first.example");
const second = issue("second.example");
const listed = issue("listed.example");
const client = issue("client.example");

function writeFiles(directory: string): void {
  writeFileSync(`${directory}/site.pem`, toPem(first));
  writeFileSync(`${directory}/listed.pem`, toPem(listed));
  writeFileSync(`${directory}/ca.pem`, authority.certificatePem);
  writeFileSync(
    `${directory}/list`,
    `site.pem\nlisted.pem [alpn http/1.1] *.list !no.list\nlisted.pem twice\n`,
  );
}

const configuration = (directory: string, listener: string, port: number) => `
global
  stats socket ${directory}/admin.sock level admin
  crt-base ${directory}
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen web
  bind ${listener} ssl crt-list ${directory}/list ca-file ${directory}/ca.pem verify optional
  server origin 127.0.0.1:${port}
`;

/** The common name that is shown for a server name, on a connection of its own. */
function shown(port: number, servername: string, own?: typeof client): Promise<string> {
  const identity = own === undefined ? {} : { cert: own.certificatePem, key: own.keyPem };
  const options = { port, host: "127.0.0.1", servername, rejectUnauthorized: false, ...identity };
  return new Promise((resolve) => {
    const socket = connect(options, () => {
      const name = String(socket.getPeerCertificate().subject.CN);
      // A client's certificate is judged after its own handshake is done: the answer tells.
      socket.write("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
      socket.once("data", () => {
        resolve(name);
        socket.destroy();
      });
    });
    socket.once("error", () => resolve("refused"));
    socket.once("close", () => resolve("refused"));
  });
}

async function shownByAll(port: number, servername: string, own?: typeof client): Promise<string> {
  const names = new Set<string>();
  for (let i = 0; i < 6; i++) names.add(await shown(port, servername, own));
  return [...names].join(" ");
}

const payload = (command: string, pem: string) => `${command} <<\n${pem.trim()}\n`;

for (const engine of ENGINES) {
  describe(`certificates at run time on the ${engine} engine`, () => {
    test("they are replaced in all workers without a connection lost, until a reload", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("origin");
      const port = await freePort();
      writeFiles(directory.path);
      const file = directory.file("x.cfg", configuration(directory.path, `127.0.0.1:${port}`, origin.port));
      await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
      const command = (line: string) => askSocket(directory.file("admin.sock"), line);
      const load = new Load([{ port, isTls: true, keepsAlive: true, count: 2 }], { mayRetryKept: true });
      const site = directory.file("site.pem");
      assert.equal(await shownByAll(port, "first.example"), "first.example");
      assert.equal(await shownByAll(port, "a.list"), "listed.example");
      assert.equal(await shownByAll(port, "no.list"), "first.example");
      assert.match(await command(payload(`set ssl cert ${site}`, toPem(second))), /^Transaction created/);
      assert.equal(await shownByAll(port, "second.example"), "first.example");
      assert.match(await command(`commit ssl cert ${site}`), /^Committing .*\.\nSuccess!\n/);
      assert.equal(await shownByAll(port, "second.example"), "second.example");
      await command("new ssl cert added");
      await command(payload("set ssl cert added", toPem(first)));
      await command("commit ssl cert added");
      const line = payload(
        `add ssl crt-list ${directory.file("list")}`,
        `${directory.file("added")} new.example`,
      );
      assert.match(await command(line), /'.*added' does not exist!/);
      assert.equal(await shownByAll(port, "a.list", client), "listed.example");
      await command(payload("new ssl crl-file revoked", ""));
      const crl = authority.revoke([client]);
      await command(payload("set ssl crl-file revoked", crl));
      await command("commit ssl crl-file revoked");
      const strict = payload(
        `add ssl crt-list ${directory.file("list")}`,
        `${site} [crl-file revoked] strict.example`,
      );
      assert.match(await command(strict), /^Inserting certificate .*\nSuccess!/);
      assert.equal(await shownByAll(port, "strict.example"), "second.example");
      assert.equal(await shownByAll(port, "strict.example", client), "refused");
      await sallyport.reloadBySignal();
      assert.equal(await shownByAll(port, "second.example"), "first.example");
      assert.equal(await command("show ssl crl-file"), "# filename\n\n");
      await load.stop();
      assert.deepEqual(load.failures, []);
    });
  });
}

test("every command is answered as HAProxy answers it", { skip: requires("haproxy") }, async () => {
  using directory = new TestDirectory();
  using other = new TestDirectory();
  const port = await freePort();
  for (const { path } of [directory, other]) writeFiles(path);
  const listener = (path: string) => `unix@${path}/web.sock`;
  const file = directory.file("haproxy.cfg", configuration(directory.path, listener(directory.path), port));
  await using _ours = await RunningSallyport.start(file, { engine: "portable", workers: 1 });
  const theirs = await startHaproxy(other.path, configuration("DIRECTORY", "unix@DIRECTORY/web.sock", port), [
    "admin.sock",
  ]);
  try {
    for (const command of COMMANDS) {
      // HAProxy writes the zero byte that ends its list of protocols.
      const ask = async (at: string) =>
        (await askSocket(`${at}/admin.sock`, command.replaceAll("DIR", at)))
          .replaceAll(at, "DIR")
          .replaceAll("\0", "");
      assert.equal(await ask(directory.path), await ask(other.path), command);
    }
  } finally {
    await theirs.dispose();
  }
});

const CRL = authority.revoke([client]);
const COMMANDS: readonly string[] = [
  "show ssl cert",
  "show ssl cert DIR/site.pem",
  "show ssl cert nope",
  "new ssl cert",
  "new ssl cert n",
  "new ssl cert n",
  "show ssl cert n",
  "set ssl cert",
  "set ssl cert n",
  payload("set ssl cert nope", "foo"),
  payload("set ssl cert n", "foo"),
  "commit ssl cert",
  "commit ssl cert n",
  "abort ssl cert",
  "abort ssl cert n",
  payload("set ssl cert n", second.certificatePem),
  "show ssl cert",
  "show ssl cert *n",
  "commit ssl cert n",
  "abort ssl cert other",
  "abort ssl cert n",
  payload("set ssl cert DIR/site.pem", toPem(second)),
  payload("set ssl cert DIR/site.pem", toPem(second)),
  "commit ssl cert DIR/site.pem",
  "show ssl cert DIR/site.pem",
  "del ssl cert",
  "del ssl cert nope",
  "del ssl cert DIR/site.pem",
  "del ssl cert n",
  "show ssl crt-list",
  "show ssl crt-list DIR/list",
  "show ssl crt-list nope",
  "add ssl crt-list",
  "add ssl crt-list nope n",
  "add ssl crt-list DIR/list nope",
  payload("add ssl crt-list DIR/list", "DIR/listed.pem [ca-file /nowhere] a"),
  payload("add ssl crt-list DIR/list", "DIR/listed.pem [foo bar] a"),
  payload("add ssl crt-list DIR/list//", "DIR/listed.pem [verify none] added.example"),
  "del ssl crt-list",
  "del ssl crt-list nope n",
  "del ssl crt-list DIR/list nope",
  "del ssl crt-list DIR/list DIR/listed.pem:3",
  "del ssl crt-list DIR/list DIR/site.pem",
  ...[
    { kind: "ca-file", pem: authority.certificatePem },
    { kind: "crl-file", pem: CRL },
  ].flatMap(({ kind, pem }) => [
    `new ssl ${kind}`,
    `new ssl ${kind} ${kind}.n`,
    `new ssl ${kind} ${kind}.n`,
    `set ssl ${kind}`,
    payload(`set ssl ${kind} nope`, "foo"),
    payload(`set ssl ${kind} ${kind}.n`, "foo"),
    payload(`set ssl ${kind} ${kind}.n`, pem),
    `show ssl ${kind} *${kind}.n`,
    `show ssl ${kind} *${kind}.n:1`,
    `commit ssl ${kind} other`,
    `abort ssl ${kind} other`,
    `abort ssl ${kind}`,
    payload(`set ssl ${kind} ${kind}.n`, pem),
    `commit ssl ${kind} ${kind}.n`,
    `commit ssl ${kind} ${kind}.n`,
    `show ssl ${kind} ${kind}.n`,
    `del ssl ${kind}`,
    `del ssl ${kind} ${kind}.n`,
    `del ssl ${kind} ${kind}.n`,
  ]),
  "show ssl ca-file DIR/ca.pem",
  "del ssl ca-file DIR/ca.pem",
];
