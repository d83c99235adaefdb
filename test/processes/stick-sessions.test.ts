// Clients of TLS that passes through stay with the server that knows their session: the key is the session's
// number, which the server gives and the client shows when it comes back. The oldest use of stick tables.
import assert from "node:assert/strict";
import { constants } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect, createServer, type Server } from "node:tls";
import { makeSelfSigned } from "../../src/server/certificates/self-signed.ts";
import { freePort } from "../free-port.ts";
import { askSocket, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

function configurationOf(socket: string, port: number, servers: readonly number[]): string {
  return `
global
  stats socket ${socket} level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend f
  bind 127.0.0.1:${port}
  default_backend https
backend https
  balance roundrobin
  stick-table type binary len 32 size 30k expire 30m
  acl clienthello req_ssl_hello_type 1
  acl serverhello rep_ssl_hello_type 2
  tcp-request inspect-delay 5s
  tcp-request content accept if clienthello
  tcp-response inspect-delay 5s
  tcp-response content accept if serverhello
  stick on payload_lv(43,1) if clienthello
  stick store-response payload_lv(43,1) if serverhello
${servers.map((server, i) => `  server s${i} 127.0.0.1:${server}`).join("\n")}
`;
}

test("a client of TLS that passes through comes back to the server that knows its session", async () => {
  using directory = new TestDirectory();
  const servers = [await startServer(), await startServer()];
  const port = await freePort();
  const socket = directory.file("admin.sock");
  const file = directory.file("x.cfg", configurationOf(socket, port, servers.map(portOf)));
  await using sallyport = await RunningSallyport.start(file, { workers: 2 });
  try {
    for (let client = 0; client < 4; client++) {
      const { session } = await visit(port, undefined);
      // Each server knows its own sessions only: one that goes on has met the server of the first time.
      for (let i = 0; i < 3; i++) assert.equal((await visit(port, session)).isReused, true);
    }
    const table = () => askSocket(socket, "show table https");
    await sallyport.until(async () => !/use=[1-9]/.test(await table()), "nobody is there any more");
    const entries = (await table()).match(
      /key=[0-9A-F]{64} use=0 exp=\d+ server_id=[12] server_key=s[01]$/gm,
    );
    assert.equal(entries?.length, 4);
  } finally {
    for (const server of servers) server.close();
  }
});

async function startServer(): Promise<Server> {
  const { certificatePem, keyPem } = makeSelfSigned();
  const server = createServer({
    cert: certificatePem,
    key: keyPem,
    maxVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  // Node keeps no sessions by itself.
  const sessions = new Map<string, Buffer>();
  server.on("newSession", (id, data, done) => {
    sessions.set(id.toString("hex"), data);
    done();
  });
  server.on("resumeSession", (id, done) => done(null, sessions.get(id.toString("hex"))));
  server.on("secureConnection", (peer) => peer.on("error", () => {}).end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function visit(
  port: number,
  session: Buffer | undefined,
): Promise<{ readonly session: Buffer | undefined; readonly isReused: boolean }> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    maxVersion: "TLSv1.2",
    ...(session === undefined ? {} : { session }),
  });
  await once(socket, "secureConnect");
  const result = { session: socket.getSession(), isReused: socket.isSessionReused() };
  socket.resume();
  await once(socket, "close");
  return result;
}
