// The same file served by HAProxy 2.6 and by us, each with a nameserver of its own that says the same: after
// each change both have to come to the same states of servers, and to have logged the same lines on the way.
// What is waited for are states; the times in the file only say how fast programs look.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { get } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../free-port.ts";
import { askSocket, pause, TestDirectory } from "../processes/running-sallyport.ts";
import { requires } from "../requirements.ts";
import { Nameserver, type Reply } from "./nameserver.fixture.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/sallyport", import.meta.url));
const PATIENCE_MS = 20_000;

/** One attempt and no holding, so that each answer shows; silence is for servers of `patient` alone. */
function configuration(socket: string, port: number, nameserver: number): string {
  return `
global
  stats socket ${socket} level admin
  log stdout format priority local0
defaults
  mode http
  log global
  timeout connect 5s
  timeout client 5s
  timeout server 5s
resolvers dns
  nameserver one 127.0.0.1:${nameserver}
  accepted_payload_size 4096
  resolve_retries 1
  timeout resolve 100ms
  timeout retry 300ms
  hold nx 0
  hold other 0
  hold refused 0
  hold obsolete 0
resolvers patient
  nameserver one 127.0.0.1:${nameserver}
  resolve_retries 1
  timeout resolve 100ms
  timeout retry 2s
  hold timeout 0
frontend f
  bind 127.0.0.1:${port}
  http-request do-resolve(txn.ip,dns,ipv4) hdr(host),host_only
  http-request do-resolve(txn.ip6,dns) hdr(host),host_only
  http-request return status 200 hdr x-ip "%[var(txn.ip)] %[var(txn.ip6)]"
  default_backend pool
backend pool
  default-server init-addr none resolvers dns resolve-prefer ipv4
  server-template s 2 web.test:80
  server both web.test:81 init-addr 127.0.0.9 resolve-net 127.0.2.0/24
backend family
  server six six.test:80 init-addr none resolvers dns
  server twin1 twin.test:80 init-addr none resolvers dns resolve-prefer ipv4 resolve-opts allow-dup-ip
  server twin2 twin.test:80 init-addr none resolvers dns resolve-prefer ipv4 resolve-opts allow-dup-ip
backend service
  default-server resolvers dns resolve-prefer ipv4 weight 7
  server-template t 3 _http._tcp.test
  server-template u 2 _http._udp.test resolve-opts ignore-weight
backend late
  server l1 late.test:80 init-addr none resolvers patient resolve-prefer ipv4
`;
}

/** One of the two programs with its nameserver. */
class Party {
  readonly name: string;
  readonly nameserver: Nameserver;
  readonly #socket: string;
  readonly #port: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  hasEnded = false;
  #log = "";
  #seen = 0;
  #errors = "";

