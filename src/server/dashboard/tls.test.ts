import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
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
