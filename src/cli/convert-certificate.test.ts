import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { findCommand, requires } from "../../test/requirements.ts";
import { makeSelfSigned } from "../server/certificates/self-signed.ts";
import { convertCertificate } from "./convert-certificate.ts";
import type { Terminal } from "./terminal.ts";

const OPENSSL = requires("openssl");
let folder = "";
let input = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-convert-"));
  const { certificatePem, keyPem } = makeSelfSigned(["company.com"]);
  const both = join(folder, "both.pem");
  writeFileSync(both, certificatePem + keyPem);
  input = join(folder, "company.pfx");
  if (OPENSSL !== false) return;
  const words = ["pkcs12", "-export", "-in", both, "-out", input, "-passout", "pass:sesame", "-legacy"];
  execFileSync(findCommand("openssl")!, words);
});
after(() => rmSync(folder, { recursive: true }));

interface Conversation {
  readonly code: number;
  readonly written: string;
  readonly complaints: string;
  readonly questions: readonly string[];
}

async function converse(
  args: readonly string[],
  answers: readonly (string | null)[] = [],
): Promise<Conversation> {
  const conversation = { written: "", complaints: "", questions: [] as string[] };
  const left = [...answers];
  const terminal: Terminal = {
    write: (text) => {
      conversation.written += text;
    },
    error: (text) => {
      conversation.complaints += text;
    },
    isColour: false,
    isErrorColour: false,
    columns: 80,
    isInteractive: answers.length > 0,
    askSecret: async (question) => {
      conversation.questions.push(question);
      return left.shift() ?? null;
    },
  };
  return { code: await convertCertificate(args, terminal), ...conversation };
}

test("a PFX becomes a PEM that only its owner may read, after asking for the password", {
  skip: OPENSSL,
}, async () => {
  const output = join(folder, "company.pem");
  const { code, written, complaints, questions } = await converse([input], ["guess", "sesame"]);
  assert.deepEqual(questions, [`Password of ${input}: `, `Password of ${input}: `]);
  assert.equal(complaints, "That is not the password.\n");
  assert.equal(code, 0);
  assert.match(written, /^written .*company\.pem\n {2}names {2}company\.com\n/);
  assert.equal(statSync(output).mode & 0o777, 0o600);
  assert.match(
    readFileSync(output, "utf8"),
    /^-----BEGIN CERTIFICATE-----\n[\s\S]*-----END PRIVATE KEY-----\n$/,
  );
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith(".new")),
    [],
  );
});

test("an existing file is replaced only by force, and is private then too", { skip: OPENSSL }, async () => {
  const output = join(folder, "kept.pem");
  writeFileSync(output, "precious", { mode: 0o644 });
  const refused = await converse([input, output], ["sesame"]);
  assert.equal(refused.code, 1);
  assert.equal(refused.complaints, `error: ${output} exists\n  --force replaces it\n`);
  assert.equal(readFileSync(output, "utf8"), "precious");
  assert.equal((await converse([input, output, "--force"], ["sesame"])).code, 0);
  assert.match(readFileSync(output, "utf8"), /BEGIN CERTIFICATE/);
  assert.equal(statSync(output).mode & 0o777, 0o600);
});

test("a password file is used without asking, and a wrong one is an error at once", {
  skip: OPENSSL,
}, async () => {
  const file = join(folder, "password");
  writeFileSync(file, "sesame\n");
  const good = await converse([input, "-", "--password-file", file], ["never asked"]);
  assert.deepEqual([good.code, good.questions], [0, []]);
  assert.match(good.written, /^-----BEGIN CERTIFICATE-----/);
  writeFileSync(file, "wrong\n");
  const wrong = await converse([input, "-", "--password-file", file], ["never asked"]);
  assert.deepEqual([wrong.code, wrong.questions, wrong.written], [1, [], ""]);
  assert.equal(wrong.complaints, `error: the password that was given does not open ${input}\n`);
  assert.match(
    (await converse([input, "-", "--password-file", `${file}.none`])).complaints,
    /password file cannot be read: ENOENT/,
  );
});

test("nobody is asked in a pipe, and who refuses to answer gets the reason", { skip: OPENSSL }, async () => {
  for (const answers of [[], [null]]) {
    const { code, complaints } = await converse([input, "-"], answers);
    assert.equal(code, 1);
    assert.match(
      complaints,
      /^error: .*company\.pfx is protected by a password, and none was given\n {2}set the environment/,
    );
  }
});

test("a certificate of one's own is made for the names that are given", async () => {
  const output = join(folder, "own.pem");
  const names = ["--self-signed", "company.com", "--self-signed", "127.0.0.1"];
  const { code, written, complaints } = await converse([...names, output]);
  assert.deepEqual([code, complaints], [0, ""]);
  assert.match(written, /^written .*own\.pem\n {2}names {2}company\.com 127\.0\.0\.1\n/);
  assert.equal(statSync(output).mode & 0o777, 0o600);
  const certificate = new X509Certificate(readFileSync(output));
  assert.ok(certificate.checkHost("company.com") !== undefined);
  assert.ok(certificate.checkIP("127.0.0.1") !== undefined);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(readFileSync(output))));
  assert.match((await converse(names)).complaints, /^error: which file shall hold the new certificate/);
});

test("asking ends after three wrong passwords", { skip: OPENSSL }, async () => {
  const { code, questions } = await converse([input, "-"], ["a", "b", "c", "sesame"]);
  assert.deepEqual([code, questions.length], [1, 3]);
});

test("wrong words are one sentence and a pointer to the help", async () => {
  for (const [args, message] of [
    [[], "which certificate file?"],
    [["a", "b", "c"], "one file in, one file out: what is c?"],
    [["a", "--fast"], "Unknown option '--fast'"],
  ] as const) {
    const { code, complaints } = await converse(args);
    assert.equal(code, 1);
    assert.equal(complaints, `error: ${message}\n  see sallyport convert certificate --help\n`);
  }
});

test("help is no error", async () => {
  const { code, written, complaints } = await converse(["--help"]);
  assert.deepEqual([code, complaints], [0, ""]);
  assert.match(written, /^Usage: sallyport convert certificate /);
  assert.ok(written.split("\n").every((line) => line.length <= 120));
});

test("a place that cannot be written is an error", { skip: OPENSSL }, async () => {
  const { code, complaints } = await converse([input, join(folder, "no/such/folder.pem")], ["sesame"]);
  assert.equal(code, 1);
  assert.match(complaints, /^error: cannot write .*folder\.pem: ENOENT/);
});
