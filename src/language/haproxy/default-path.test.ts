// Where files are looked for, with HAProxy itself as the judge.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { requires } from "../../../test/requirements.ts";
import { type ReadResult, readConfiguration } from "./reader.ts";

const ERROR_FILE = "HTTP/1.0 503 Service Unavailable\r\n\r\nsorry";
const REST = `defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
backend b
  errorfile 503 files/503
  acl known path -f files/paths
  http-request deny if known
`;
/** What is written behind `default-path`, and where the files are then, beside the working directory. */
const PLACES: readonly (readonly [string, string])[] = [
  ["current", "."],
  ["config", "etc/lb"],
  ["parent", "etc"],
  ["origin elsewhere", "elsewhere"],
];

function read(files: Readonly<Record<string, string>>, known: ReadonlySet<string>): ReadResult {
  const sources = Object.entries(files).map(([name, text]) => ({ name, text }));
  return readConfiguration(sources, {
    variables: {},
    hostname: "h",
    cpuCount: 1,
    readFile: (name) => (known.has(path.normalize(name)) ? new TextEncoder().encode(ERROR_FILE) : null),
  });
}

for (const [words, place] of PLACES) {
  test(`files are found by default-path ${words} where HAProxy finds them`, {
    skip: requires("haproxy"),
  }, () => {
    const text = `global\n  default-path ${words}\n${REST}`;
    const known = new Set(["files/503", "files/paths"].map((name) => path.normalize(`${place}/${name}`)));
    const { configuration, diagnostics } = read({ "etc/lb/haproxy.cfg": text }, known);
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === "error"),
      [],
    );
    // The runtime API knows lists by the words of the file.
    assert.equal(configuration?.patternLists[0]?.path, "files/paths");

    const directory = mkdtempSync(path.join(tmpdir(), "sallyport-test-"));
    for (const one of ["etc/lb", `${place}/files`, "elsewhere"])
      mkdirSync(path.join(directory, one), { recursive: true });
    for (const name of known) writeFileSync(path.join(directory, name), ERROR_FILE);
    writeFileSync(path.join(directory, "etc/lb/haproxy.cfg"), text);
    const theirs = spawnSync("haproxy", ["-c", "-f", "etc/lb/haproxy.cfg"], {
      cwd: directory,
      encoding: "latin1",
      env: { PATH: `${process.env["PATH"]}:/usr/sbin` },
    });
    rmSync(directory, { recursive: true });
    assert.doesNotMatch(theirs.stderr, /ALERT/);
  });
}

test("certificates, authorities and lists begin where the configuration is, within their bases", () => {
  const text = `global
  default-path config
  crt-base certs
frontend f
  bind :443 ssl crt a.pem crt /etc/b.pem crt-list lists/c ca-file ca.pem verify required
`;
  const { configuration } = read({ "/etc/lb/haproxy.cfg": text }, new Set());
  const tls = configuration!.proxies[0]!.frontend!.binds[0]!.tls!;
  const bases = { crtBase: "/etc/lb/certs", caBase: "/etc/lb/" };
  assert.deepEqual(
    tls.certificates.map((certificate) => [certificate.path, certificate.bases]),
    [
      ["/etc/lb/certs/a.pem", undefined],
      ["/etc/b.pem", undefined],
      ["/etc/lb/lists/c", bases],
    ],
  );
  assert.equal(tls.caFile, "/etc/lb/ca.pem");
});

test("each file of a configuration has its own directory, replies of `http-errors` included", () => {
  const errors = "http-errors own\n  errorfile 503 files/503\n";
  const known = new Set(["a/files/503", "b/files/503"]);
  const first = `global\n  default-path config\n${errors}`;
  const { diagnostics } = read({ "a/one.cfg": first, "b/two.cfg": errors.replace("own", "other") }, known);
  assert.deepEqual(diagnostics, []);
});
