// A dashboard over a runtime without workers, on a free port of loopback, and a client that can lie about
// everything that a browser could not.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { SessionAnswer } from "../../model/dashboard-api.ts";
import { makeActions } from "../admin/actions.fixture.ts";
import { makeRuntime } from "../admin/runtime.fixture.ts";
import type { EndedRequest } from "../messages.ts";
import { Dashboard } from "./dashboard.ts";
import type { DashboardSettings } from "./settings.ts";
import type { DashboardSource } from "./source.ts";

export const CONFIGURATION = `global
  tune.pipesize 16384
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend web
  bind 127.0.0.1:8080
  default_backend app
backend app
  cookie SERVERID insert indirect nocache
  stats auth admin:hunter2
  server a 127.0.0.1:1001 cookie A check weight 10
  server b 127.0.0.1:1002 cookie B
`;

const DATACENTER = `datacenter: small
networks:
  org: {subnet: 192.168.10.0/24, gateway: 192.168.10.1}
edges:
  org-edge: {interfaces: {org: 192.168.10.1}, firewall: {default: allow}}
machines:
  web: {network: org, address: 127.0.0.1, listen: 80}
  db: {network: org, address: 192.168.10.12, listen: 5432}
consoles:
  proxy: {address: "127.0.0.1:4443"}
  backends:
    db: {serial: "unix:/nowhere/db.serial"}
`;

export const ENDED: EndedRequest = {
  atMs: 1_795_000_000_000,
  clientHost: "198.51.100.7",
  clientPort: 4000,
  ownHost: "127.0.0.1",
  ownPort: 8080,
  frontend: "web",
  backend: "app",
  server: "a",
  serverName: null,
  http: {
    method: "GET",
    target: "/login?next=1",
    status: 200,
    headers: [
      ["host", "company.com"],
      ["user-agent", "test"],
      ["cookie", "SERVERID=A"],
    ],
  },
  bytesIn: 100,
  bytesOut: 2000,
  idleMs: 0,
  requestMs: 0.1,
  queueMs: 0,
  connectMs: 1,
  responseMs: 20,
  totalMs: 22,
  termination: "--VN",
  retries: 0,
  isRedispatched: false,
  isFailed: false,
  isPersistent: true,
};

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  json<T>(): T;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface TestDashboard {
  readonly dashboard: Dashboard;
  readonly port: number;
  readonly folder: string;
  readonly reports: string[];
  ask(path: string, options?: AskOptions): Promise<Answered>;
  /** With the token of the session, as our own page asks. */
  change(path: string, body?: unknown, options?: AskOptions): Promise<Answered>;
}

export async function startDashboard(
  t: TestContext,
  settings: Partial<DashboardSettings> = {},
): Promise<TestDashboard> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-dashboard-"));
  const configurationFile = join(folder, "haproxy.cfg");
  const datacenterFile = join(folder, "datacenter.yaml");
  writeFileSync(configurationFile, CONFIGURATION);
  writeFileSync(datacenterFile, DATACENTER);
  const reports: string[] = [];
  const nowMs = Date.now();
  const source: DashboardSource = {
    actions: makeActions(makeRuntime(CONFIGURATION, nowMs), nowMs),
    files: [configurationFile],
    environment: {},
    engineName: "memory",
    startedMs: nowMs,
    reload: async () => ({ ok: true, diagnostics: [], sources: [], problems: [] }),
    report: (text) => void reports.push(text),
  };
  const dashboard = new Dashboard(
    {
      address: "127.0.0.1:0",
      certificateFile: null,
      usersFile: null,
      signOn: null,
      names: [],
      auditFile: null,
      datacenterFile,
      isDemo: false,
      assetsDirectory: folder,
      ...settings,
    },
    source,
  );
  dashboard.handleReload([{ name: "test.cfg", text: CONFIGURATION }]);
  const problem = await dashboard.start();
  assert.equal(problem, null);
  t.after(async () => {
    await dashboard.close();
    rmSync(folder, { recursive: true });
  });
  const port = Number(new URL(dashboard.origin!).port);
  const ask = (path: string, options: AskOptions = {}) => askPort(port, path, options);
  const change = async (path: string, body?: unknown, options: AskOptions = {}) => {
    const cookie = options.headers?.["cookie"];
    const session = await ask("/api/v1/session", cookie === undefined ? {} : { headers: { cookie } });
    const token = session.json<SessionAnswer>().csrfToken ?? "";
    const headers = { "x-csrf-token": token, ...options.headers };
    return ask(path, { method: options.method ?? "POST", headers, body });
  };
  return { dashboard, port, folder, reports, ask, change };
}

function askPort(port: number, path: string, options: AskOptions): Promise<Answered> {
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const headers = {
    host: `localhost:${port}`,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...options.headers,
  };
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port, path, method: options.method ?? "GET", headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => {
          const text = Buffer.concat(parts).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: <T>() => JSON.parse(text) as T,
          });
        });
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}
