import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseSubnet } from "../../base/ip.ts";
import type { Role, SessionAnswer } from "../../model/dashboard-api.ts";
import { setPassword } from "../console/users.ts";
import { type Answered, startDashboard, type TestDashboard } from "./dashboard.fixture.ts";
import { readOpenApi } from "./openapi.ts";
import { Sessions } from "./sessions.ts";

const PASSWORD = "correct horse";
const folder = mkdtempSync(join(tmpdir(), "sallyport-dashboard-users-"));
const usersFile = join(folder, "users");

before(async () => {
  await setPassword(usersFile, "vera", PASSWORD, "viewer");
  await setPassword(usersFile, "otto", PASSWORD, "operator");
  await setPassword(usersFile, "anna", PASSWORD, "admin");
});
after(() => rmSync(folder, { recursive: true }));

function logIn({ ask }: TestDashboard, user: string, password = PASSWORD): Promise<Answered> {
  return ask("/api/v1/session", { method: "POST", body: { user, password } });
}

async function cookieOf(own: TestDashboard, user: string): Promise<string> {
  const { headers, status } = await logIn(own, user);
  assert.equal(status, 200);
  return headers["set-cookie"]![0]!.split(";", 1)[0]!;
}

test("a login gives a cookie that scripts and other sites cannot use, and logging out takes it away", async (t) => {
  const own = await startDashboard(t, { usersFile });
  const nobody = (await own.ask("/api/v1/session")).json<SessionAnswer>();
  assert.deepEqual([nobody.user, nobody.csrfToken, nobody.isLoginRequired], [null, null, true]);
  assert.equal((await own.ask("/api/v1/overview")).status, 401);
  const { headers } = await logIn(own, "vera");
  assert.match(
    headers["set-cookie"]![0]!,
    /^sallyport-\d+=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
  );
  const cookie = headers["set-cookie"]![0]!.split(";", 1)[0]!;
  assert.equal((await own.ask("/api/v1/overview", { headers: { cookie } })).status, 200);
  const out = await own.change("/api/v1/session", undefined, { method: "DELETE", headers: { cookie } });
  assert.match(out.headers["set-cookie"]![0]!, /Max-Age=0/);
  assert.equal((await own.ask("/api/v1/overview", { headers: { cookie } })).status, 401);
});

test("each role may do what it may, and a refusal says what it would take", async (t) => {
  const own = await startDashboard(t, { usersFile });
  const allowed: Record<Role, readonly number[]> = {
    viewer: [200, 403, 403],
    operator: [200, 200, 403],
    admin: [200, 200, 200],
  };
  for (const [user, role] of [
    ["vera", "viewer"],
    ["otto", "operator"],
    ["anna", "admin"],
  ] as const) {
    const cookie = await cookieOf(own, user);
    const action = own.change("/api/v1/servers/app/a/actions", { action: "ready" }, { headers: { cookie } });
    const statuses = [
      (await own.ask("/api/v1/servers", { headers: { cookie } })).status,
      (await action).status,
      (await own.change("/api/v1/reload", undefined, { headers: { cookie } })).status,
    ];
    assert.deepEqual(statuses, allowed[role], role);
  }
  const cookie = await cookieOf(own, "vera");
  const ticket = { kind: "serial", isViewOnly: false };
  const refused = await own.change("/api/v1/consoles/db/tickets", ticket, { headers: { cookie } });
  assert.equal(refused.status, 403);
  assert.match(refused.text, /operator/);
});

test("no route but that of the session and the OpenAPI file answers to strangers", async (t) => {
  const own = await startDashboard(t, { usersFile });
  const paths = readOpenApi()["paths"] as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations)) {
      if (/\/(?:session|openapi\.json)$/.test(path)) continue;
      const body = method === "post" ? { body: {} } : {};
      const asked = path.replaceAll(/\{\w+\}/g, "1");
      const { status } = await own.ask(asked, { method: method.toUpperCase(), ...body });
      assert.equal(status, 401, `${method} ${path}`);
    }
  }
  assert.deepEqual(own.reports, [], "strangers do not fill the log");
});

