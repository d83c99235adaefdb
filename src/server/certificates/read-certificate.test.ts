import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { findCommand, requires } from "../../../test/requirements.ts";
import type { Span } from "../../diagnostic/span.ts";
import {
  type CertificateReading,
  type CertificateReadingOptions,
  readCertificate,
  toPem,
} from "./read-certificate.ts";
import { makeSelfSigned } from "./self-signed.ts";

const SPAN: Span = { file: "haproxy.cfg", line: 2, column: 22, endColumn: 40 };
const OPENSSL = requires("openssl");
const PASSWORD = "pässwörd €";

let folder = "";
let authority = "";
let intermediate = "";
const leaves: Record<"rsa" | "ec", { certificate: string; key: string }> = {
  rsa: { certificate: "", key: "" },
  ec: { certificate: "", key: "" },
};

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-certificates-"));
  if (OPENSSL === false) makeAuthority();
});
after(() => rmSync(folder, { recursive: true }));

/** A root, an intermediate below it, and below that a leaf with an RSA key and one with an EC key. */
function makeAuthority(): void {
  openssl(
    "req",
    "-x509",
    ..."-newkey rsa:2048 -nodes -keyout root.key -out root.crt -days 30 -subj /CN=Root".split(" "),
  );
  authority = text("root.crt");
  write("ca.ext", "basicConstraints=critical,CA:true\n");
  write("leaf.ext", "subjectAltName=DNS:www.company.com,DNS:*.company.com,IP:192.0.2.7\n");
  issue("middle", "rsa:2048", "/CN=Middle", "root", "ca.ext");
  intermediate = text("middle.crt");
  for (const [kind, algorithm] of [
    ["rsa", "rsa:2048"],
    ["ec", "ec"],
  ] as const) {
    issue(kind, algorithm, "/CN=company.com", "middle", "leaf.ext");
    leaves[kind] = { certificate: text(`${kind}.crt`), key: text(`${kind}.key`) };
  }
}

function issue(name: string, algorithm: string, subject: string, issuer: string, extensions: string): void {
  const curve = algorithm === "ec" ? ["-pkeyopt", "ec_paramgen_curve:P-256"] : [];
  openssl(
    "req",
    "-newkey",
    algorithm,
    ...curve,
    "-nodes",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
    "-subj",
    subject,
  );
  const signing =
    `-CA ${issuer}.crt -CAkey ${issuer}.key -CAcreateserial -days 20 -extfile ${extensions}`.split(" ");
  openssl("x509", "-req", "-in", `${name}.csr`, ...signing, "-out", `${name}.crt`);
}

function openssl(...words: readonly string[]): void {
  execFileSync(findCommand("openssl")!, words, { cwd: folder, stdio: "pipe" });
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function text(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

function read(path: string, options: CertificateReadingOptions = {}): CertificateReading {
  return readCertificate(path, SPAN, { environment: {}, ...options });
}

/** Makes a PFX of a leaf with its whole chain, the issuers before the leaf as some exports have them. */
function exportPfx(kind: "rsa" | "ec", name: string, options: string, password = PASSWORD): string {
  write("bundle.pem", authority + intermediate + leaves[kind].certificate + leaves[kind].key);
  openssl(
    "pkcs12",
    "-export",
    "-in",
    "bundle.pem",
    "-out",
    name,
    "-passout",
    `pass:${password}`,
    ...words(options),
  );
  return join(folder, name);
}

function words(options: string): string[] {
  return options.split(" ").filter((word) => word !== "");
}

function subjects(reading: CertificateReading): string[] {
  const blocks = reading.certificates[0]!.certificatePem.split(/(?<=-----END CERTIFICATE-----\n)/);
  return blocks.map((block) => new X509Certificate(block).subject);
}

function codes(reading: CertificateReading): string[] {
  return reading.diagnostics.map((diagnostic) => diagnostic.code);
}

function assertLeafMatchesKey(reading: CertificateReading): void {
  assert.deepEqual(reading.diagnostics, []);
  const { certificatePem, keyPem } = reading.certificates[0]!;
  assert.ok(new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem)));
}

const CHAIN = ["CN=company.com", "CN=Middle", "CN=Root"];

