// The dashboard as somebody uses it, in Chromium, on the demo: what moves, what is done to a server, what
// became of a request; in both themes, on a telephone, and by the keyboard alone.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { axeFindings, untilIs, untilTrue } from "../browser.fixture.ts";
import { requires } from "../requirements.ts";
import { DashboardWorld, PAGES } from "./dashboard.fixture.ts";

/** Of pages that look different then, and what is there once they do. */
const STATES: Readonly<Record<string, string>> = {
  "topology?view=list&node=edge%2Forg-edge": "#page:has(.topology-list) .panel dl",
  "topology?node=machine%2Fweb-001&vlan=20": "#page:has(.panel):has(svg .node.unlit) svg .node.chosen",
  "explain?from=internet&to=203.0.113.10&port=443&cookie=SERVERID%3DB": "#page:has(.hops) svg path.way",
  "explain?of=request&url=https%3A%2F%2Flocalhost%2F&tlsName=company.com": "section[aria-label=Explanation]",
};

describe("the dashboard in a browser", { skip: requires("chromium") }, () => {
  const world = new DashboardWorld();
  before(() => world.start());
  after(() => world.close());

  test("figures move with the visitors", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/`);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.waitForURL(/\/overview$/);
    const row = page.getByRole("row").filter({ hasText: "https-in" });
    await row.waitFor();
    let isOver = false;
    const moved = row
      .filter({ hasText: /[1-9][\d.]*\/s/ })
      .waitFor()
      .finally(() => {
        isOver = true;
      });
    while (!isOver) await world.visit("/");
    await moved;
    await page.context().close();
  });

  test("a server is drained after a question, its sticky clients are counted, and it comes back by undo", async () => {
    const { cookie } = await world.visit("/");
    const server = `WEB-00${"ABC".indexOf(cookie.at(-1)!) + 1}`;
    await world.visit("/", cookie);
    const page = await world.page();
    await page.goto(`${world.origin}/servers`);
    const row = page.getByRole("row").filter({ hasText: server });
    const sticky = row.locator("td").last();
    await sticky.filter({ hasText: /^[1-9]/ }).waitFor();
    await page.getByRole("button", { name: server }).click();
    await page.getByRole("button", { name: "Drain" }).click();
    const question = page.getByRole("alertdialog");
    await question.getByText(/gets no new clients/).waitFor();
    await question.getByRole("button", { name: "Drain" }).click();
    await row.getByText("drain", { exact: true }).waitFor();
    await sticky.filter({ hasText: "left" }).waitFor();
    // Who has its cookie still comes to it; who has none does not.
    assert.equal((await world.visit("/", cookie)).cookie, cookie);
    for (let visit = 0; visit < 6; visit++) assert.notEqual((await world.visit("/")).cookie, cookie);
    await page.getByRole("button", { name: /back to/ }).click();
    await row.getByText("up", { exact: true }).waitFor();
    await page.context().close();
  });

  test("a request is found by its status and explained down to the line", async () => {
    await world.visit("/nothing-here");
    const page = await world.page();
    await page.goto(`${world.origin}/requests?status=4xx`);
    await page.getByRole("link", { name: "/nothing-here" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("the server took until its response's headers were there").waitFor();
    await dialog.getByText("default_backend application-backend").first().waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.waitForURL(/\/requests\?status=4xx$/);
    await page.context().close();
  });

  test("the tail waits while somebody reads", async () => {
    const page = await world.page();
    await world.visit("/before-it");
    await page.goto(`${world.origin}/requests`);
    await page.getByRole("link", { name: "/before-it" }).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Go on" }).waitFor();
    const kept = page.getByText(/^\d+ kept$/);
    const count = Number.parseInt(await kept.innerText(), 10);
    await world.visit("/while-paused");
    await kept.filter({ hasText: String(count + 1) }).waitFor();
    assert.equal(await page.getByRole("link", { name: "/while-paused" }).count(), 0);
    await page.getByRole("button", { name: "Go on" }).click();
    await world.visit("/after-it");
    await page.getByRole("link", { name: "/after-it" }).waitFor();
    await page.context().close();
  });

  test("checks show the line, and the configuration what each line counts", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/check`);
    await page.getByText("is the language of HAProxy 1.5").waitFor();
    await page.getByRole("link", { name: "Configuration" }).click();
    await page.getByText("old words", { exact: true }).waitFor();
    await page.getByRole("row").filter({ hasText: "frontend https-in" }).getByText("sessions").waitFor();
    await page.context().close();
  });

  test("the datacentre is drawn, and a box says which line of the file it is", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/topology`);
    const edge = page.getByRole("button", { name: /^edge org-edge/ });
    await edge.click();
    const details = page.getByRole("region", { name: "Details" });
    await details.getByText("load balancer", { exact: true }).first().waitFor();
    await details
      .getByText(/datacenter\.yaml:\d+/)
      .first()
      .waitFor();
    await details.getByText(/^[\d.]+\/s requests$/).waitFor();
    await details.getByRole("link", { name: "Explain to here" }).click();
    await untilIs(() => page.getByLabel("To", { exact: true }).inputValue(), "org-edge");
    await page.context().close();
  });

  test("the drawing is one stop of the keyboard: arrows follow lines, letters find names", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/topology`);
    await page.getByRole("button", { name: /^edge org-edge/ }).waitFor();
    await untilIs(() => page.locator("svg .node[tabindex='0']").count(), 1);
    const here = () => page.evaluate<string>("document.activeElement.dataset.id");
    await page.locator("svg .node[tabindex='0']").focus();
    await page.keyboard.press("Home");
    await untilIs(here, "external/internet");
    await page.keyboard.press("ArrowDown");
    await untilIs(async () => ["fabric/tor-1", "switch/dvs0"].includes(await here()), true);
    await page.keyboard.press("a");
    await untilIs(here, "machine/admin");
    await page.keyboard.press("ArrowUp");
    await untilIs(here, "network/mgmt");
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Details" }).getByText("192.168.1.0/24").first().waitFor();
    await page.waitForURL(/node=network%2Fmgmt$/);
    await page.context().close();
  });

  test("a VLAN is looked at alone, and the address says so", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/topology`);
    const farm = page.getByRole("button", { name: /^VLAN 30/ });
    await farm.click();
    await page.locator("svg .node.machine.unlit").first().waitFor();
    await page.waitForURL(/vlan=30$/);
    for (const id of ["network/farm", "machine/iis-2", "edge/org-edge", "switch/dvs0", "host/web-host"])
      await page.locator(`svg .node:not(.unlit)[data-id='${id}']`).first().waitFor();
    await page.locator("svg .node.unlit[data-id='machine/web-001']").waitFor();
    await page.reload();
    await page.locator("svg .node.machine.unlit").first().waitFor();
    await farm.click();
    await page.locator("svg .node.unlit").first().waitFor({ state: "detached" });
    await page.context().close();
  });

  test("a name is found by a part of it, and the list tells in words what the drawing shows", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/topology`);
    await page.getByRole("combobox", { name: "Find by name or address" }).fill("10.12");
    await page.getByRole("option", { name: /^web-002/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("svg .node.chosen[data-id='machine/web-002']").waitFor();
    await page.getByRole("button", { name: "List", exact: true }).click();
    const edges = page.getByRole("region", { name: "Edges" });
    await edges.getByText(/load balancer: .*\/s requests/).waitFor();
    const links = page.getByRole("region", { name: "Links" });
    const uplink = links.getByRole("row").filter({ hasText: "uplink" });
    await uplink.filter({ hasText: "5, 10, 20, 30" }).waitFor();
    await page.getByRole("searchbox", { name: "Only with this word" }).fill("web-003");
    await page.getByText("1 node, 1 link").waitFor();
    await page.context().close();
  });

  test("the way to a fenced copy is drawn and told, there and back, and its address is the question", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/explain`);
    await page.getByLabel("From", { exact: true }).fill("internet");
    await page.getByLabel("To", { exact: true }).fill("203.0.113.10");
    await page.getByLabel("Port", { exact: true }).fill("8001");
    await page.getByRole("button", { name: "Explain", exact: true }).click();
    const told = page.getByRole("region", { name: "Explanation" });
    await told.getByText("reaches shop.test-a/web at tcp 192.168.10.41:80").first().waitFor();
    await told.getByText(/destination NAT: 203\.0\.113\.10:8001 becomes/).waitFor();
    const way = page.locator("svg path.way");
    const corners = "document.querySelector('svg path.way')?.getAttribute('d').split('L').length > 6";
    await untilTrue(page, corners);
    await untilIs(() => page.locator(".node.machine.on-way").count(), 1);
    const there = await way.getAttribute("d");
    await page.getByRole("button", { name: "Back", exact: true }).click();
    await told.getByText("the answer reaches internet").first().waitFor();
    await untilIs(async () => (await way.getAttribute("d")) === there, false, "the way back is another");
    await page.waitForURL(/\/explain\?from=internet&to=203\.0\.113\.10&protocol=tcp&port=8001$/);
    await page.reload();
    await told.getByText("reaches shop.test-a/web at tcp 192.168.10.41:80").first().waitFor();
    await told
      .getByText(/^sallyport explain \S+\.yaml internet to 203\.0\.113\.10 tcp 8001 --back$/)
      .waitFor();
    await page.context().close();
  });

  test("beyond the edge's load balancer the way goes on to the server of the cookie, and back", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/explain?from=internet&to=203.0.113.10&port=443`);
    const told = page.getByRole("region", { name: "Explanation" });
    await told.getByRole("heading", { name: "On to the server", exact: true }).waitFor();
    await page.getByText("Beyond a load balancer: which request").click();
    await page.getByLabel("URL", { exact: true }).fill("https://company.com/login");
    await page.getByLabel("Cookies", { exact: true }).fill("SERVERID=B");
    await page.getByRole("button", { name: "Explain", exact: true }).click();
    await told.getByText(/-H 'Cookie: SERVERID=B'$/).waitFor();
    await page.locator("svg .node.on-way[data-id='machine/web-002'] .hop-number").waitFor();
    await page.getByRole("button", { name: "Back", exact: true }).click();
    await told.getByRole("heading", { name: "From the server", exact: true }).waitFor();
    await told.getByRole("heading", { name: "From the load balancer", exact: true }).waitFor();
    await page.context().close();
  });

  test("a request of one's own is explained without being sent", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/explain?of=request&url=${encodeURIComponent(`${world.site}/login`)}`);
    const told = page.getByRole("region", { name: "Explanation" });
    await told.getByText("default_backend application-backend").first().waitFor();
    await told.getByText(/^sallyport explain request \S+\.cfg https:\S+\/login$/).waitFor();
    await world.visit("/basket?item=7", "SERVERID=C");
    await page.goto(`${world.origin}/requests`);
    await page.getByRole("link", { name: "/basket" }).first().waitFor();
    await page.goto(`${world.origin}/explain?of=request`);
    const presets = page.getByLabel("Like one of the last requests");
    const basket = presets.locator("option").filter({ hasText: "/basket" }).first();
    await presets.selectOption((await basket.getAttribute("value"))!);
    await told.getByText(/-H 'Cookie: SERVERID=C'/).waitFor();
    await untilIs(() => page.getByLabel("Cookies", { exact: true }).inputValue(), "SERVERID=C");
    await page.context().close();
  });

  test("a console is opened in a window of its own, with a ticket that is good once", async () => {
    const page = await world.page({ ignoreHTTPSErrors: true });
    await page.goto(`${world.origin}/consoles`);
    const [opened] = await Promise.all([
      page.context().waitForEvent("page"),
      page
        .getByRole("button", { name: /^Serial line of/ })
        .first()
        .click(),
    ]);
    await opened.locator('html[data-state="open"]').waitFor();
    await page.getByRole("button", { name: "End" }).first().click();
    await opened.locator('html[data-state="closed"]').waitFor();
    await page.context().close();
  });

  test("pages are found by the keyboard alone", async () => {
    const page = await world.page();
    await page.goto(`${world.origin}/overview`);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Page or server" }).waitFor();
    await page.keyboard.type("serv");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Servers" }).waitFor();
    await page.context().close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [words, viewport] of [
      ["", { width: 1400, height: 900 }],
      [" on a telephone", { width: 390, height: 844 }],
    ] as const) {
      test(`axe finds nothing on any page in ${colorScheme} colours${words}, and nothing is wider than it`, async () => {
        const page = await world.page({ colorScheme, viewport, bypassCSP: true });
        // In half of the four: colours and widths are those of the pages.
        const isOther = (colorScheme === "dark") === (words === "");
        for (const [name, whole] of Object.entries(isOther ? PAGES : { ...PAGES, ...STATES })) {
          await world.open(page, name, whole);
          assert.deepEqual(await axeFindings(page), [], name);
          const wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
          assert.ok((wide as number) <= 0, `${name} is ${wide} pixels too wide`);
        }
        await page.context().close();
      });
    }
  }

  test("no browser had anything to complain of, and nothing was asked of another host", () => {
    assert.deepEqual(world.faults, []);
  });
});
