// For tests in a browser: the demo with its dashboard, or any haproxy.cfg with one, visitors of it, and
// Chromium.
import { writeFileSync } from "node:fs";
import { request } from "node:https";
import type { Browser, Page, Response } from "playwright-core";
import { type RunningProgram, World } from "../../src/cli/program.fixture.ts";
import { buildDashboard, isDashboardBuilt } from "../../tools/dashboard.ts";
import { launchChromium, PATIENCE_MS } from "../browser.fixture.ts";
import { freePorts } from "../free-port.ts";

/** All that the demo has, and what is there once a page shows what it is about. */
export const PAGES: Readonly<Record<string, string>> = {
  overview: "#page:has(.figures):has(canvas):has(tbody th)",
  servers: "#page table.servers tbody th",
  requests: "#page:has(.page-tools .quiet) :is(table.requests tbody tr, .empty)",
  topology: "#page svg .node",
  explain: "#page svg .node",
  check: "#page .finding",
  configuration: "#page table.file tbody tr",
  consoles: "#page tbody th",
};

export class DashboardWorld {
  readonly #world = new World();
  #program!: RunningProgram;
  #browser!: Browser;
  /** "http://localhost:N" */
  origin = "";
  /** Of the demo's load balancer. */
  site = "";
  /** What browsers complained of: scripts that failed, policies that were broken, hosts that are not ours. */
  readonly faults: string[] = [];

  async start(): Promise<void> {
    ensureBuilt();
    const ports = await freePorts(4);
    const names = ["--port", "--stats-port", "--dashboard-port", "--console-port"];
    const words = names.flatMap((name, index) => [name, String(ports[index])]);
    this.#program = this.#world.start(["demo", "--for", "30m", ...words]);
    const [, origin = ""] = await this.#program.saw(/dashboard is on (http:\/\/localhost:\d+)\//);
    this.origin = origin;
    this.site = `https://localhost:${ports[0]}`;
    this.#browser = await launchChromium();
  }

  /** Any configuration, without visitors. `bind`: an address and port that is free for it. */
  async serve(configuration: (bind: string) => string): Promise<void> {
    ensureBuilt();
    const [port, dashboardPort] = await freePorts(2);
    writeFileSync(this.configurationFile, configuration(`127.0.0.1:${port}`));
    this.origin = `http://localhost:${dashboardPort}`;
    await this.serveAgain();
    this.#browser = await launchChromium();
  }

  /** Of `serve`. */
  get configurationFile(): string {
    return this.#world.path("haproxy.cfg");
  }

  /** What `serve` has started, after `stop`: another process at the same place. */
  async serveAgain(): Promise<void> {
    const words = ["run", "--workers", "1", "--dashboard", new URL(this.origin).host];
    this.#program = this.#world.start([...words, this.configurationFile]);
    await this.#program.saw(/dashboard: http:/);
  }

  async stop(): Promise<void> {
    this.#program.signal("SIGTERM");
    await this.#program.ended;
  }

  async page(options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("console", (message) => {
      if (message.type() === "error") this.faults.push(message.text());
    });
    page.on("pageerror", ({ message }) => this.faults.push(message));
    page.on("request", (asked) => {
      const url = asked.url();
      if (!url.startsWith(this.origin) && !url.startsWith("data:")) this.faults.push(`asked ${url}`);
    });
    return page;
  }

  /** Goes there and waits until the page is whole: `selector` of `PAGES`. */
  async open(page: Page, address: string, selector: string): Promise<Response> {
    const answered = await page.goto(`${this.origin}/${address}`);
    await page.locator(selector).first().waitFor();
    return answered!;
  }

  /** One visitor; the cookie that it has, and gets. */
  visit(path: string, cookie = ""): Promise<{ readonly status: number; readonly cookie: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(
        this.site + path,
        { rejectUnauthorized: false, headers: cookie === "" ? {} : { cookie }, agent: false },
        (response) => {
          response.resume();
          const given = response.headers["set-cookie"]?.[0]?.split(";")[0] ?? cookie;
          response.on("end", () => resolve({ status: response.statusCode!, cookie: given }));
        },
      );
      asked.on("error", reject);
      asked.end();
    });
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    this.#program?.signal("SIGTERM");
    await this.#world.close();
  }
}

/** The program reads the pages once, when it starts. */
function ensureBuilt(): void {
  const fault = isDashboardBuilt() ? null : buildDashboard();
  if (fault !== null) throw new Error(fault);
}

/** Configuration with backends of many servers, none of which is there. */
export function manyServers(bind: string, backends: number, serversOfEach: number): string {
  const lines = Array.from({ length: backends }, (_, backend) => [
    `backend app${backend}`,
    "  cookie SERVERID insert indirect nocache",
    ...Array.from({ length: serversOfEach }, (__, index) => {
      const name = `s${backend * serversOfEach + index}`;
      return `  server ${name} 127.0.${backend + 1}.${(index % 250) + 1}:${9000 + index} cookie ${name}`;
    }),
  ]).flat();
  return `defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend web
  bind ${bind}
  default_backend app0
${lines.join("\n")}
`;
}