test("key and chain may stand in any order: the leaf comes first, then each issuer", {
  skip: OPENSSL,
}, () => {
  const { certificate, key } = leaves.rsa;
  for (const parts of [
    [certificate, intermediate, authority, key],
    [key, authority, intermediate, certificate],
    [intermediate, key, certificate, authority],
  ]) {
    const reading = read(write("order.pem", `comment\n${parts.join("\n")}`.replaceAll("\n", "\r\n")));
    assertLeafMatchesKey(reading);
    assert.deepEqual(subjects(reading), CHAIN);
    assert.equal(reading.certificates[0]!.name, join(folder, "order.pem"));
  }
});

test("a certificate that fits nowhere in the chain is kept, last", { skip: OPENSSL }, () => {
  const stranger = makeSelfSigned(["stranger"]).certificatePem;
  const { certificate, key } = leaves.ec;
  const reading = read(write("stranger.pem", stranger + certificate + intermediate + key));
  assert.deepEqual(subjects(reading), ["CN=company.com", "CN=Middle", "CN=stranger"]);
});

test("the key may lie in FILE.key", () => {
  const { certificatePem, keyPem } = makeSelfSigned(["apart"]);
  const path = write("apart.pem", certificatePem);
  write("apart.pem.key", keyPem);
  assertLeafMatchesKey(read(path));
});

const PFX_FORMS: readonly { readonly title: string; readonly options: string }[] = [
  { title: "AES-256 as OpenSSL 3 and Windows 11 write it", options: "" },
  { title: "RC2-40 and 3DES as old Windows writes it", options: "-legacy" },
  { title: "3DES for everything", options: "-descert -legacy -macalg sha1" },
  {
    title: "128-bit RC2 and two-key 3DES",
    options: "-legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-2DES",
  },
  { title: "AES-128 and SHA-512", options: "-certpbe AES-128-CBC -keypbe AES-128-CBC -macalg sha512" },
  { title: "an unencrypted certificate", options: "-certpbe NONE" },
  { title: "no encryption at all", options: "-certpbe NONE -keypbe NONE" },
  { title: "no MAC", options: "-nomac" },
];

for (const kind of ["rsa", "ec"] as const) {
  for (const { title, options } of PFX_FORMS) {
    test(`a PFX with an ${kind} key opens: ${title}`, { skip: OPENSSL }, () => {
      const reading = read(exportPfx(kind, "form.pfx", options), { passwordFor: () => PASSWORD });
      assertLeafMatchesKey(reading);
      assert.deepEqual(subjects(reading), CHAIN);
      assert.equal(createPrivateKey(reading.certificates[0]!.keyPem).asymmetricKeyType, kind);
    });
  }
}

test("a PFX is known by its content, whatever it is called", { skip: OPENSSL }, () => {
  assertLeafMatchesKey(read(exportPfx("ec", "company.bin", ""), { passwordFor: () => PASSWORD }));
});

test("a PFX exported with an empty password needs none", { skip: OPENSSL }, () => {
  for (const options of ["", "-legacy"]) {
    const path = exportPfx("rsa", "empty.pfx", options, "");
    assertLeafMatchesKey(read(path));
    assertLeafMatchesKey(read(path, { environment: { SALLYPORT_PFX_PASSWORD: "of other files" } }));
  }
});

test("the password comes from who was asked, else from FILE.password, else from the environment", {
  skip: OPENSSL,
}, () => {
  const path = exportPfx("rsa", "sources.pfx", "");
  const environment = { SALLYPORT_PFX_PASSWORD: PASSWORD };
  assertLeafMatchesKey(read(path, { environment }));
  write("sources.pfx.password", "wrong\n");
  assert.equal(
    read(path, { environment }).diagnostics[0]?.message,
    `the password in ${path}.password does not open ${path}`,
  );
  assertLeafMatchesKey(read(path, { environment, passwordFor: () => PASSWORD }));
  write("sources.pfx.password", `${PASSWORD}\n`);
  assertLeafMatchesKey(read(path));
});

test("a missing and a wrong password are different sentences, and the file is listed to be asked for", {
  skip: OPENSSL,
}, () => {
  for (const options of ["", "-legacy", "-nomac", "-nomac -legacy"]) {
    const path = exportPfx("rsa", "closed.pfx", options);
    const missing = read(path);
    assert.deepEqual(codes(missing), ["certificate-password-needed"]);
    assert.deepEqual(missing.passwordsNeeded, [path]);
    assert.deepEqual(missing.certificates, []);
    assert.match(missing.diagnostics[0]!.help!, /SALLYPORT_PFX_PASSWORD/);
    const wrong = read(path, { environment: { SALLYPORT_PFX_PASSWORD: "guess" } });
    assert.equal(
      wrong.diagnostics[0]?.message,
      `the password in SALLYPORT_PFX_PASSWORD does not open ${path}`,
    );
    assert.deepEqual(wrong.passwordsNeeded, [path]);
  }
});

