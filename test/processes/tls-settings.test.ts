// Settings of TLS that only a handshake shows, asked for by OpenSSL's own client: parameters of
// Diffie-Hellman, and sessions that are resumed without tickets, whichever worker answers.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { startHaproxy } from "../../src/proxy/balance/haproxy.fixture.ts";
import { freePort } from "../free-port.ts";
import { requires } from "../requirements.ts";
import { openssl, selfSigned } from "./openssl.ts";
import { askSocket, ENGINES, RunningSallyport, TestDirectory } from "./running-sallyport.ts";

const DHE = "DHE-RSA-AES256-GCM-SHA384";

/** DHE wants a key of RSA. */
function rsaCertificate(directory: TestDirectory, name: string, bits: number): Promise<string> {
  return selfSigned(directory, name, `/CN=${name}`, [`rsa:${bits}`]);
}

function dhParameters(group: string): Promise<string> {
  return openssl(["genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", `group:${group}`]);
}

/** How many bits the server's ephemeral key has; null when there is no handshake. */
async function dheBits(port: number): Promise<number | null> {
  const words = ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_2", "-cipher", DHE];
  const bits = /Server Temp Key: DH, (\d+) bits/.exec(await openssl(words, "Q\n"));
  return bits === null ? null : Number(bits[1]);
}

interface DheCase {
  readonly what: string;
  readonly globals: readonly string[];
  readonly certificate: string;
}

function configurationOf(port: number, globals: readonly string[], bind: string, socket: string): string {
  return `
global
  stats socket ${socket} level admin
${globals.map((line) => `  ${line}\n`).join("")}
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:${port} ssl ${bind}
  http-request return status 200
`;
}

test("who brings no parameters of Diffie-Hellman is asked for none, as in HAProxy", {
  skip: requires("haproxy", "openssl"),
}, async () => {
  using directory = new TestDirectory();
  const plain = await rsaCertificate(directory, "plain", 2048);
  const withOwn = directory.file("own.pem", readFileSync(plain, "utf8") + (await dhParameters("ffdhe3072")));
  const file = directory.file("four.pem", await dhParameters("ffdhe4096"));
  const cases: readonly DheCase[] = [
    { what: "nothing", globals: [], certificate: plain },
    { what: "a limit above the key", globals: ["tune.ssl.default-dh-param 4096"], certificate: plain },
    { what: "a limit below the key", globals: ["tune.ssl.default-dh-param 1024"], certificate: plain },
    { what: "a file for all", globals: [`ssl-dh-param-file ${file}`], certificate: plain },
    { what: "a file for all and its own", globals: [`ssl-dh-param-file ${file}`], certificate: withOwn },
    { what: "its own", globals: [], certificate: withOwn },
  ];
  for (const { what, globals, certificate } of cases) {
    const port = await freePort();
    const socket = directory.file("admin.sock");
    const bind = `crt ${certificate} ciphers ${DHE}:@SECLEVEL=0`;
    const text = configurationOf(port, globals, bind, socket);
    const haproxy = await startHaproxy(directory.path, text, ["admin.sock"]);
    const expected = await dheBits(port);
    await haproxy.dispose();
    for (const engine of /^nothing|^its own/.test(what) ? ENGINES : ENGINES.slice(0, 1)) {
      await using _sallyport = await RunningSallyport.start(directory.file("x.cfg", text), {
        engine,
        workers: 1,
      });
      assert.equal(await dheBits(port), expected, `${what} on ${engine}`);
    }
  }
});

interface Authority {
  readonly crt: string;
  readonly key: string;
}

/** A certificate of its own key, issued by `issuer`; by itself when there is none. The path of both. */
async function issue(directory: TestDirectory, name: string, issuer: Authority | null): Promise<Authority> {
  const [key, crt, csr] = ["key", "crt", "csr"].map((end) => directory.file(`${name}.${end}`));
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const files = ["-keyout", key!, "-out", issuer === null ? crt! : csr!, "-subj", `/CN=${name}`];
  await openssl(["req", ...(issuer === null ? ["-x509"] : []), ...curve, ...files]);
  if (issuer !== null) {
    const text = `basicConstraints=CA:TRUE\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`;
    const extensions = directory.file("extensions", text);
    const by = ["-CA", issuer.crt, "-CAkey", issuer.key, "-CAcreateserial", "-extfile", extensions];
    await openssl(["x509", "-req", "-in", csr!, ...by, "-out", crt!]);
  }
  return { crt: crt!, key: key! };
}

/** The names in the chain that a client is shown. */
async function shownChain(port: number): Promise<readonly string[]> {
  const output = await openssl(["s_client", "-connect", `127.0.0.1:${port}`, "-showcerts"], "Q\n");
  return [...output.matchAll(/^ *\d+ s:CN = (.*)$/gm)].map((match) => match[1]!);
}

