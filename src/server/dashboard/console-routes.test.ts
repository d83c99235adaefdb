// Who gets tickets in the dashboard: its roles and the rights of the file together.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseSubnet } from "../../base/ip.ts";
import type { SessionAnswer } from "../../model/dashboard-api.ts";
import type { ConsolesAnswer, TicketAnswer } from "../../model/dashboard-datacenter.ts";
import { ensureTicketKeys } from "../console/tickets.ts";
import { setPassword } from "../console/users.ts";
import { startDashboard } from "./dashboard.fixture.ts";

const FILE = `datacenter: d
networks: {lan: {subnet: 10.0.0.0/24}}
machines:
  db: {network: lan, address: 10.0.0.5}
  web: {network: lan, address: 10.0.0.6}
consoles:
  proxy: {address: "127.0.0.1:4443"}
  backends: {db: {serial: "unix:/run/db"}, web: {serial: "unix:/run/web"}}
  rights:
    otto: {open: web, look: d*}
    vera: {open: "*"}
`;

let folder = "";
let usersFile = "";
const path = (name: string) => join(folder, name);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-rights-"));
  usersFile = path("users");
  writeFileSync(path("datacenter.yaml"), FILE);
  ensureTicketKeys(path("consoles.key"));
  for (const [user, role] of [
    ["otto", "operator"],
    ["vera", "viewer"],
    ["anna", "admin"],
    ["paul", "operator"],
  ] as const)
    await setPassword(usersFile, user, "right", role);
});
after(() => rmSync(folder, { recursive: true }));

test("a console is opened by whom role and rights both let, and a refusal is in the audit log", async (t) => {
  const signOn = { header: "x-user", from: [parseSubnet("127.0.0.0/8")!.subnet] };
  const auditFile = path("audit.log");
  const own = await startDashboard(t, {
    ...{ usersFile, signOn, auditFile, datacenterFile: path("datacenter.yaml") },
  });
  for (const [user, access, statuses] of [
    ["otto", { db: "look", web: "open" }, { db: [403, 200], web: [200, 200] }],
    ["vera", { db: "look", web: "look" }, { db: [403, 200], web: [403, 200] }],
    ["paul", { db: null, web: null }, { db: [403, 403], web: [403, 403] }],
    ["anna", { db: "open", web: "open" }, { db: [200, 200], web: [200, 200] }],
  ] as const) {
    const signedOn = { "x-user": user };
    const session = (await own.ask("/api/v1/session", { headers: signedOn })).json<SessionAnswer>();
    const headers = { ...signedOn, "x-csrf-token": session.csrfToken ?? "" };
    const { machines } = (await own.ask("/api/v1/consoles", { headers })).json<ConsolesAnswer>();
    assert.deepEqual(Object.fromEntries(machines.map((one) => [one.machine, one.access])), access, user);
    for (const machine of ["db", "web"] as const) {
      const ask = (isViewOnly: boolean) =>
        own.change(`/api/v1/consoles/${machine}/tickets`, { kind: "serial", isViewOnly }, { headers });
      const answers = [await ask(false), await ask(true)];
      assert.deepEqual(
        answers.map(({ status }) => status),
        statuses[machine],
        `${user} at ${machine}`,
      );
      const [, look] = answers;
      if (look!.status === 200) assert.match(look!.json<TicketAnswer>().url, /\?view-only#/);
    }
  }
  const log = readFileSync(auditFile, "utf8");
  assert.match(log, /"event":"ticket-refused","user":"otto",.*"machine":"db",.*"reason":"may only look"/);
  assert.match(log, /"event":"ticket-refused","user":"paul",.*"reason":"no right to this machine"/);
});