const KEY_FORMS: readonly { readonly title: string; readonly command: string }[] = [
  { title: "PKCS#8 with AES", command: "pkcs8 -topk8" },
  { title: "PKCS#8 with scrypt", command: "pkcs8 -topk8 -scrypt" },
  {
    title: "PKCS#8 with RC2-40",
    command: "pkcs8 -topk8 -v1 PBE-SHA1-RC2-40 -provider legacy -provider default",
  },
  { title: "OpenSSL's older format", command: "rsa -aes256 -traditional" },
];

for (const { title, command } of KEY_FORMS) {
  test(`an encrypted PEM key opens with its password and not with another: ${title}`, {
    skip: OPENSSL,
  }, () => {
    openssl(...words(command), "-in", "rsa.key", "-out", "encrypted.key", "-passout", `pass:${PASSWORD}`);
    const path = write("encrypted.pem", leaves.rsa.certificate + text("encrypted.key"));
    assertLeafMatchesKey(read(path, { passwordFor: () => PASSWORD }));
    assert.deepEqual(codes(read(path)), ["certificate-password-needed"]);
    assert.deepEqual(codes(read(path, { passwordFor: () => "guess" })), ["certificate-password-wrong"]);
  });
}

test("an encryption that nobody here knows is named, with the way out", { skip: OPENSSL }, () => {
  const scheme = words("-v1 PBE-MD5-DES -provider legacy -provider default");
  openssl("pkcs8", "-topk8", ...scheme, "-in", "rsa.key", "-out", "md5.key", "-passout", "pass:x");
  const [diagnostic] = read(write("md5.pem", leaves.rsa.certificate + text("md5.key")), {
    passwordFor: () => "x",
  }).diagnostics;
  assert.equal(diagnostic?.code, "certificate-encryption-unknown");
  assert.match(diagnostic.message, /1\.2\.840\.113549\.1\.5\.3/);
});

test("a damaged PFX gives a diagnostic wherever it is cut or changed, and nothing else", {
  skip: OPENSSL,
}, () => {
  const whole = readFileSync(exportPfx("ec", "damage.pfx", "-iter 1"));
  const options = { passwordFor: () => PASSWORD };
  for (let length = 0; length < whole.length; length += 41) {
    const reading = read(write("damaged.pfx", whole.subarray(0, length)), options);
    assert.equal(
      reading.diagnostics.filter(({ severity }) => severity === "error").length,
      1,
      `cut at ${length}`,
    );
  }
  for (let at = 0; at < whole.length; at += 7) {
    const changed = Buffer.from(whole);
    changed[at] = changed[at]! ^ 0x55;
    const reading = read(write("damaged.pfx", changed), options);
    assert.ok(reading.diagnostics.length > 0 || reading.certificates.length > 0, `changed at ${at}`);
  }
});

test("a directory is all its files in byte order, without companions, dot files and directories", () => {
  const directory = join(folder, "directory");
  mkdirSync(join(directory, "below"), { recursive: true });
  for (const name of ["b.pem", "a.pem", "B.pem", ".hidden"]) {
    const { certificatePem, keyPem } = makeSelfSigned([name]);
    writeFileSync(join(directory, name), certificatePem + keyPem);
  }
  for (const extension of ["key", "ocsp", "issuer", "sctl", "password"]) {
    writeFileSync(join(directory, `x.${extension}`), "not a certificate");
  }
  const reading = read(directory);
  assert.deepEqual(reading.diagnostics, []);
  assert.deepEqual(
    reading.certificates.map(({ name }) => name),
    ["B.pem", "a.pem", "b.pem"].map((name) => join(directory, name)),
  );
});

test("every fault in a directory is told at once, and the good certificates are there all the same", () => {
  const directory = join(folder, "faults");
  mkdirSync(directory);
  const { certificatePem, keyPem } = makeSelfSigned(["good"]);
  writeFileSync(join(directory, "1.pem"), certificatePem + keyPem);
  writeFileSync(join(directory, "2.txt"), "hello");
  writeFileSync(join(directory, "3.pem"), certificatePem);
  symlinkSync("nowhere", join(directory, "4.pem"));
  const reading = read(directory);
  assert.deepEqual(codes(reading), ["certificate-absent", "certificate-key-absent", "certificate-missing"]);
  assert.equal(reading.certificates.length, 1);
});

