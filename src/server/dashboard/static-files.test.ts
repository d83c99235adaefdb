import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { startDashboard } from "./dashboard.fixture.ts";

function buildPage(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-assets-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>page</title>");
  writeFileSync(join(folder, "assets/app-1a2b.js"), "console.log(1);".repeat(100));
  writeFileSync(join(folder, "assets/app-1a2b.js.br"), "made by the build");
  writeFileSync(join(folder, "secret.pem"), "key");
  return folder;
}

function bytesOf(port: number, path: string, coding: string): Promise<{ coding: string; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { host: "localhost", "accept-encoding": coding };
    const asked = request({ host: "127.0.0.1", port, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        resolve({ coding: String(response.headers["content-encoding"]), bytes: Buffer.concat(parts) }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

test("pages of the application are its one page, under a policy that lets nothing from elsewhere in", async (t) => {
  const { ask } = await startDashboard(t, { assetsDirectory: buildPage(t) });
  for (const path of ["/", "/servers", "/explain?from=a", "/requests/7"]) {
    const { status, text, headers } = await ask(path);
    assert.deepEqual([status, headers["cache-control"]], [200, "no-cache"], path);
    assert.match(text, /<title>page/);
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|http|\*/);
  }
  assert.equal((await ask("/", { method: "HEAD" })).text, "");
});

test("files with a hash in their name are kept for good, and what is not there is no page", async (t) => {
  const { ask } = await startDashboard(t, { assetsDirectory: buildPage(t) });
  assert.match(String((await ask("/assets/app-1a2b.js")).headers["cache-control"]), /immutable/);
  for (const path of [
    "/assets/app-0000.js",
    "/assets/nothing",
    "/secret.pem",
    "/../secret.pem",
    "/%2e%2e/secret.pem",
    "/x.js",
  ])
    assert.equal((await ask(path)).status, 404, path);
});

test("a browser gets the smallest form that it takes: the build's, or one that is made", async (t) => {
  const { port } = await startDashboard(t, { assetsDirectory: buildPage(t) });
  const built = await bytesOf(port, "/assets/app-1a2b.js", "gzip, deflate, br");
  assert.deepEqual([built.coding, built.bytes.toString()], ["br", "made by the build"]);
  const made = await bytesOf(port, "/assets/app-1a2b.js", "gzip, br;q=0");
  assert.deepEqual([made.coding, gunzipSync(made.bytes).length], ["gzip", 1500]);
  const page = await bytesOf(port, "/", "br");
  assert.match(brotliDecompressSync(page.bytes).toString(), /page/);
  assert.equal((await bytesOf(port, "/", "")).coding, "undefined");
});

test("a page that is not built says how it is, and the API answers", async (t) => {
  const { ask } = await startDashboard(t, { assetsDirectory: "/nowhere" });
  assert.match((await ask("/")).text, /npm run build/);
  assert.equal((await ask("/api/v1/overview")).status, 200);
});
