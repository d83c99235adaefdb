// Mails about servers: the same as HAProxy's, in the same cases, and nothing else suffers from mailers that
// are gone, slow or talk nonsense.
import assert from "node:assert/strict";
import net, { type AddressInfo } from "node:net";
import path from "node:path";
import { describe, test } from "node:test";
import { MemoryEngine } from "../../src/io/memory/memory-engine.ts";
import { MemoryNetwork } from "../../src/io/memory/memory-network.ts";
import { createPortableEngine } from "../../src/io/portable/portable-engine.ts";
import type { EmailAlerts } from "../../src/model/mailers.ts";
import { makeBackend } from "../../src/proxy/balance/backend.fixture.ts";
import {
  HAS_HAPROXY,
  makeDirectory,
  removeDirectory,
  startHaproxy,
} from "../../src/proxy/balance/haproxy.fixture.ts";
import { HealthChecks } from "../../src/proxy/health/health-checks.ts";
import { formatMailDate } from "../../src/proxy/mail/alert-mail.ts";
import { AlertMails } from "../../src/proxy/mail/alert-mails.ts";
import type { ConnectionHandler } from "../../src/transport/contract.ts";
import { freePort } from "../free-port.ts";

const ALERTS: EmailAlerts = {
  mailers: [{ name: "m", host: "10.0.0.1", port: 25 }],
  timeoutMs: 5000,
  from: "lb@example.com",
  to: "ops@example.com",
  level: "info",
  hostName: null,
};

/** What a mailer says to each line that it gets, by the line's first word; "" is the greeting. */
type Manners = Readonly<Record<string, string>>;
const POLITE: Manners = {
  "": "220 mx ready",
  HELO: "250 hello",
  MAIL: "250 ok",
  RCPT: "250 ok",
  DATA: "354 go on",
  ".": "250 taken",
  QUIT: "221 bye",
};

/** One conversation with a mailer: what comes in, and what it answers. */
class Conversation {
  readonly lines: string[] = [];
  readonly #manners: Manners;
  #text = "";
  #isData = false;

  constructor(manners: Manners) {
    this.#manners = manners;
  }

  receive(text: string): string {
    this.#text += text;
    let answer = "";
    for (let end = this.#text.indexOf("\r\n"); end >= 0; end = this.#text.indexOf("\r\n")) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      this.lines.push(line);
      if (this.#isData && line !== ".") continue;
      const word = line.split(" ")[0]!;
      this.#isData = word === "DATA";
      const reply = this.#manners[word];
      if (reply !== undefined) answer += `${reply}\r\n`;
    }
    return answer;
  }
}

class World {
  readonly network = new MemoryNetwork({ seed: 3 });
  readonly mailer = new MemoryEngine({ seed: 4, network: this.network, host: "10.0.0.1" });
  readonly engine = new MemoryEngine({ seed: 5, network: this.network });
  readonly reports: string[] = [];
  readonly conversations: Conversation[] = [];
  readonly mails = new AlertMails({
    engine: this.engine,
    hostName: "lb",
    lookUp: (host, done) => queueMicrotask(() => done(host === "mail.example" ? "10.0.0.1" : null)),
    report: (text) => this.reports.push(text),
  });

  listen(manners: Manners): void {
    const accept = (): ConnectionHandler => {
      const conversation = new Conversation(manners);
      this.conversations.push(conversation);
      const send = (connection: Parameters<ConnectionHandler["handleOpen"]>[0], text: string) => {
        const chunk = this.mailer.allocate(text.length);
        chunk.bytes.set(new TextEncoder().encode(text));
        connection.send(chunk, 0, text.length);
        chunk.release();
      };
      return {
        handleOpen: (connection) => {
          if (manners[""] !== undefined) send(connection, `${manners[""]}\r\n`);
        },
        handleData: (connection, chunk, start, end) => {
          const text = new TextDecoder("latin1").decode(chunk.bytes.subarray(start, end));
          const answer = conversation.receive(text);
          if (answer !== "") send(connection, answer);
        },
        handleDrain() {},
        handleEnd: (connection) => connection.close(),
        handleClose() {},
      };
    };
    const address = { kind: "tcp", host: "10.0.0.1", port: 25 } as const;
    const options = {
      address,
      backlog: 9,
      tls: null,
      acceptProxy: false,
      handshakeTimeoutMs: 1000,
      reusePort: false,
    };
    this.mailer.listen(options, { accept }, () => {});
    this.network.advance(1);
  }