test("a file that is not there but has .rsa and .ecdsa beside it is a bundle", () => {
  for (const extension of ["ecdsa", "rsa"]) {
    const { certificatePem, keyPem } = makeSelfSigned([extension]);
    write(`site.pem.${extension}`, certificatePem + keyPem);
  }
  const reading = read(join(folder, "site.pem"));
  assert.deepEqual(reading.diagnostics, []);
  assert.deepEqual(
    reading.certificates.map(({ name }) => name),
    [join(folder, "site.pem.rsa"), join(folder, "site.pem.ecdsa")],
  );
});

test("each fault is one sentence at the place that named the file", () => {
  const one = makeSelfSigned(["one"]);
  const other = makeSelfSigned(["other"]);
  const faults: readonly (readonly [path: string, code: string, message: RegExp])[] = [
    [join(folder, "none.pem"), "certificate-missing", /^there is no file .*none\.pem$/],
    [write("text.pem", "hello"), "certificate-absent", /^.*text\.pem holds no certificate$/],
    [
      write("keyless.pem", one.certificatePem),
      "certificate-key-absent",
      /keyless\.pem holds no private key, and there is no .*keyless\.pem\.key$/,
    ],
    [
      write("mixed.pem", one.certificatePem + other.keyPem),
      "certificate-key-mismatch",
      /^the private key in the same file does not belong to the certificate in .*mixed\.pem$/,
    ],
    [
      write("broken.pem", one.certificatePem.replace(/\nMII[^\n]*/, "\nAAAA") + one.keyPem),
      "certificate-unreadable",
      /broken\.pem cannot be read as a certificate/,
    ],
    [makeDirectory("empty"), "certificate-directory-empty", /^the directory .*empty holds no certificate$/],
  ];
  for (const [path, code, message] of faults) {
    const reading = read(path);
    assert.deepEqual(codes(reading), [code]);
    assert.match(reading.diagnostics[0]!.message, message);
    assert.equal(reading.diagnostics[0]!.severity, "error");
    assert.deepEqual(reading.diagnostics[0]!.span, SPAN);
    assert.deepEqual(reading.certificates, []);
  }
});

function makeDirectory(name: string): string {
  mkdirSync(join(folder, name));
  return join(folder, name);
}

test("a file that may not be read says so and what to do", () => {
  const refuse = () => {
    throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  };
  const [diagnostic] = read("/etc/ssl/private/company.pem", {
    disk: { readFile: refuse, listFiles: () => null },
  }).diagnostics;
  assert.equal(diagnostic?.code, "certificate-permission");
  assert.equal(diagnostic.message, "there is no permission to read /etc/ssl/private/company.pem");
});

test("a certificate out of its time is read with a warning", () => {
  const { certificatePem, keyPem } = makeSelfSigned(["late.example"], Date.UTC(2020, 0, 10));
  const path = write("late.pem", certificatePem + keyPem);
  const late = read(path, { nowMs: Date.UTC(2026, 0, 1) });
  assert.equal(late.certificates.length, 1);
  assert.equal(late.diagnostics[0]?.severity, "warning");
  assert.equal(
    late.diagnostics[0]?.message,
    `the certificate for late.example in ${path} expired on 2022-04-13`,
  );
  assert.deepEqual(codes(read(path, { nowMs: Date.UTC(2019, 0, 1) })), ["certificate-not-yet-valid"]);
  assert.deepEqual(codes(read(path, { nowMs: Date.UTC(2021, 0, 1) })), []);
});

test("HAProxy accepts the PEM made of a PFX", { skip: requires("openssl", "haproxy") }, () => {
  for (const kind of ["rsa", "ec"] as const) {
    const { certificates } = read(exportPfx(kind, "iis.pfx", "-legacy"), { passwordFor: () => PASSWORD });
    const pem = write("iis.pem", toPem(certificates[0]!));
    const configuration = `defaults\n timeout client 1s\nfrontend f\n mode http\n bind 127.0.0.1:8443 ssl crt ${pem}\n`;
    // -c only reads: the port is not bound.
    execFileSync(findCommand("haproxy")!, ["-c", "-q", "-f", write("haproxy.cfg", configuration)], {
      stdio: "pipe",
    });
  }
});
