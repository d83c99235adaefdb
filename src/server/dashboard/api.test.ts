import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type {
  CheckAnswer,
  ConfigurationAnswer,
  FixAnswer,
  RequestDetails,
  RequestsAnswer,
  ServerActionAnswer,
  ServersAnswer,
} from "../../model/dashboard-api.ts";
import type { ConsolesAnswer, PacketExplanation, TopologyAnswer } from "../../model/dashboard-datacenter.ts";
import {
  type AskOptions,
  CONFIGURATION,
  ENDED,
  startDashboard,
  type TestDashboard,
} from "./dashboard.fixture.ts";
import { readOpenApi } from "./openapi.ts";
import { faultsOf } from "./schema.fixture.ts";

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;
type Schemas = Parameters<typeof faultsOf>[2];

const API = readOpenApi() as unknown as {
  readonly paths: Paths;
  readonly components: { readonly schemas: Schemas };
};

/** A good question for each route that needs one. */
const QUESTIONS: Readonly<Record<string, AskOptions & { readonly path?: string }>> = {
  "post /session": { body: { user: "anna", password: "x" } },
  "post /servers/{backend}/{server}/actions": { path: "/servers/app/b/actions", body: { action: "drain" } },
  "get /requests/{id}": { path: "/requests/1" },
  "post /explain/request": { body: { url: "http://company.com:8080/" } },
  "get /explain/packet": { path: "/explain/packet?from=db&to=org-edge&back=true" },
  "post /check/fix": { body: { ids: [] } },
  "get /history": { path: "/history?seconds=60&proxy=" },
};
/** Those that need more than one question to give a good answer, and one that never ends. */
const TOLD_ELSEWHERE = new Set([
  "post /undo",
  "get /events",
  "post /consoles/{machine}/tickets",
  "delete /consoles/viewers/{id}",
]);

function askRoute({ ask, change }: TestDashboard, method: string, route: string) {
  const { path = route, body } = QUESTIONS[`${method} ${route}`] ?? {};
  const at = `/api/v1${path}`;
  return method === "get" ? ask(at) : change(at, body, { method: method.toUpperCase() });
}

test("every route of the OpenAPI file answers as it says there", async (t) => {
  const own = await startDashboard(t);
  own.dashboard.handleRequests([ENDED], 1);
  own.dashboard.tick();
  for (const [path, operations] of Object.entries(API.paths)) {
    for (const [method, { responses }] of Object.entries(operations)) {
      const route = path.slice("/api/v1".length);
      if (TOLD_ELSEWHERE.has(`${method} ${route}`)) continue;
      const answered = await askRoute(own, method, route);
      assert.equal(answered.status, 200, `${method} ${route}: ${answered.text}`);
      const schema = responses["200"]?.content?.["application/json"]?.schema;
      if (schema === undefined) continue;
      const faults = faultsOf(answered.json(), schema as Schemas[string], API.components.schemas);
      assert.deepEqual(faults, [], `${method} ${route}`);
    }
  }
});

test("an action changes the server, its token takes it back once, and both are in the audit log", async (t) => {
  const { ask, change } = await startDashboard(t);
  const drained = await change("/api/v1/servers/app/a/actions", { action: "drain" });
  const { server, undo, message } = drained.json<ServerActionAnswer>();
  assert.equal(server.condition, "drain");
  assert.match(message, /a drains/);
  assert.equal(undo.label, "a back to ready");
  const undone = await change("/api/v1/undo", { token: undo.token });
  assert.notEqual(undone.json<ServerActionAnswer>().server.condition, "drain");
  assert.equal((await change("/api/v1/undo", { token: undo.token })).status, 409);
  const { servers } = (await ask("/api/v1/servers")).json<ServersAnswer>();
  assert.equal(servers[0]!.weight, 10);
  const weighed = await change("/api/v1/servers/app/a/actions", { action: "weight", weight: 0 });
  assert.equal(weighed.json<ServerActionAnswer>().server.weight, 0);
  assert.match(
    (await ask("/api/v1/audit")).text,
    /"event":"server-action".*"action":"undo".*"action":"drain"/,
  );
});