  constructor(name: string, nameserver: Nameserver, file: string, socket: string, port: number) {
    this.name = name;
    this.nameserver = nameserver;
    this.#socket = socket;
    this.#port = port;
    const [command, words] = name === "haproxy" ? ["/usr/sbin/haproxy", ["-db"]] : [LAUNCHER, ["-db"]];
    this.#child = spawn(command as string, [...(words as string[]), "-f", file], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout!.on("data", (bytes: Buffer) => {
      this.#log += bytes.toString();
    });
    this.#child.stderr!.on("data", (bytes: Buffer) => {
      this.#errors += bytes.toString();
    });
    this.#ended = new Promise((resolve) =>
      this.#child.once("close", () => {
        this.hasEnded = true;
        resolve(null);
      }),
    );
  }

  get errors(): string {
    return this.#errors;
  }

  command(line: string): Promise<string> {
    return askSocket(this.#socket, line);
  }

  /** What rules find for a host: by IPv4 first, and by IPv6 first. */
  resolve(host: string): Promise<string> {
    return new Promise((resolve, reject) => {
      get({ port: this.#port, host: "127.0.0.1", headers: { host }, agent: false }, (response) => {
        response.resume();
        resolve(`${response.statusCode} ${response.headers["x-ip"]}`);
      }).once("error", reject);
    });
  }

  /** Address, state, administrative state, weight, host name, port and service of each server. */
  async states(): Promise<string> {
    const answer = await this.command("show servers state").catch(() => "");
    const rows = answer
      .split("\n")
      .slice(2)
      .map((line) => line.split(" "));
    return rows
      .filter((row) => row.length > 20)
      .map((row) => [1, 3, 4, 5, 6, 7, 17, 18, 19].map((column) => row[column]).join(" "))
      .join("\n");
  }

  /** What statistics have of them: status, weight, address. */
  async statistics(): Promise<string> {
    const [header = "", ...lines] = (await this.command("show stat").catch(() => "")).split("\n");
    const names = header.replace("# ", "").split(",");
    const columns = ["pxname", "svname", "status", "weight", "act", "addr"].map((name) =>
      names.indexOf(name),
    );
    return lines
      .map((line) => line.split(","))
      .filter((row) => row.length > 20 && row[1] !== "FRONTEND")
      .map((row) => columns.map((column) => row[column]).join(" "))
      .join("\n");
  }

  /**
   * Lines since the last look, without those about the start. In which order servers of a service go together
   * is a matter of hashes in HAProxy.
   */
  newLines(): string[] {
    return this.#log
      .split("\n")
      .slice(0, -1)
      .slice(this.#seen)
      .filter((line) => /\bIP\b|maintenance|READY|available/.test(line))
      .map((line) => line.replace(/service\/t\d( is going DOWN)/, "service/t$1"))
      .sort();
  }

  markLines(): void {
    this.#seen = this.#log.split("\n").length - 1;
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
    await this.nameserver[Symbol.asyncDispose]();
  }
}

interface Step {
  readonly title: string;
  readonly replies?: Readonly<Record<string, Reply | "silence">>;
  readonly commands?: readonly string[];
  /** What states have to show. */
  readonly shows: readonly RegExp[];
}

const records = (...texts: readonly string[]): Reply => ({
  records: texts.filter((text) => !text.startsWith("+")),
  additional: texts.filter((text) => text.startsWith("+")).map((text) => text.slice(1)),
});
const SERVICE = "SRV _http._tcp.test";

const STEPS: readonly Step[] = [
  {
    title: "names that do not exist leave servers in maintenance",
    shows: [/^pool s1 - 0 32 /m, /^pool both - 0 32 /m, /^service t3 - 0 32 7 - 0 _http/m],
  },
  {
    title: "one address goes to the first server that asks for it",
    replies: { "A web.test": records("web.test 5 A 127.0.1.1") },
    shows: [/^pool s1 127.0.1.1 2 0 /m, /^pool s2 - 0 32 /m],
  },
  {
    title: "a second address goes to the second server",
    replies: { "A web.test": records("web.test 5 A 127.0.1.1", "web.test 5 A 127.0.1.2") },
    shows: [/^pool s2 127.0.1.2 2 0 /m],
  },
  {
    title: "an address in the preferred network goes to who prefers it, one that is gone is replaced",
    replies: {
      "A web.test": records("web.test 5 A 127.0.2.3", "web.test 5 A 127.0.1.1", "web.test 5 A 127.0.1.2"),
    },
    shows: [/^pool both 127.0.2.3 2 0 /m],
  },
  {
    title: "another address takes the place of one that is gone",
    replies: {
      "A web.test": records("web.test 5 A 127.0.2.3", "web.test 5 A 127.0.1.4", "web.test 5 A 127.0.1.2"),
    },
    shows: [/^pool s1 127.0.1.4 2 0 /m, /^pool s2 127.0.1.2 2 0 /m],
  },
  {
    title: "an alias leads to the address",
    replies: {
      "A web.test": records(
        "web.test 5 CNAME lb.test",
        "lb.test 5 A 127.0.2.3",
        "lb.test 5 A 127.0.1.4",
        "lb.test 5 A 127.0.1.6",
      ),
    },
    shows: [/^pool s2 127.0.1.6 2 0 /m],
  },
  {
    title: "a refusal takes the addresses away",
    replies: { "A web.test": { code: 5 }, "AAAA web.test": { code: 5 } },
    shows: [/^pool s1 - 0 32 /m, /^pool s2 - 0 32 /m, /^pool both - 0 32 /m],
  },
  {
    title: "a failure of the nameserver is another reason not to have one",
    replies: { "A web.test": records("web.test 5 A 127.0.1.1") },
    shows: [/127.0.1.1 2 0 /m],
  },
  {
    title: "and takes it away again",
    replies: { "A web.test": { code: 2 }, "AAAA web.test": { code: 2 } },
    shows: [/^pool s1 - 0 32 /m, /^pool s2 - 0 32 /m, /^pool both - 0 32 /m],
  },
  {
    title: "the preferred family is asked for first, the other one when there is nothing",
    replies: { "AAAA six.test": {}, "A six.test": records("six.test 5 A 127.0.3.1") },
    shows: [/^family six 127.0.3.1 2 0 /m],
  },
  {
    title: "and goes first as soon as it is there",
    replies: { "AAAA six.test": records("six.test 5 AAAA ::1") },
    shows: [/^family six ::1 2 0 /m],
  },
  {
    title: "servers that may have the same address share it",
    replies: { "A twin.test": records("twin.test 5 A 127.0.3.7") },
    shows: [/^family twin1 127.0.3.7 2 0 /m, /^family twin2 127.0.3.7 2 0 /m],
  },
  {
    title: "a service has servers, one with an address told along and one without",
    replies: {
      [SERVICE]: records("_http._tcp.test 5 SRV 0 300 8001 a.test", "+a.test 5 A 127.0.4.1"),
      "SRV _http._udp.test": records("_http._udp.test 5 SRV 0 900 8005 e.test", "+e.test 5 A 127.0.4.5"),
    },
    shows: [/^service t1 127.0.4.1 2 64 2 a.test 8001 /m, /^service u1 127.0.4.5 2 64 7 e.test 8005 /m],
  },
  {
    title: "and one of which the address is asked for",
    replies: {
      [SERVICE]: records(
        "_http._tcp.test 5 SRV 0 0 8001 a.test",
        "_http._tcp.test 5 SRV 0 300 8002 b.test",
        "+a.test 5 A 127.0.4.1",
      ),
      "A b.test": records("b.test 5 A 127.0.4.2"),
    },
    shows: [/^service t2 127.0.4.2 2 64 2 b.test 8002 /m],
  },
  {
    title: "weights of records change, and who is gone from them leaves",
    replies: {
      [SERVICE]: records("_http._tcp.test 5 SRV 0 65535 8001 a.test", "+a.test 5 A 127.0.4.1"),
    },
    shows: [/^service t1 127.0.4.1 2 64 256 a.test 8001 /m, /^service t2 - 0 96 2 - 0 /m],
  },
  {
    title: "a record that comes takes a server that never had one",
    replies: {
      [SERVICE]: records(
        "_http._tcp.test 5 SRV 0 65535 8001 a.test",
        "_http._tcp.test 5 SRV 0 1 8003 c.test",
        "+a.test 5 A 127.0.4.1",
        "+c.test 5 A 127.0.4.3",
      ),
    },
    shows: [/^service t\d 127.0.4.3 2 64 1 c.test 8003 /m],
  },
  {
    title: "one record takes the place of another",
    replies: {
      [SERVICE]: records(
        "_http._tcp.test 5 SRV 0 65535 8001 a.test",
        "_http._tcp.test 5 SRV 0 400 8004 d.test",
        "+a.test 5 A 127.0.4.1",
        "+d.test 5 A 127.0.4.4",
      ),
    },
    shows: [/^service t\d 127.0.4.4 2 64 2 d.test 8004 /m],
  },
  {
    title: "a service that does not exist any more has no servers",
    replies: { [SERVICE]: { code: 3 } },
    shows: [/^service t1 - 0 96 /m, /^service t2 - 0 96 /m],
  },
  {
    title: "the runtime API names another host",
    replies: { "A other.test": records("other.test 5 A 127.0.3.77") },
    commands: [
      "set server family/twin1 fqdn other.test",
      "set server family/twin1 fqdn other.test",
      "set server family/twin1 fqdn a..b",
      "set server service/t1 fqdn other.test",
      "set server family/twin1 fqdn",
    ],
    shows: [/^family twin1 127.0.3.77 2 0 1 other.test 80 /m],
  },
  {
    title: "what the runtime API says of an address stays while nameservers say what they did",
    replies: { "A twin.test": records("twin.test 5 A 127.0.3.7", "twin.test 5 A 127.0.3.8") },
    commands: ["set server family/twin2 addr 127.0.3.200"],
    shows: [/^family twin2 127.0.3.200 2 0 /m],
  },
  {
    title: "and goes when they say something else",
    replies: { "A twin.test": records("twin.test 5 A 127.0.3.9") },
    shows: [/^family twin2 127.0.3.9 2 0 /m],
  },
  {
    title: "a nameserver that answers gives an address also to who waits for it patiently",
    replies: { "A late.test": records("late.test 5 A 127.0.5.1") },
    shows: [/^late l1 127.0.5.1 2 0 /m],
  },
  {
    title: "and silence takes it away",
    replies: { "A late.test": "silence", "AAAA late.test": "silence" },
    shows: [/^late l1 - 0 32 /m],
  },
];

describe("names of servers beside HAProxy", { skip: requires("haproxy") }, () => {
  const directory = new TestDirectory();
  const parties: Party[] = [];

  before(async () => {
    for (const name of ["haproxy", "sallyport"]) {
      const nameserver = await Nameserver.start();
      const socket = directory.file(`${name}.sock`);
      const port = await freePort();
      const file = directory.file(`${name}.cfg`, configuration(socket, port, nameserver.port));
      parties.push(new Party(name, nameserver, file, socket, port));
    }
  });

  after(async () => {
    for (const party of parties) await party.end();
    directory[Symbol.dispose]();
  });

  for (const step of STEPS)
    test(step.title, async () => {
      const [haproxy, sallyport] = parties as [Party, Party];
      for (const { nameserver } of parties)
        for (const [question, reply] of Object.entries(step.replies ?? {})) nameserver.set(question, reply);
      for (const command of step.commands ?? [])
        assert.equal(await sallyport.command(command), await haproxy.command(command), command);
      const deadlineMs = Date.now() + PATIENCE_MS;
      for (;;) {
        const [theirs, ours] = await Promise.all([haproxy.states(), sallyport.states()]);
        const isThere = step.shows.every((pattern) => pattern.test(theirs));
        const areSame = theirs === ours && `${haproxy.newLines()}` === `${sallyport.newLines()}`;
        if (isThere && areSame) break;
        if (Date.now() > deadlineMs || parties.some(({ hasEnded }) => hasEnded)) {
          assert.equal(ours, theirs, sallyport.errors);
          assert.deepEqual(sallyport.newLines(), haproxy.newLines());
          assert.fail(`it does not come to that:\n${theirs}`);
        }
        await pause();
      }
      assert.equal(await sallyport.statistics(), await haproxy.statistics());
      for (const party of parties) party.markLines();
    });

  test("statistics say that the name is the reason", async () => {
    for (const party of parties)
      assert.match(await party.statistics(), /^late l1 MAINT \(resolution\) 1 1 $/m);
  });

  test("rules find the same hosts", async () => {
    for (const { nameserver } of parties) {
      nameserver.set("A one.test", records("one.test 5 A 127.0.6.1"));
      nameserver.set("A alias.test", records("alias.test 5 CNAME one.test", "one.test 5 A 127.0.6.1"));
      nameserver.set("A dual.test", records("dual.test 5 A 127.0.6.2"));
      nameserver.set("AAAA dual.test", records("dual.test 5 AAAA 2001:db8::2"));
      nameserver.set("AAAA six-only.test", records("six-only.test 5 AAAA 2001:db8::3"));
      nameserver.set("A refused.test", { code: 5 });
    }
    const hosts = [
      "one.test",
      "ONE.test:8080",
      "alias.test",
      "dual.test",
      "six-only.test",
      "refused.test",
      "no.test",
    ];
    for (const host of [...hosts, "a..b", "127.0.0.1", "x"]) {
      const [theirs, ours] = await Promise.all(parties.map((party) => party.resolve(host)));
      assert.equal(ours, theirs, host);
    }
    assert.equal(await parties[1]!.resolve("dual.test"), "200 127.0.6.2 2001:db8::2");
  });
});
