// Every route of the OpenAPI file, asked by everybody: nobody, viewer, operator, admin. What the file says of
// a route's role is what its answers say.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROLES, type Role } from "../../model/dashboard-api.ts";
import { setPassword } from "../console/users.ts";
import { type Answered, startDashboard, type TestDashboard } from "./dashboard.fixture.ts";
import { readOpenApi } from "./openapi.ts";
import { mayAct } from "./sessions.ts";

const PASSWORD = "correct horse";
const folder = mkdtempSync(join(tmpdir(), "sallyport-dashboard-roles-"));
const usersFile = join(folder, "users");

before(async () => {
  for (const role of ROLES) await setPassword(usersFile, role, PASSWORD, role);
});
after(() => rmSync(folder, { recursive: true }));

interface RouteOfFile {
  readonly method: string;
  readonly path: string;
  /** Null: for everybody. */
  readonly role: Role | null;
  readonly takesBody: boolean;
}

function routesOfFile(): RouteOfFile[] {
  const paths = readOpenApi()["paths"] as Readonly<
    Record<string, Readonly<Record<string, { readonly description: string; readonly requestBody?: object }>>>
  >;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { description, requestBody }]): RouteOfFile => {
      const [, role = null] = /^Needs the role (\w+)\.$/.exec(description) ?? [];
      assert.ok(role === null ? description === "Needs no login." : ROLES.includes(role as Role), path);
      return {
        method: method.toUpperCase(),
        path: path.replaceAll(/\{\w+\}/g, "x"),
        role: role as Role | null,
        takesBody: requestBody !== undefined,
      };
    }),
  );
}

async function cookieOf({ ask }: TestDashboard, user: Role): Promise<string> {
  const { headers } = await ask("/api/v1/session", { method: "POST", body: { user, password: PASSWORD } });
  return headers["set-cookie"]![0]!.split(";", 1)[0]!;
}

/** With everything that our own page would send besides. */
function askAs(own: TestDashboard, cookie: string | null, route: RouteOfFile): Promise<Answered> {
  const headers = cookie === null ? {} : { cookie };
  const body = route.takesBody ? {} : undefined;
  if (route.method === "GET") return own.ask(route.path, { headers });
  return own.change(route.path, body, { method: route.method, headers });
}

test("every route answers those who have its role, and nobody else", async (t) => {
  const own = await startDashboard(t, { usersFile });
  // Logging out ends what the other questions need, and events never end: both are told of elsewhere.
  const routes = routesOfFile().filter(
    ({ method, path }) => !(method === "DELETE" && path.endsWith("/session")) && !path.endsWith("/events"),
  );
  assert.ok(routes.length > 20);
  for (const user of [null, ...ROLES]) {
    const cookie = user === null ? null : await cookieOf(own, user);
    for (const route of routes) {
      const { status, text } = await askAs(own, cookie, route);
      const who = `${user ?? "nobody"}: ${route.method} ${route.path}: ${status} ${text}`;
      if (route.role === null || mayAct(user, route.role))
        assert.doesNotMatch(
          text,
          /^\{"error":\{"code":"(?:role-too-low|not-logged-in|wrong-csrf-token)"/,
          who,
        );
      else assert.equal(status, user === null ? 401 : 403, who);
    }
  }
});

test("without its token no route changes anything, whoever asks", async (t) => {
  const own = await startDashboard(t, { usersFile });
  const cookie = await cookieOf(own, "admin");
  for (const { method, path, takesBody, role } of routesOfFile()) {
    if (method === "GET" || role === null) continue;
    const asked = { method, headers: { cookie }, ...(takesBody ? { body: {} } : {}) };
    const { status, text } = await own.ask(path, asked);
    assert.equal(status, 403, `${method} ${path}`);
    assert.match(text, /wrong-csrf-token/);
  }
  assert.equal((await own.ask("/api/v1/overview", { headers: { cookie } })).status, 200, "still logged in");
});
