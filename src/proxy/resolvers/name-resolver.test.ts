import assert from "node:assert/strict";
import { test } from "node:test";
import { addressRecord, makeSection, makeServer, ResolverStage, serviceRecord } from "./resolvers.fixture.ts";

const A = "A web.test";

function answerA(stage: ResolverStage, ...addresses: readonly string[]): void {
  stage.replies.set(A, { records: addresses.map((address) => addressRecord("web.test", address)) });
}

test("servers with one name take its addresses, each another, and follow them", () => {
  const stage = new ResolverStage();
  answerA(stage, "192.0.2.1", "192.0.2.2");
  const servers = ["s1", "s2", "s3"].map((name) => makeServer(name, "web.test"));
  stage.resolver.follow([makeSection()], servers);
  stage.pass(16);
  assert.deepEqual(stage.takeEvents(), [
    "s1 at 192.0.2.1 by dns/one",
    "s1 available",
    "s2 at 192.0.2.2 by DNS cache",
    "s2 available",
    "s3 unavailable: No IP for server ",
  ]);
  answerA(stage, "192.0.2.3", "192.0.2.2");
  stage.pass(1016);
  assert.deepEqual(stage.takeEvents().slice(0, 3), [
    "s1 at 192.0.2.3 by dns/one",
    "s1 available",
    "s2 available",
  ]);
  assert.equal(stage.asked.length, 2);
  const { sent, valid, update } = stage.resolver.countersOf("dns", "one");
  assert.deepEqual([sent, valid, update], [2, 2, 2]);
});

test("what is missing from an answer is forgotten after `hold obsolete`", () => {
  const stage = new ResolverStage();
  const server = makeServer("s1", "web.test");
  answerA(stage, "192.0.2.1");
  stage.resolver.follow([makeSection({ holdMs: { obsolete: 2500 } })], [server]);
  stage.pass(16);
  answerA(stage, "192.0.2.2");
  stage.pass(2100);
  assert.equal(server.address, "192.0.2.1");
  stage.pass(1100);
  assert.equal(server.address, "192.0.2.2");
});

test("a failure holds until its time is over, and a good answer ends it at once", () => {
  const stage = new ResolverStage();
  const server = makeServer("s1", "web.test");
  answerA(stage, "192.0.2.1");
  stage.resolver.follow([makeSection({ attempts: 1, holdMs: { nx: 2500, timeout: 5000 } })], [server]);
  stage.pass(16);
  stage.replies.set(A, { code: 3 }).set("AAAA web.test", { code: 3 });
  stage.takeEvents();
  stage.pass(2400);
  assert.deepEqual(stage.takeEvents(), []);
  stage.pass(1200);
  assert.deepEqual(stage.takeEvents(), ["s1 unavailable: DNS NX status"]);
  assert.equal(server.address, "");
  answerA(stage, "192.0.2.1");
  stage.pass(1100);
  assert.deepEqual(stage.takeEvents(), ["s1 at 192.0.2.1 by dns/one", "s1 available"]);
});

test("a server that begins with an address has as long as one that had an answer", () => {
  const stage = new ResolverStage();
  const server = makeServer("s1", "web.test", { address: "192.0.2.9" });
  stage.resolver.follow([makeSection({ attempts: 1, holdMs: { timeout: 3000 } })], [server]);
  stage.pass(2900);
  assert.equal(server.address, "192.0.2.9");
  stage.pass(1200);
  assert.deepEqual(stage.takeEvents(), ["s1 unavailable: DNS timeout status"]);
});

test("records of a service become servers: host, port, weight, and the address that was told along", () => {
  const stage = new ResolverStage();
  const name = "_http._tcp.test";
  const servers = ["t1", "t2", "t3"].map((server) => makeServer(server, name));
  stage.replies.set(`SRV ${name}`, {
    records: [serviceRecord(name, "a.test", 8001, 0), serviceRecord(name, "b.test", 8002, 300)],
    additional: [addressRecord("a.test", "192.0.2.1")],
  });
  stage.replies.set("A b.test", { records: [addressRecord("b.test", "192.0.2.2")] });
  stage.resolver.follow([makeSection()], servers);
  stage.pass(32);
  assert.deepEqual(stage.takeEvents(), [
    "t1 is a.test:8001",
    "t1 at 192.0.2.1 by DNS additional record",
    "t1 available without a question",
    "t1 weighs 0",
    "t2 is b.test:8002",
    "t2 weighs 2",
    "t2 at 192.0.2.2 by dns/one",
    "t2 available",
  ]);
  stage.replies.set(`SRV ${name}`, { records: [serviceRecord(name, "b.test", 8002, 300)] });
  stage.pass(1016);
  assert.deepEqual(
    stage.takeEvents().filter((text) => text.startsWith("t1")),
    ["t1 unavailable: entry removed from SRV record", "t1 is null:null"],
  );
  stage.replies.set(`SRV ${name}`, { code: 3 });
  stage.pass(1500);
  assert.match(stage.takeEvents().join("\n"), /t2 unavailable: entry removed from SRV record/);
  stage.asked = [];
  stage.pass(3000);
  assert.deepEqual(
    stage.asked.filter((text) => !text.startsWith("SRV")),
    [],
    "nobody asks for hosts that no server has",
  );
});

test("`resolve-opts ignore-weight` leaves weights alone", () => {
  const stage = new ResolverStage();
  const name = "_http._tcp.test";
  stage.replies.set(`SRV ${name}`, { records: [serviceRecord(name, "a.test", 8001, 900)] });
  stage.resolver.follow([makeSection()], [makeServer("t1", name, { ignoresWeight: true })]);
  stage.pass(16);
  assert.deepEqual(stage.takeEvents(), ["t1 is a.test:8001"]);
});