test("an undo after somebody else's change is refused, and so is what is no action or no server", async (t) => {
  const { change } = await startDashboard(t);
  const path = "/api/v1/servers/app/a/actions";
  const { undo } = (await change(path, { action: "drain" })).json<ServerActionAnswer>();
  await change(path, { action: "maintenance" });
  assert.equal((await change("/api/v1/undo", { token: undo.token })).status, 409);
  for (const body of [
    {},
    [],
    null,
    { action: "weight" },
    { action: "weight", weight: 257 },
    { action: "explode" },
  ])
    assert.equal((await change(path, body)).status, 400, JSON.stringify(body));
  assert.equal((await change("/api/v1/servers/app/nobody/actions", { action: "drain" })).status, 404);
});

test("requests are filtered, paged and explained, and visitors of a cookie are counted", async (t) => {
  const { dashboard, ask } = await startDashboard(t);
  const failed = { ...ENDED, http: { ...ENDED.http!, status: 503 }, isFailed: true, termination: "SC--" };
  dashboard.handleRequests([{ ...ENDED, atMs: Date.now() }, failed, ENDED], 30);
  const list = async (query: string) => (await ask(`/api/v1/requests?${query}`)).json<RequestsAnswer>();
  assert.deepEqual(
    (await list("limit=2")).requests.map(({ id }) => id),
    [3, 2],
  );
  assert.deepEqual(
    (await list("limit=2&before=2")).requests.map(({ id }) => id),
    [1],
  );
  assert.deepEqual(
    (await list("status=5xx")).requests.map(({ id }) => id),
    [2],
  );
  assert.equal((await list("failed=true&termination=SC")).requests[0]!.ending, "no connection to the server");
  assert.equal((await list("status=(&path=company.com/LOGIN")).requests.length, 0);
  assert.equal((await list("path=company.com/LOGIN&slowerMs=21&client=198.51")).requests.length, 3);
  const details = (await ask("/api/v1/requests/3")).json<RequestDetails>();
  assert.equal(details.explanation.kind, "trace");
  assert.equal(details.explanation.kind === "trace" && details.explanation.trace.server?.name, "a");
  assert.equal(details.timers.find(({ name }) => name === "Tc")!.ms, 1);
  assert.equal((await ask("/api/v1/requests/4")).status, 404);
  const { servers } = (await ask("/api/v1/servers")).json<ServersAnswer>();
  assert.equal(servers.find(({ server }) => server === "a")!.sticky!.clients, 1);
});

test("the configuration is shown line by line without its secrets", async (t) => {
  const { ask } = await startDashboard(t);
  const answered = await ask("/api/v1/configuration");
  assert.doesNotMatch(answered.text, /hunter2/);
  const { files } = answered.json<ConfigurationAnswer>();
  const { lines } = files[0]!;
  assert.equal(lines.find(({ keyword }) => keyword === "tune.pipesize")!.support, "without-effect");
  const server = lines.find(({ text }) => text.includes("server a "))!;
  assert.equal(server.counters!.of, "app/a");
  assert.equal(lines.find(({ text }) => text === "frontend web")!.counters!.of, "frontend/web");
});

test("findings have their lines, and a fix is written into the file and gone from the next check", async (t) => {
  const { folder, ask, change } = await startDashboard(t);
  const file = join(folder, "datacenter.yaml");
  writeFileSync(
    file,
    `datacenter: small
hosts:
  h:
    bonds:
      bond0: {links: [eth0, eth1], mode: active-backup}
    interfaces: {eth0: {}, eth1: {}}
switches:
  dvs0: {version: "5.1", uplinks: {h: bond0}, port-groups: {org: {vlan: 20}}}
networks:
  org: {subnet: 192.168.10.0/24, port-group: dvs0/org}
`,
  );
  const { findings } = (await ask("/api/v1/check")).json<CheckAnswer>();
  const fixable = findings.find(({ fix }) => fix !== null);
  assert.ok(fixable, findings.map(({ message }) => message).join("\n"));
  assert.ok(fixable.excerpt.some(({ line }) => line === fixable.span.line));
  assert.ok(fixable.fix!.changes.length > 0);
  const fixed = (await change("/api/v1/check/fix", { ids: [fixable.id, "nonsense"] })).json<FixAnswer>();
  assert.deepEqual(fixed.fixed, [fixable.id]);
  assert.equal(fixed.refused[0]!.id, "nonsense");
  assert.equal(
    fixed.check.findings.some(({ id }) => id === fixable.id),
    false,
  );
  const after = readFileSync(file, "utf8");
  for (const { after: line } of fixable.fix!.changes) assert.ok(line === null || after.includes(line));
});