test("a user who is taken out of the file is out at once, and one whose role changes has the new one", async (t) => {
  const own = await startDashboard(t, { usersFile });
  await setPassword(usersFile, "gone", PASSWORD, "admin");
  const cookie = await cookieOf(own, "gone");
  await setPassword(usersFile, "gone", PASSWORD, "viewer");
  const session = (await own.ask("/api/v1/session", { headers: { cookie } })).json<SessionAnswer>();
  assert.equal(session.role, "viewer");
  const { removeUser } = await import("../console/users.ts");
  removeUser(usersFile, "gone");
  assert.equal((await own.ask("/api/v1/overview", { headers: { cookie } })).status, 401);
});

test("a sign-on proxy's header is believed from its addresses only, and who is in no file may look", async (t) => {
  const signOn = { header: "x-remote-user", from: [parseSubnet("127.0.0.0/8")!.subnet] };
  const own = await startDashboard(t, { usersFile, signOn });
  const as = (user: string) => ({ "x-remote-user": user, "x-forwarded-for": "10.9.9.9, 198.51.100.7" });
  const session = (await own.ask("/api/v1/session", { headers: as("anna") })).json<SessionAnswer>();
  assert.deepEqual([session.user, session.role, session.isLoginRequired], ["anna", "admin", false]);
  const path = "/api/v1/servers/app/a/actions";
  const token = { "x-csrf-token": session.csrfToken! };
  const body = { action: "drain" };
  assert.equal(
    (await own.ask(path, { method: "POST", body, headers: { ...as("anna"), ...token } })).status,
    200,
  );
  assert.match(own.reports.at(-1)!, /"user":"anna","client":"198.51.100.7"/);
  // Somebody else's token is of no use.
  assert.equal(
    (await own.ask(path, { method: "POST", body, headers: { ...as("otto"), ...token } })).status,
    403,
  );
  const guest = (await own.ask("/api/v1/session", { headers: as("guest") })).json<SessionAnswer>();
  assert.equal(guest.role, "viewer");
  assert.equal((await own.ask("/api/v1/overview", { headers: as("no:name") })).status, 401);
  const elsewhere = { header: "x-remote-user", from: [parseSubnet("192.0.2.0/24")!.subnet] };
  const other = await startDashboard(t, { signOn: elsewhere });
  assert.equal((await other.ask("/api/v1/overview", { headers: as("anna") })).status, 401);
});

test("events end with the session that opened them", async (t) => {
  const own = await startDashboard(t, { usersFile });
  const cookie = await cookieOf(own, "vera");
  const headers = { cookie, host: "localhost" };
  const asked = request({ host: "127.0.0.1", port: own.port, path: "/api/v1/events", headers }).end();
  const [events] = (await once(asked, "response")) as [IncomingMessage];
  events.resume();
  await own.change("/api/v1/session", undefined, { method: "DELETE", headers: { cookie } });
  own.dashboard.tick();
  await once(events, "end");
});

test("who tries to change what he may not is in the audit log", async (t) => {
  const own = await startDashboard(t, { usersFile });
  const cookie = await cookieOf(own, "vera");
  await own.change("/api/v1/reload", undefined, { headers: { cookie } });
  assert.match(
    own.reports.at(-1)!,
    /"event":"refused","user":"vera".*"POST \/reload","reason":"role-too-low"/,
  );
});

test("without the token of its session nothing is changed", async (t) => {
  const { ask, change } = await startDashboard(t);
  const path = "/api/v1/servers/app/a/actions";
  const body = { action: "maintenance" };
  assert.equal((await ask(path, { method: "POST", body })).status, 403);
  assert.equal((await ask(path, { method: "POST", body, headers: { "x-csrf-token": "guess" } })).status, 403);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  assert.equal((await change(path, body, { headers: form })).status, 415);
  assert.equal((await change(path, body)).status, 200);
});

test("a foreign name and a foreign site's page are refused, whatever they ask", async (t) => {
  const { ask, change, port } = await startDashboard(t);
  for (const host of [
    "evil.example",
    `evil.example:${port}`,
    "x@localhost",
    "localhost.evil.example",
    "localhost:99999",
  ])
    assert.equal((await ask("/", { headers: { host } })).status, 421, host);
  for (const host of ["localhost", `127.0.0.1:${port}`, `LOCALHOST:${port}`])
    assert.equal((await ask("/api/v1/overview", { headers: { host } })).status, 200, host);
  const foreign = [
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `http://localhost:${port + 1}` },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) {
    assert.equal((await ask("/api/v1/overview", { headers })).status, 403, JSON.stringify(headers));
    assert.equal((await change("/api/v1/undo", { token: "" }, { headers })).status, 403);
  }
  const own = { origin: `http://localhost:${port}`, "sec-fetch-site": "same-origin" };
  assert.equal((await change("/api/v1/undo", { token: "" }, { headers: own })).status, 409);
});