  tell(text: string, alerts: Partial<EmailAlerts> = {}): void {
    this.mails.tell("web", { ...ALERTS, ...alerts }, "alert", text);
  }
}

describe("mails about servers", () => {
  test("a mail is handed over line by line, and a dot at the beginning of one does not end it", () => {
    const world = new World();
    world.listen(POLITE);
    world.tell("Server web/a is DOWN.\n.\r\nQUIT.", { hostName: "my.host" });
    world.network.advance(1000);
    const [{ lines }] = world.conversations as [Conversation];
    assert.deepEqual(lines.slice(0, 6), [
      "HELO my.host",
      "MAIL FROM:<lb@example.com>",
      "RCPT TO:<ops@example.com>",
      "DATA",
      "From: lb@example.com",
      "To: ops@example.com",
    ]);
    assert.deepEqual(lines.slice(7), [
      "Subject: [HAProxy Alert] Server web/a is DOWN. . QUIT",
      "",
      "Server web/a is DOWN. . QUIT",
      "",
      ".",
      "QUIT",
    ]);
    assert.deepEqual(world.reports, []);
  });

  test("what is less important than the level is not told", () => {
    const world = new World();
    world.listen(POLITE);
    world.tell("one", { level: "emerg" });
    world.network.advance(1000);
    assert.equal(world.conversations.length, 0);
    world.tell("one", { level: "alert" });
    world.network.advance(1000);
    assert.equal(world.conversations.length, 1);
  });

  test("replies of several lines are one reply, and after the text nothing can fail any more", () => {
    const world = new World();
    world.listen({
      ...POLITE,
      "": "220-one\r\n220 two",
      HELO: "250-a\r\n250-b\r\n250 c",
      MAIL: "250",
      QUIT: "500 what?",
    });
    world.tell("one");
    world.network.advance(1000);
    assert.equal(world.conversations[0]!.lines.at(-1), "QUIT");
    assert.deepEqual(world.reports, []);
  });

  test("a mailer that has a name is looked for at each mail", async () => {
    const world = new World();
    world.listen(POLITE);
    for (const host of ["mail.example", "nowhere.example"]) {
      world.tell("one", { mailers: [{ name: host, host, port: 25 }] });
      await Promise.resolve();
      world.network.advance(1000);
    }
    assert.equal(world.conversations.length, 1);
    assert.deepEqual(world.reports, ["mailer nowhere.example of web did not take a mail: it has no address"]);
  });

  for (const [title, manners, problem] of [
    ["refuses the receiver", { ...POLITE, RCPT: "550 who is that?" }, "it says: 550 who is that?"],
    ["says nothing", {}, "it took too long"],
    ["does not greet as mailers do", { "": "HTTP/1.1 400 Bad Request" }, "it does not speak SMTP"],
    ["never ends", { "": "220-x\r\n".repeat(2000) }, "it does not speak SMTP"],
  ] as const) {
    test(`a mailer that ${title} gets the next mail nevertheless`, () => {
      const world = new World();
      world.listen(manners);
      world.tell("one");
      world.tell("two");
      world.network.advance(11_000);
      const expected = `mailer m of web did not take a mail: ${problem}`;
      assert.deepEqual(world.reports, [expected, expected]);
      assert.equal(world.conversations.length, 2);
    });
  }

  test("a mailer that is not there loses the mail, and no more wait for it than there is room for", () => {
    const world = new World();
    for (let i = 0; i < 300; i++) world.tell("one");
    world.network.advance(600_000);
    const lost = world.reports.filter((text) => text.includes("did not take a mail"));
    assert.equal(lost.length, 101);
    assert.ok(world.reports.includes("mailer m of web: 100 mails wait, further ones are lost"));
    assert.equal(world.reports.at(-1), "mailer m of web: 199 mails were lost");
  });

  test("a date has the offset of its zone", () => {
    assert.match(
      formatMailDate(new Date(0)),
      /^(Thu|Wed), (01 Jan 1970|31 Dec 1969) \d\d:00:00 [+-]\d{4} \(.+\)$/,
    );
  });
});

/** A mailer on loopback that keeps the mails that it took. */
async function listenForMails(mails: string[][]): Promise<net.Server> {
  const server = net.createServer((socket) => {
    const conversation = new Conversation(POLITE);
    socket.on("error", () => {});
    socket.write(`${POLITE[""]}\r\n`);
    socket.setEncoding("latin1").on("data", (text: string) => {
      const answer = conversation.receive(text);
      if (answer !== "") socket.write(answer);
      if (conversation.lines.at(-1) === "QUIT") {
        mails.push(conversation.lines.map(withoutTimes));
        socket.end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function withoutTimes(line: string): string {
  return line
    .replace(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d ([+-]\d{4} \(.+\))$/, "Date: … $1")
    .replace(/duration: \d+ms/, "duration: ?");
}

function portOf(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}

test("the same mails come from HAProxy and from us", { skip: !HAS_HAPROXY }, async () => {
  const directory = makeDirectory();
  const [theirs, ours]: [string[][], string[][]] = [[], []];
  const [theirMailer, ourMailer] = [await listenForMails(theirs), await listenForMails(ours)];
  const refused = await freePort();
  const up = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => up.listen(0, "127.0.0.1", resolve));
  const lines = [
    "global",
    "stats socket unix@DIRECTORY/admin level admin",
    "mailers m",
    `mailer one 127.0.0.1:${portOf(theirMailer)}`,
    "defaults",
    "timeout connect 5s",
    "timeout client 5s",
    "timeout server 5s",
    "email-alert mailers m",
    "email-alert from lb@example.com",
    "email-alert to ops@example.com",
    "email-alert myhostname lb.example.com",
    "backend silent",
    "email-alert level emerg",
    `server s 127.0.0.1:${refused} check inter 200 fall 1`,
    "backend plain",
    `server s 127.0.0.1:${refused} check inter 200 fall 1`,
    "backend verbose",
    "email-alert level info",
    "option log-health-checks",
    `server s 127.0.0.1:${portOf(up)} check inter 200 fall 1`,
    `server t 127.0.0.1:${refused} check inter 200 fall 1`,
    "backend tracking",
    "email-alert level notice",
    "server s 127.0.0.1:1 track plain/s",
    "backend draining",
    "email-alert level notice",
    `server d 127.0.0.1:${portOf(up)}`,
  ];
  const haproxy = await startHaproxy(directory, `${lines.join("\n")}\n`, ["admin"]);
  await new Promise<void>((resolve) => {
    const socket = net.connect(path.join(directory, "admin"), () =>
      socket.end("set server draining/d state drain\n"),
    );
    socket.on("close", () => resolve()).resume();
  });

  const engine = createPortableEngine();
  const mails = new AlertMails({ engine, hostName: "lb.example.com", lookUp() {}, report() {} });
  const check = {
    interMs: 200,
    fastInterMs: null,
    downInterMs: null,
    rise: 2,
    fall: 1,
    port: null,
    address: null,
    tls: null,
    sni: null,
    alpn: [],
    viaSocks4: false,
  } as const;
  const at = (port: number) =>
    ({ address: { kind: "tcp", host: "127.0.0.1", port, portOffset: 0 } }) as const;
  const alerts = (level: EmailAlerts["level"]) => ({
    emailAlerts: {
      ...ALERTS,
      mailers: [{ name: "one", host: "127.0.0.1", port: portOf(ourMailer) }],
      level,
    },
  });
  const state = makeBackend({}).state;
  const backends = [
    makeBackend({ s: { ...at(refused), check } }, { name: "silent", state, slot: 1, proxy: alerts("emerg") }),
    makeBackend({ s: { ...at(refused), check } }, { name: "plain", state, slot: 4, proxy: alerts("alert") }),
    makeBackend(
      { s: { ...at(portOf(up)), check }, t: { ...at(refused), check } },
      { name: "verbose", state, slot: 8, proxy: alerts("info"), options: { logHealthChecks: true } },
    ),
    makeBackend(
      { s: { ...at(1), track: { backend: "plain", server: "s" } } },
      { name: "tracking", state, slot: 12, proxy: alerts("notice") },
    ),
    makeBackend({ d: at(portOf(up)) }, { name: "draining", state, slot: 15, proxy: alerts("notice") }),
  ];
  const checks = new HealthChecks(engine, backends, {
    spreadChecksPercent: 0,
    nodeName: "n",
    emit(event) {
      if (event.kind !== "log" || event.mailLevel === null) return;
      const { name, emailAlerts } = event.backend.definition;
      mails.tell(name, emailAlerts!, event.mailLevel, event.text);
    },
  });
  checks.start(null);
  checks.stateOf(backends[4]!.servers[0]!)!.setDrain(0);
  engine.run();
  // DOWN of plain/s, tracking/s and verbose/t, the checks of verbose/s and verbose/t, the drain.
  while (theirs.length < 6 || ours.length < 6) await new Promise((resolve) => setTimeout(resolve, 20));
  checks.stop();
  mails.close();
  engine.stop();
  await haproxy.dispose();
  for (const server of [theirMailer, ourMailer, up]) await new Promise((resolve) => server.close(resolve));
  removeDirectory(directory);
  const sorted = (all: string[][]) => all.map((one) => one.join("\n")).sort();
  assert.deepEqual(sorted(ours), sorted(theirs));
});
