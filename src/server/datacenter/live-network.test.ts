import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readProxyFiles } from "../proxy-files.ts";
import { missingCertificates } from "./live-network.ts";

test("certificates that a load balancer's file names and nobody has made are told, wherever one stands", () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-live-"));
  try {
    const path = join(folder, "x.cfg");
    const bind = (port: number, name: string) => ` bind 127.0.0.1:${port} ssl crt ${name}\n`;
    const binds = bind(1, "there.pem") + bind(2, "bundle.pem") + bind(3, "gone.pem");
    writeFileSync(path, `frontend f\n mode http\n timeout client 1s\n${binds}`);
    for (const name of ["there.pem", "bundle.pem.rsa"]) writeFileSync(join(folder, name), "");
    const { configuration } = readProxyFiles([path], {});
    assert.deepEqual(missingCertificates({ edge: "org", path, configuration }), [
      `the load balancer of org will not serve: there is no gone.pem (${path}:6)`,
    ]);
    assert.deepEqual(missingCertificates({ edge: "org", path, configuration: null }), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