test("a chain is completed from a directory of issuers, as HAProxy does", {
  skip: requires("haproxy", "openssl"),
}, async () => {
  using directory = new TestDirectory();
  const root = await issue(directory, "root", null);
  const inter = await issue(directory, "inter", root);
  const leaf = await issue(directory, "leaf", inter);
  const read = (...paths: string[]) => paths.map((path) => readFileSync(path, "utf8")).join("");
  mkdirSync(directory.file("issuers"));
  directory.file("issuers/i.pem", read(inter.crt, root.crt));
  directory.file("issuers/r.pem", read(root.crt));
  const alone = directory.file("alone.pem", read(leaf.crt, leaf.key));
  const whole = directory.file("whole.pem", read(leaf.crt, inter.crt, leaf.key));
  const port = await freePort();
  const socket = directory.file("admin.sock");
  const globals = [`issuers-chain-path ${directory.file("issuers")}`];
  const text = configurationOf(port, globals, `crt ${alone} crt ${whole}`, socket);
  const facts = async () => [
    await shownChain(port),
    await askSocket(socket, `show ssl cert ${alone}`),
    await askSocket(socket, `show ssl cert ${whole}`),
    await askSocket(socket, `set ssl cert ${alone} <<\n${read(leaf.crt, leaf.key)}`),
    await askSocket(socket, `commit ssl cert ${alone}`),
    await askSocket(socket, `show ssl cert ${alone}`),
    await shownChain(port),
  ];
  const haproxy = await startHaproxy(directory.path, text, ["admin.sock"]);
  const expected = await facts();
  await haproxy.dispose();
  assert.deepEqual(expected[0], ["leaf", "inter", "root"]);
  await using _sallyport = await RunningSallyport.start(directory.file("x.cfg", text), {
    engine: "uring",
    workers: 1,
  });
  assert.deepEqual(await facts(), expected);
});

test("a certificate is made for a name that no other is for, as HAProxy makes it", {
  skip: requires("haproxy", "openssl"),
}, async () => {
  using directory = new TestDirectory();
  const root = await issue(directory, "root", null);
  const own = await issue(directory, "own", root);
  const read = (...paths: string[]) => paths.map((path) => readFileSync(path, "utf8")).join("");
  const signer = directory.file("signer.pem", read(root.crt, root.key));
  const crt = directory.file("own.pem", read(own.crt, own.key));
  const port = await freePort();
  const socket = directory.file("admin.sock");
  const bind = `crt ${crt} generate-certificates ca-sign-file ${signer}`;
  const text = configurationOf(port, ["tune.ssl.ssl-ctx-cache-size 10"], bind, socket);
  const shown = async (name: string) => {
    const words = ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", root.crt, "-servername", name];
    const output = await openssl([...words, "-verify_hostname", name], "Q\n");
    const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(output)![0];
    const extensions = "subjectAltName,keyUsage,subjectKeyIdentifier,basicConstraints";
    const fields = ["-subject", "-issuer", "-pubkey", "-ext", extensions];
    const facts = await openssl(["x509", "-noout", ...fields], certificate);
    return `${facts.replaceAll("critical", "").replace(/: *$/gm, ":")}${/Verify return code: .*/.exec(output)![0]}`;
  };
  const haproxy = await startHaproxy(directory.path, text, ["admin.sock"]);
  const expected = [await shown("one.example"), await shown("Two.example"), await shown("own")];
  await haproxy.dispose();
  for (const engine of ENGINES) {
    await using _sallyport = await RunningSallyport.start(directory.file("x.cfg", text), {
      engine,
      workers: 2,
    });
    assert.deepEqual([await shown("one.example"), await shown("Two.example"), await shown("own")], expected);
  }
});

describe("sessions without tickets", { skip: requires("openssl") }, () => {
  for (const version of ["tls1_2", "tls1_3"]) {
    test(`are resumed by every worker: ${version}`, async () => {
      using directory = new TestDirectory();
      const certificate = await rsaCertificate(directory, "here", 2048);
      const port = await freePort();
      const bind = `crt ${certificate} no-tls-tickets`;
      const text = configurationOf(port, ["tune.ssl.cachesize 100"], bind, directory.file("admin.sock"));
      const file = directory.file("x.cfg", text);
      await using _sallyport = await RunningSallyport.start(file, { engine: "uring", workers: 2 });
      const session = directory.file("session.pem");
      const words = ["s_client", "-connect", `127.0.0.1:${port}`, `-${version}`, "-ign_eof"];
      const request = "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
      assert.match(await openssl([...words, "-sess_out", session], request), /^New, /m);
      // A session of TLS 1.3 without ticket is for one use, and each use brings another one.
      for (let i = 0; i < 6; i++) {
        const again = [...words, "-sess_in", session, "-sess_out", session];
        assert.match(await openssl(again, request), /^Reused, /m, `connection ${i}`);
      }
    });
  }

  test("do not exist where there is no place for them", async () => {
    using directory = new TestDirectory();
    const certificate = await rsaCertificate(directory, "here", 2048);
    const port = await freePort();
    const bind = `crt ${certificate} no-tls-tickets`;
    const text = configurationOf(port, ["tune.ssl.cachesize 0"], bind, directory.file("admin.sock"));
    await using _sallyport = await RunningSallyport.start(directory.file("x.cfg", text), {
      engine: "uring",
      workers: 1,
    });
    const words = ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_2"];
    assert.match(await openssl(words, "Q\n"), /^New, /m);
    assert.doesNotMatch(await openssl(words, "Q\n"), /Session-ID: [0-9A-F]/);
  });
});
