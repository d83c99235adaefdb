import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { makeSelfSigned } from "../certificates/self-signed.ts";
import { setPassword } from "../console/users.ts";
import { startDashboard } from "./dashboard.fixture.ts";

test("by TLS it answers to the names of its certificate, and its cookie is for TLS only", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-dashboard-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const { certificatePem, keyPem } = makeSelfSigned(["lb.company.com"]);
  const certificateFile = join(folder, "lb.pem");
  writeFileSync(certificateFile, certificatePem + keyPem);
  const usersFile = join(folder, "users");
  await setPassword(usersFile, "anna", "correct horse", "admin");
  // On every address, as a machine's own dashboard would be.
  const { dashboard, port } = await startDashboard(t, { address: "0.0.0.0:0", certificateFile, usersFile });
  assert.match(dashboard.origin!, /^https:/);
  const logIn = (host: string, origin?: string) =>
    new Promise<{ status: number; cookie: string }>((resolve, reject) => {
      const asked = request(
        {
          host: "127.0.0.1",
          port,
          path: "/api/v1/session",
          method: "POST",
          headers: { host, "content-type": "application/json", ...(origin === undefined ? {} : { origin }) },
          ca: certificatePem,
          servername: "lb.company.com",
          agent: false,
        },
        (response) => {
          response.resume();
          resolve({ status: response.statusCode!, cookie: String(response.headers["set-cookie"]) });
        },
      );
      asked.on("error", reject);
      asked.end(JSON.stringify({ user: "anna", password: "correct horse" }));
    });
  const good = await logIn("lb.company.com", "https://lb.company.com");
  assert.equal(good.status, 200);
  assert.match(good.cookie, /^__Host-sallyport-\d+=.*; Path=\/;.*; HttpOnly; SameSite=Strict; Secure$/);
  assert.equal((await logIn("lb.company.com", "http://lb.company.com")).status, 403);
  assert.equal((await logIn("other.company.com")).status, 421);
  assert.equal((await logIn(`127.0.0.1:${port}`)).status, 200);
});

test("a new certificate is shown from the next handshake on, and a bad one is refused by words", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-dashboard-renewal-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const certificateFile = join(folder, "lb.pem");
  const put = (name: string, nowMs = Date.now()) => {
    const { certificatePem, keyPem } = makeSelfSigned([name], nowMs);
    writeFileSync(certificateFile, certificatePem + keyPem);
    return { certificatePem, keyPem };
  };
  const first = put("old.company.com");
  const { dashboard, port, reports } = await startDashboard(t, { address: "localhost:0", certificateFile });
  const shown = async (servername: string) => {
    const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  const open = connect({ port, host: "127.0.0.1", servername: "old.company.com", rejectUnauthorized: false });
  await once(open, "secureConnect");
  assert.equal(dashboard.renewCertificate(), null, "the same one is no news");
  assert.deepEqual(reports, []);

  const second = put("new.company.com");
  assert.equal(dashboard.renewCertificate(), null);
  assert.match(reports.at(-1)!, /^the dashboard has a new certificate, good until 20\d\d-\d\d-\d\d$/);
  for (const name of ["new.company.com", "old.company.com"])
    assert.equal(await shown(name), "new.company.com");
  // Who is connected stays, and is called by the names of today.
  open.write("GET /api/v1/overview HTTP/1.1\r\nhost: old.company.com\r\n\r\n");
  assert.match(String((await once(open, "data"))[0]), /^HTTP\/1\.1 421 /);
  open.destroy();

  const bad: readonly (readonly [write: () => void, said: RegExp])[] = [
    [() => rmSync(certificateFile), /lb\.pem/],
    [() => writeFileSync(certificateFile, "nonsense"), /lb\.pem/],
    [() => writeFileSync(certificateFile, second.certificatePem), /key/],
    [() => writeFileSync(certificateFile, second.certificatePem + first.keyPem), /key/],
    [() => put("late.company.com", Date.now() - 10 * 365 * 86_400_000), /expired/],
  ];
  for (const [write, said] of bad) {
    write();
    const refused = dashboard.renewCertificate()!;
    assert.match(refused, /^the dashboard goes on with its old certificate: /);
    assert.match(refused, said);
    assert.equal(await shown("new.company.com"), "new.company.com");
  }
  put("good.company.com");
  assert.equal(dashboard.renewCertificate(), null);
  assert.equal(await shown("any.company.com"), "good.company.com");
});
