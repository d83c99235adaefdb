import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseSubnet } from "../../base/ip.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { ConsoleRight } from "../../model/datacenter.ts";
import { CERTIFICATE, ConsoleWorld, ENDPOINT } from "./console.fixture.ts";
import { setPassword } from "./users.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

async function ask(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  form: Readonly<Record<string, string>> | null = null,
): Promise<Answer> {
  const call = request(url, {
    method: form === null ? "GET" : "POST",
    headers,
    ca: CERTIFICATE.certificatePem,
    agent: false,
  });
  call.end(form === null ? undefined : new URLSearchParams(form).toString());
  const [response] = await once(call, "response");
  let body = "";
  for await (const part of response) body += part;
  return { status: response.statusCode, headers: response.headers, body };
}

async function portalOf(
  t: TestContext,
  from: string[] = [],
  rights: readonly ConsoleRight[] | null = null,
): Promise<ConsoleWorld> {
  const world = new ConsoleWorld();
  t.after(() => world.close());
  const usersFile = join(world.folder, "users");
  await setPassword(usersFile, "anna", "right");
  const subnets = from.map((text) => {
    const parsed = parseSubnet(text);
    assert.ok(parsed !== null);
    return parsed.subnet;
  });
  const signOn = { header: "x-user", from: subnets };
  await world.start(
    { web: { serial: await world.backend("serial", (socket) => socket.write("login: ")) } },
    { portal: { ...ENDPOINT, usersFile, signOn, rights } },
  );
  return world;
}

const FORM = { user: "anna", password: "right", machine: "web", kind: "serial" };

test("name and password lead to the console, by a ticket that browsers send to nobody", async (t) => {
  const world = await portalOf(t);
  const portal = world.server.portalOrigin!;
  assert.match((await ask(portal)).body, /name="password"/);
  const answer = await ask(portal, { origin: portal }, FORM);
  assert.equal(answer.status, 303);
  const url = new URL(String(answer.headers["location"]));
  assert.equal(url.origin + url.pathname, `${world.server.origin}/serial`);
  const client = await world.connect(url.hash.slice(1));
  await client.untilText("login: ");
  assert.equal(world.audit[0]?.event, "login");
});

test("a wrong password, an unknown user and an unknown machine are told apart by the log only", async (t) => {
  const world = await portalOf(t);
  const portal = world.server.portalOrigin!;
  const answers = new Set<string>();
  for (const change of [{ password: "wrong" }, { user: "bert" }, { machine: "db" }, { kind: "vnc" }]) {
    const { status, body } = await ask(portal, { origin: portal }, { ...FORM, ...change });
    answers.add(`${status} ${body}`);
  }
  assert.equal(answers.size, 1);
  assert.match([...answers][0]!, /^403 /);
  assert.equal((await ask(portal, { origin: "https://evil.example" }, FORM)).status, 403);
});

test("rights: who may only look gets no keyboard, who may nothing is told no more than a stranger", async (t) => {
  const located = <T>(value: T) => ({ value, span: NO_SPAN });
  const right = (open: string[], look: string[]) => ({
    ...{ user: located("anna"), open: open.map(located), look: look.map(located), span: NO_SPAN },
  });
  const looking = await portalOf(t, [], [right(["db"], ["w*"])]);
  const portal = looking.server.portalOrigin!;
  const answer = await ask(portal, { origin: portal }, FORM);
  assert.equal(answer.status, 303);
  assert.match(String(answer.headers["location"]), /\/serial\?view-only#/);
  assert.equal(looking.audit[0]?.["viewOnly"], true);
  const without = await portalOf(t, [], [right(["db"], [])]);
  const other = without.server.portalOrigin!;
  const refused = await ask(other, { origin: other }, FORM);
  const stranger = await ask(other, { origin: other }, { ...FORM, password: "wrong" });
  assert.equal(refused.status, 403);
  assert.equal(refused.body, stranger.body);
  const { event, user, machine, reason } = without.audit[0]!;
  assert.deepEqual(
    [event, user, machine, reason],
    ["login-refused", "anna", "web", "no right to this machine"],
  );
});

test("after ten failures in a minute an address has to wait, even with the right password", async (t) => {
  const world = await portalOf(t);
  const portal = world.server.portalOrigin!;
  for (let i = 0; i < 10; i++) await ask(portal, { origin: portal }, { ...FORM, password: "wrong" });
  assert.equal((await ask(portal, { origin: portal }, FORM)).status, 429);
});

test("a sign-on proxy's header counts from its own address only", async (t) => {
  const trusting = await portalOf(t, ["127.0.0.0/8"]);
  const portal = trusting.server.portalOrigin!;
  const headers = { origin: portal, "x-user": "carla", "x-forwarded-for": "192.0.2.9, 127.0.0.1" };
  const answer = await ask(portal, headers, { machine: "web", kind: "serial" });
  assert.equal(answer.status, 303);
  assert.equal(trusting.audit[0]?.["user"], "carla");
  const wary = await portalOf(t, ["192.0.2.0/24"]);
  const other = wary.server.portalOrigin!;
  const refused = await ask(other, { ...headers, origin: other }, { machine: "web", kind: "serial" });
  assert.equal(refused.status, 403);
});

test("pages have no script inside and a policy; nothing but known files is served", async (t) => {
  const world = await portalOf(t);
  const { origin } = world.server;
  for (const path of ["/vnc", "/serial"]) {
    const { headers, body } = await ask(origin + path);
    assert.match(String(headers["content-security-policy"]), /default-src 'none'; script-src 'self';/);
    assert.doesNotMatch(body, /<script(?![^>]* src=)|<style| on\w+=/);
  }
  assert.match((await ask(`${origin}/novnc/core/rfb.js`)).body, /export default class RFB/);
  assert.match(String((await ask(`${origin}/xterm/xterm.mjs`)).headers["content-type"]), /javascript/);
  for (const path of ["/", "/novnc/package.json", "/novnc/core/../package.json", "/%2e%2e/etc/passwd"])
    assert.equal((await ask(origin + path)).status, 404);
  assert.equal((await ask(`${origin}/vnc`, {}, {})).status, 405);
  assert.equal((await ask(`${origin}/socket`)).status, 404);
});