test("a name that the operator adds is one of its own", async (t) => {
  const { ask, dashboard } = await startDashboard(t, { names: ["lb.company.com"], usersFile });
  assert.match(dashboard.origin!, /^http:\/\/lb\.company\.com:/);
  assert.equal((await ask("/api/v1/session", { headers: { host: "lb.company.com" } })).status, 200);
});

test("ten wrong passwords from one address in a minute, and it has to wait; the clock lets it in again", async () => {
  let now = 1_000_000;
  const sessions = new Sessions({ usersFile, signOn: null, isSecure: false }, () => now);
  for (let i = 0; i < 10; i++) assert.equal((await sessions.logIn("anna", "wrong", "a")).kind, "wrong");
  const refused = await sessions.logIn("anna", PASSWORD, "a");
  assert.deepEqual(refused, { kind: "too-many", retryAfterSeconds: 60, isNews: true });
  const again = await sessions.logIn("anna", PASSWORD, "a");
  assert.deepEqual(again, { ...refused, isNews: false }, "who goes on asking is told of once");
  assert.equal((await sessions.logIn("anna", PASSWORD, "b")).kind, "logged-in");
  now += 60_001;
  assert.equal((await sessions.logIn("anna", PASSWORD, "a")).kind, "logged-in");
});

test("whoever has a network of IPv6 has one address more in it, not one try more", async () => {
  const sessions = new Sessions({ usersFile, signOn: null, isSecure: false }, () => 0);
  const kindOf = async (client: string) => (await sessions.logIn("anna", "wrong", client)).kind;
  for (let i = 0; i < 10; i++) assert.equal(await kindOf(`2001:db8:1:2::${i}`), "wrong");
  assert.equal(await kindOf("2001:db8:1:2:ffff::1"), "too-many");
  assert.equal(await kindOf("2001:db8:1:3::1"), "wrong");
});

test("logins of many at once count before the first password is hashed", async () => {
  const sessions = new Sessions({ usersFile, signOn: null, isSecure: false }, () => 0);
  const kinds = await Promise.all(
    Array.from({ length: 15 }, () => sessions.logIn("anna", "wrong", "a").then(({ kind }) => kind)),
  );
  assert.equal(kinds.filter((kind) => kind === "too-many").length, 5);
});

test("what is done is in the audit file, with who and from where, and never with a password", async (t) => {
  const auditFile = join(folder, "audit");
  const own = await startDashboard(t, { usersFile, auditFile });
  await logIn(own, "anna", "wrong password");
  const cookie = await cookieOf(own, "otto");
  await own.change("/api/v1/servers/app/a/actions", { action: "drain" }, { headers: { cookie } });
  const lines = readFileSync(auditFile, "utf8").trim().split("\n");
  const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    entries.map(({ event }) => event),
    ["login-refused", "login", "server-action"],
  );
  assert.deepEqual(
    [entries[2]!["user"], entries[2]!["client"], entries[2]!["server"]],
    ["otto", "127.0.0.1", "app/a"],
  );
  assert.doesNotMatch(lines.join(""), /horse|wrong password/);
  assert.equal(statSync(auditFile).mode & 0o007, 0);
});

test("bodies that are too long, no JSON or no body get an answer, and so do paths that are none", async (t) => {
  const { ask, change } = await startDashboard(t);
  assert.equal((await change("/api/v1/undo", { token: "x".repeat(70_000) })).status, 413);
  const json = { "content-type": "application/json" };
  assert.equal((await change("/api/v1/undo", undefined, { headers: json })).status, 400);
  assert.equal((await ask("/api/v1/nothing")).status, 404);
  assert.equal((await ask("/api/v1/servers/%zz/b/actions")).status, 404);
  assert.equal((await ask("/api/v1/overview", { method: "DELETE" })).headers["allow"], "GET");
  assert.equal((await ask("/", { method: "POST" })).status, 405);
});