test("what the runtime API says of an address stays until nameservers say something else than then", () => {
  const stage = new ResolverStage();
  const server = makeServer("s1", "web.test");
  answerA(stage, "192.0.2.1");
  stage.resolver.follow([makeSection()], [server]);
  stage.pass(16);
  stage.resolver.moveServer(server, "192.0.2.99");
  answerA(stage, "192.0.2.1", "192.0.2.2");
  stage.pass(3000);
  assert.equal(server.address, "192.0.2.99");
  answerA(stage, "192.0.2.2");
  stage.pass(1100);
  assert.equal(server.address, "192.0.2.2");
  stage.resolver.moveServer(server, "192.0.2.99");
  stage.replies.set("A other.test", { records: [addressRecord("other.test", "192.0.2.7")] });
  stage.resolver.renameServer(server, "other.test");
  stage.pass(16);
  assert.equal(server.address, "192.0.2.7");
});

test("a reload keeps what is known, drops what is not there any more, and asks new nameservers at once", () => {
  const stage = new ResolverStage();
  const [stays, goes] = [makeServer("s1", "web.test"), makeServer("s2", "gone.test")];
  answerA(stage, "192.0.2.1");
  stage.resolver.follow([makeSection()], [stays, goes]);
  stage.pass(16);
  stage.takeAsked();
  stage.resolver.follow([makeSection()], [stays]);
  assert.deepEqual(stage.takeAsked(), []);
  stage.resolver.follow([makeSection({ nameservers: ["two"] })], [stays]);
  stage.pass(8);
  assert.deepEqual(stage.takeAsked(), ["A web.test at 16"]);
  stage.pass(3000);
  const asked = stage.takeAsked();
  assert.ok(asked.every((text) => !text.includes("gone.test")));
  assert.equal(stage.resolver.countersOf("dns", "two").sent, asked.length + 1);
});

test("a rule gets an address once it is known, all that ask at the same time by one question", () => {
  const stage = new ResolverStage();
  answerA(stage, "192.0.2.1", "192.0.2.2");
  stage.resolver.follow([makeSection({ holdMs: { valid: 5000 } })], []);
  const got: (string | null)[] = [];
  const ask = (host = "web.test", section = "dns") =>
    stage.resolver.resolveOnce(section, host, 4, (address) => got.push(address));
  ask();
  ask("WEB.test");
  assert.deepEqual(got, []);
  stage.pass(16);
  assert.deepEqual(got.splice(0), ["192.0.2.1", "192.0.2.1"]);
  stage.pass(4000);
  ask();
  assert.deepEqual(got.splice(0), ["192.0.2.1"]);
  assert.equal(stage.asked.length, 1, "an answer is good for as long as `hold valid` says");
  stage.pass(2000);
  ask();
  assert.equal(stage.asked.length, 2);
  ask("web.test", "nowhere");
  assert.deepEqual(got.splice(0), [null]);
});

test("a rule gets nothing for a name that does not exist, that nobody answers for, and in the end", () => {
  const stage = new ResolverStage();
  stage.replies.set(A, { code: 3 }).set("AAAA web.test", { code: 3 });
  stage.resolver.follow([makeSection({ attempts: 1 })], []);
  const got: (string | null)[] = [];
  for (const host of ["web.test", "silent.test"])
    stage.resolver.resolveOnce("dns", host, 4, (address) => got.push(address));
  stage.pass(300);
  assert.deepEqual(got.splice(0), [null, null]);
  stage.resolver.resolveOnce("dns", "late.test", 4, (address) => got.push(address));
  stage.resolver.stop();
  assert.deepEqual(got, [null]);
});

test("names that rules ask for are bounded, and take the room of no server", () => {
  const stage = new ResolverStage();
  stage.resolver.follow([makeSection({ attempts: 1 })], []);
  let refusedCount = 0;
  const flood = () => {
    for (let i = 0; i < 5000; i++) stage.resolver.resolveOnce("dns", `${i}.test`, 4, () => refusedCount++);
  };
  flood();
  assert.equal(refusedCount, 5000 - 4096);
  const server = makeServer("s1", "web.test");
  answerA(stage, "192.0.2.1");
  stage.resolver.follow([makeSection({ attempts: 1 })], [server]);
  stage.pass(16);
  assert.equal(server.address, "192.0.2.1");
  stage.pass(400);
  let address: string | null = "";
  stage.replies.set("A new.test", { records: [addressRecord("new.test", "192.0.2.3")] });
  stage.resolver.resolveOnce("dns", "new.test", 4, (found) => {
    address = found;
  });
  stage.pass(16);
  assert.equal(address, "192.0.2.3", "the oldest that nobody waits for any more makes room");
});

test("a server that does not answer is asked for at once", () => {
  const stage = new ResolverStage();
  const server = makeServer("s1", "web.test");
  answerA(stage, "192.0.2.1");
  stage.resolver.follow([makeSection({ resolveMs: 60_000 })], [server, makeServer("s2", "other.test")]);
  stage.pass(16);
  stage.takeAsked();
  answerA(stage, "192.0.2.2");
  stage.resolver.hurryServer(server);
  stage.resolver.hurryServer(server);
  stage.pass(16);
  assert.equal(server.address, "192.0.2.2");
  assert.deepEqual(
    stage.takeAsked().filter((text) => text.includes("web.test")),
    ["A web.test at 16"],
  );
});
