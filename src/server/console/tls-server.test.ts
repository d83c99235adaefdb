import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect } from "node:tls";
import { makeSelfSigned } from "../certificates/self-signed.ts";
import { createTlsServer, listen, originOf } from "./tls-server.ts";

const certificateFor = (name: string) => ({ name, ...makeSelfSigned([name], Date.now()) });

test("each name is shown its certificate, and who asks for another the first", async (t) => {
  const certificates = [certificateFor("consoles.company.com"), certificateFor("*.company.org")];
  const endpoint = { ip: "127.0.0.1", port: 0, certificates, public: null };
  const server = createTlsServer(endpoint);
  t.after(() => server.close());
  await listen(server, endpoint);
  const { port } = server.address() as AddressInfo;
  for (const [servername, expected] of [
    ["consoles.company.com", "consoles.company.com"],
    ["portal.company.org", "*.company.org"],
    ["other.example", "consoles.company.com"],
  ] as const) {
    const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    assert.equal(socket.getPeerCertificate().subject.CN, expected);
    socket.destroy();
  }
});

test("an origin is as browsers write it", () => {
  const origin = (ip: string, port: number, outside: string | null = null) =>
    originOf({ ip, port, public: outside });
  assert.equal(origin("203.0.113.11", 443), "https://203.0.113.11");
  assert.equal(origin("2001:db8::1", 8443), "https://[2001:db8::1]:8443");
  assert.equal(origin("10.0.0.1", 8443, "Consoles.company.com:443"), "https://consoles.company.com");
});
