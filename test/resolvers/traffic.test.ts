// Requests while names of servers change: they follow, none is lost, and rules find hosts of their own.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { freePort } from "../free-port.ts";
import { ask, Load } from "../processes/load.ts";
import { Origin } from "../processes/origin.ts";
import {
  askSocket,
  ENGINES,
  type EngineName,
  RunningSallyport,
  TestDirectory,
} from "../processes/running-sallyport.ts";
import { Nameserver } from "./nameserver.fixture.ts";

interface Site {
  readonly sallyport: RunningSallyport;
  readonly port: number;
  /** Of a frontend in tcp mode, which takes the host from the beginning of the path. */
  readonly tcpPort: number;
  readonly nameserver: Nameserver;
  readonly one: Origin;
  readonly two: Origin;
  command(line: string): Promise<string>;
  rewrite(change: (text: string) => string): void;
}

const SERVICE = "SRV _http._tcp.test";

function configuration(
  socket: string,
  [port, tcpPort]: readonly [number, number],
  nameserver: number,
  origin: number,
): string {
  return `
global
  stats socket ${socket} level admin
resolvers dns
  nameserver gone 127.0.0.1:1
  nameserver one 127.0.0.1:${nameserver}
  resolve_retries 1
  timeout resolve 50ms
  timeout retry 2s
  hold nx 0
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend web
  bind 127.0.0.1:${port}
  http-request do-resolve(txn.host,dns,ipv4) hdr(x-host),host_only if { hdr(x-host) -m found }
  http-request return status 421 content-type text/plain string "nobody" if { hdr(x-host) -m found } !{ var(txn.host) -m found }
  http-request set-dst var(txn.host) if { var(txn.host) -m found }
  http-request set-dst-port int(${origin}) if { var(txn.host) -m found }
  use_backend anywhere if { var(txn.host) -m found }
  default_backend service
frontend plain
  mode tcp
  bind 127.0.0.1:${tcpPort}
  tcp-request inspect-delay 5s
  tcp-request content do-resolve(sess.host,dns,ipv4) req.payload(0,0),word(2,/) if { req.len gt 10 }
  tcp-request content reject unless { var(sess.host) -m found }
  tcp-request content set-dst var(sess.host)
  tcp-request content set-dst-port int(${origin})
  default_backend anywhere-plain
backend anywhere-plain
  mode tcp
  server any 0.0.0.0:0
backend service
  retries 3
  option redispatch
  server-template s 3 _http._tcp.test resolvers dns resolve-prefer ipv4
backend anywhere
  server any 0.0.0.0:0
backend start
  server first first.test:80 init-addr 127.0.0.42 resolvers dns resolve-prefer ipv4
  server none none.test:80 init-addr none resolvers dns
  server system localhost:80 resolvers dns resolve-prefer ipv4
`;
}

async function withSite(engine: EngineName, run: (site: Site) => Promise<void>): Promise<void> {
  using directory = new TestDirectory();
  await using nameserver = await Nameserver.start();
  await using one = await Origin.start("one");
  await using two = await Origin.start("two");
  nameserver.set("A localhost", { records: ["localhost 5 A 127.0.0.1"] });
  const port = await freePort();
  const socket = directory.file("admin.sock");
  const tcpPort = await freePort();
  const text = configuration(socket, [port, tcpPort], nameserver.port, one.port);
  const file = directory.file("x.cfg", text);
  await using sallyport = await RunningSallyport.start(file, { engine, workers: 2 });
  const command = async (line: string) => (await askSocket(socket, line)).trim();
  const rewrite = (change: (text: string) => string) => void directory.file("x.cfg", change(text));
  await run({ sallyport, port, tcpPort, nameserver, one, two, command, rewrite });
}

/** The service is at these origins from the next answer on. */
function serve({ nameserver }: Site, ...origins: readonly Origin[]): void {
  nameserver.set(SERVICE, {
    records: origins.map(({ name, port }) => `_http._tcp.test 5 SRV 0 256 ${port} ${name}.test`),
    additional: origins.map(({ name }) => `${name}.test 5 A 127.0.0.1`),
  });
}