test("old words of haproxy.cfg are shown as those of today without their secrets, and written", async (t) => {
  const { folder, ask, change } = await startDashboard(t);
  const file = join(folder, "haproxy.cfg");
  const rules = "  reqadd Authorization:\\ Basic\\ c2VjcmV0\n  reqidel ^X-Old:\n";
  const old = CONFIGURATION.replace("\nbackend app\n", `\n${rules}backend app\n`);
  writeFileSync(file, old);
  const { findings } = (await ask("/api/v1/check")).json<CheckAnswer>();
  const fixable = findings.filter(({ fix, kind }) => fix !== null && kind === "proxy");
  assert.equal(fixable.length, 2);
  assert.doesNotMatch(JSON.stringify(findings), /c2VjcmV0/);
  // What is asked for by its old name after somebody has changed the file is left alone.
  writeFileSync(file, old.replace("^X-Old:", "^X-Other:"));
  const ids = fixable.map(({ id }) => id);
  const late = (await change("/api/v1/check/fix", { ids })).json<FixAnswer>();
  assert.deepEqual(late.fixed, []);
  writeFileSync(file, old);
  const { fixed, refused } = (await change("/api/v1/check/fix", { ids })).json<FixAnswer>();
  assert.deepEqual([fixed, refused], [ids, []]);
  assert.match(
    readFileSync(file, "utf8"),
    /del-header X-Old\n {2}http-request add-header Authorization "?'?Basic c2VjcmV0/,
  );
});

test("the topology names what traces name, and an unknown name gets the nearest one", async (t) => {
  const { ask } = await startDashboard(t);
  const { nodes, links } = (await ask("/api/v1/topology")).json<TopologyAnswer>();
  const ids = new Set(nodes.map(({ id }) => id));
  assert.ok(ids.has("machine/db") && ids.has("edge/org-edge") && ids.has("network/org"));
  for (const { from, to } of links) assert.ok(ids.has(from) && ids.has(to), `${from} to ${to}`);
  const packet = await ask("/api/v1/explain/packet?from=db&to=192.168.10.1&protocol=icmp");
  assert.equal(packet.json<PacketExplanation>().arrives, true);
  const unknown = await ask("/api/v1/explain/packet?from=dbb&to=192.168.10.1");
  assert.equal(unknown.status, 404);
  assert.match(unknown.text, /db/);
  assert.equal((await ask("/api/v1/explain/packet?from=db")).status, 400);
});

test("consoles are listed, and without a key there is no ticket", async (t) => {
  const { ask, change } = await startDashboard(t);
  const consoles = (await ask("/api/v1/consoles")).json<ConsolesAnswer>();
  assert.deepEqual(consoles, {
    isConfigured: true,
    isServed: false,
    origin: "https://127.0.0.1:4443",
    machines: [{ machine: "db", access: "open", kinds: ["serial"], viewers: [] }],
  });
  const ticket = (kind: string) => change("/api/v1/consoles/db/tickets", { kind, isViewOnly: false });
  assert.equal((await ticket("serial")).status, 503);
  assert.equal((await ticket("vnc")).status, 404);
  assert.equal((await ticket("telnet")).status, 400);
  assert.equal((await change("/api/v1/consoles/viewers/x", undefined, { method: "DELETE" })).status, 503);
});

test("without a datacentre its routes say so, and the rest goes on", async (t) => {
  const { ask } = await startDashboard(t, { datacenterFile: null });
  for (const path of ["topology", "topology/state", "explain/packet?from=a&to=b"])
    assert.equal((await ask(`/api/v1/${path}`)).status, 404);
  assert.equal((await ask("/api/v1/check")).status, 200);
  assert.equal((await ask("/api/v1/consoles")).json<ConsolesAnswer>().isConfigured, false);
});

test("a defect of the dashboard is told once and ends nothing", async (t) => {
  const { dashboard, reports, ask } = await startDashboard(t);
  for (let i = 0; i < 3; i++) dashboard.handleRequests(null as never, 1);
  assert.equal(reports.filter((text) => text.startsWith("dashboard: TypeError")).length, 1);
  assert.equal((await ask("/api/v1/overview")).status, 200);
});
