import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { makeSelfSigned } from "./certificates/self-signed.ts";
import { loadConfiguration, makeTicketKeys } from "./prepare.ts";
import { readSources } from "./source-files.ts";

const DEFAULTS = "defaults\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n";

function inDirectory(use: (file: (name: string, text: string) => string, directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "prepare-"));
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  try {
    use(file, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function load(path: string): ReturnType<typeof loadConfiguration> {
  return loadConfiguration([path], { environment: {} });
}

test("a directory stands for its .cfg files in the order of their names", () =>
  inDirectory((file, directory) => {
    for (const name of ["20.cfg", "10.cfg", ".hidden.cfg", "note.txt"]) file(name, name);
    const { sources, diagnostics } = readSources([directory]);
    assert.deepEqual(
      sources.map(({ text }) => text),
      ["10.cfg", "20.cfg"],
    );
    assert.deepEqual(diagnostics, []);
  }));

test("files that cannot be read are all told, each in one sentence", () =>
  inDirectory((file, directory) => {
    const secret = file("secret.cfg", "");
    chmodSync(secret, 0);
    mkdirSync(join(directory, "empty"));
    const { diagnostics } = readSources([join(directory, "none.cfg"), secret, join(directory, "empty")]);
    const messages = diagnostics.map(({ message }) => message);
    assert.equal(messages[0], `there is no file '${join(directory, "none.cfg")}'`);
    // Root may read anything.
    if (process.getuid?.() === 0) assert.equal(messages.length, 1);
    else assert.equal(messages[1], `no permission to read '${secret}'`);
  }));

test("certificates and trust are read once for each path, as texts", () =>
  inDirectory((file, directory) => {
    const { certificatePem, keyPem } = makeSelfSigned(["site.example"]);
    const certificate = file("site.pem", certificatePem + keyPem);
    mkdirSync(join(directory, "trust"));
    writeFileSync(join(directory, "trust", "2.pem"), "second");
    writeFileSync(join(directory, "trust", "1.pem"), "first");
    const path = file(
      "x.cfg",
      `${DEFAULTS}listen web\n bind :443 ssl crt ${certificate} ca-file ${directory}/trust verify optional
 bind :444 ssl crt ${certificate}\n server a 192.0.2.1:443 ssl verify required ca-file @system-ca\n`,
    );
    const { loaded, diagnostics } = load(path);
    assert.ok(loaded !== null, diagnostics.map(({ message }) => message).join("\n"));
    assert.deepEqual(Object.keys(loaded.certificates), [certificate]);
    assert.equal(loaded.certificates[certificate]![0]!.certificatePem.trim(), certificatePem.trim());
    assert.equal(loaded.trust[join(directory, "trust")], "first\nsecond");
    assert.equal(typeof loaded.trust["@system-ca"], "string");
  }));

test("faults of the file, of certificates and of trust are told together", () =>
  inDirectory((file, directory) => {
    const path = file(
      "x.cfg",
      `${DEFAULTS}listen web\n bind :443 ssl crt ${directory}/none.pem ca-file ${directory}/no-ca.pem verify required\n`,
    );
    const { loaded, diagnostics } = load(path);
    assert.equal(loaded, null);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    assert.equal(errors.length, 2);
    for (const { span } of errors) assert.deepEqual([span.file, span.line], [path, 6]);
    assert.match(errors.map(({ message }) => message).join("\n"), /none\.pem[\s\S]*no-ca\.pem/);
  }));

test("ticket keys are 80 random bytes", () => {
  assert.equal(makeTicketKeys().length, 80);
  assert.notDeepEqual(makeTicketKeys(), makeTicketKeys());
});