async function answering(port: number, count = 12): Promise<string> {
  const names = new Set<string>();
  for (let i = 0; i < count; i++) names.add((await ask(port)).body.split(" ")[0]!);
  return [...names].toSorted().join(" ");
}

for (const engine of ENGINES) {
  describe(`names that are followed on the ${engine} engine`, () => {
    test("servers come and go with the records of a service, and no request is lost", async () => {
      await withSite(engine, async (site) => {
        const { sallyport, port, one, two } = site;
        assert.match((await ask(port)).head, / 503 /);
        serve(site, one);
        await sallyport.until(async () => (await ask(port)).body === "one /\n", "the first one serves");
        const load = new Load([{ port, isTls: false, keepsAlive: true, count: 2 }], { mayRetryKept: true });
        serve(site, one, two);
        await sallyport.until(async () => (await answering(port)) === "one two", "both serve");
        serve(site, two);
        await sallyport.until(async () => (await answering(port)) === "two", "the second one serves alone");
        await load.stop();
        assert.deepEqual(load.failures, []);
      });
    });

    test("a reload keeps what is known, without asking the system", async () => {
      await withSite(engine, async (site) => {
        const { sallyport, port, one, nameserver, command, rewrite } = site;
        serve(site, one);
        nameserver.set("A first.test", { records: ["first.test 5 A 127.0.0.43"] });
        await sallyport.until(async () => (await answering(port)) === "one", "it serves");
        await sallyport.until(
          async () => / first 127.0.0.43 /.test(await command("show servers state start")),
          "the address is known",
        );
        nameserver.set(SERVICE, "silence");
        nameserver.set("A first.test", "silence");
        rewrite((text) => `${text}backend more\n  server m 127.0.0.1:9\n`);
        await sallyport.reloadBySignal();
        assert.equal(await answering(port), "one");
        const states = await command("show servers state");
        assert.match(states, / first 127\.0\.0\.43 2 0 /);
        assert.match(states, / s1 127\.0\.0\.1 2 64 1 .* one\.test \d+ _http\._tcp\.test /);
        assert.match(states, / m 127\.0\.0\.1 /);
      });
    });

    test("`init-addr` says where servers are before anybody has been asked", async () => {
      await withSite(engine, async ({ sallyport, nameserver, command }) => {
        // A name that does not exist takes the address away at once here.
        await sallyport.until(
          async () => / first - 0 32 /.test(await command("show servers state start")),
          "it has no address",
        );
        assert.match(sallyport.text, /Server start\/first is going DOWN for maintenance \(DNS NX status\)/);
        const states = await command("show servers state start");
        assert.match(states, / none - 0 32 .* none\.test 80 /);
        assert.match(states, / system 127\.0\.0\.1 2 0 /);
        assert.ok(
          !sallyport.text.includes("none.test"),
          "nothing is said of a server that begins without address",
        );
        assert.ok(nameserver.questions.includes("A localhost"));
      });
    });

    test("a rule finds a host, or nobody, and the request waits meanwhile", async () => {
      await withSite(engine, async ({ sallyport, port, nameserver, command }) => {
        nameserver.set("A here.test", { records: ["here.test 5 A 127.0.0.1"] });
        const to = (host: string) => ask(port, "/x", `x-host: ${host}\r\n`);
        assert.equal((await to("here.test:8080")).body, "one /x\n");
        assert.equal((await to("HERE.test")).body, "one /x\n");
        assert.equal(nameserver.questions.filter((text) => text === "A here.test").length, 1);
        assert.equal((await to("nowhere.test")).body, "nobody");
        assert.equal((await to("a..b")).body, "nobody");
        assert.equal((await to("127.0.0.1")).body, "nobody", "an address is no name");
        assert.equal(nameserver.questions.filter((text) => text.endsWith("a..b")).length, 0);
        // As many as come at the same time are answered by one question.
        nameserver.set("A many.test", { records: ["many.test 5 A 127.0.0.1"] });
        const bodies = await Promise.all(
          Array.from({ length: 20 }, async () => (await to("many.test")).body),
        );
        assert.deepEqual(new Set(bodies), new Set(["one /x\n"]));
        assert.equal(nameserver.questions.filter((text) => text === "A many.test").length, 1);
        assert.match(
          await command("show resolvers dns"),
          / nameserver one:\n {2}sent: +\d+\n[\s\S]* nx: +[1-9]/,
        );
        assert.equal(sallyport.text.includes("exited"), false);
      });
    });

    test("a rule for connections finds a host, and what the client sends meanwhile waits", async () => {
      await withSite(engine, async ({ sallyport, tcpPort, nameserver }) => {
        nameserver.set("A here.test", { records: ["here.test 5 A 127.0.0.1"] });
        assert.equal((await ask(tcpPort, "/here.test/x")).body, "one /here.test/x\n");
        await assert.rejects(ask(tcpPort, "/nowhere.test/x"));
        nameserver.set("A late.test", "later");
        const socket = connect(tcpPort, "127.0.0.1");
        socket.write("POST /late.test/x HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
        await sallyport.until(() => nameserver.questions.includes("A late.test"), "it is asked");
        socket.write("x".repeat(100_000));
        nameserver.answerNow("A late.test", { records: ["late.test 5 A 127.0.0.1"] });
        socket.write("x".repeat(100_000));
        const [answer] = (await once(socket, "data")) as [Buffer];
        assert.match(answer.toString(), /one \/late\.test\/x/);
        socket.destroy();
      });
    });

    test("a body that comes while a rule waits is held, and goes where the rule says", async () => {
      await withSite(engine, async ({ sallyport, port, nameserver }) => {
        nameserver.set("A late.test", "later");
        const socket = connect(port, "127.0.0.1");
        const head = "POST /x HTTP/1.1\r\nHost: x\r\nX-Host: late.test\r\nExpect: 100-continue\r\n";
        socket.write(`${head}Content-Length: 400000\r\n\r\n`);
        await sallyport.until(() => nameserver.questions.includes("A late.test"), "it is asked");
        socket.write("x".repeat(400_000));
        nameserver.answerNow("A late.test", { records: ["late.test 5 A 127.0.0.1"] });
        let answer = "";
        socket.on("data", (bytes) => {
          answer += bytes.toString();
        });
        await sallyport.until(() => answer.includes("one /x\n"), "it is answered");
        socket.destroy();
      });
    });

    test("clients that leave while a rule waits, and garbage from nameservers, do no harm", async () => {
      await withSite(engine, async (site) => {
        const { sallyport, port, nameserver, one } = site;
        nameserver.set("A slow.test", "silence");
        const aborted = new AbortController();
        const gone = fetch(`http://127.0.0.1:${port}/`, {
          headers: { "x-host": "slow.test" },
          signal: aborted.signal,
        }).catch(() => "gone");
        await sallyport.until(() => nameserver.questions.includes("A slow.test"), "it is asked");
        aborted.abort();
        assert.equal(await gone, "gone");
        let seed = 7;
        const random = (limit: number) => {
          seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
          return Math.floor((seed / 2 ** 32) * limit);
        };
        serve(site, one);
        nameserver.forge = (message) => {
          const damaged = Buffer.from(message);
          for (let n = 0; n < 4; n++) damaged[random(damaged.length)] = random(256);
          return [Buffer.from(Array.from({ length: random(60) }, () => random(256))), damaged, message];
        };
        await sallyport.until(async () => (await answering(port)) === "one", "it serves all the same");
        const before = nameserver.questions.length;
        await sallyport.until(() => nameserver.questions.length > before + 100, "many more are answered");
        assert.equal(await answering(port), "one");
        assert.equal(sallyport.text.includes("exited"), false);
      });
    });
  });
}
