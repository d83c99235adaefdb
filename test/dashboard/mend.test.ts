// The page of checks mends a file by one click: what would change is shown first, the file has it afterwards,
// and a file that somebody has changed meanwhile stays as it is.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { untilIs } from "../browser.fixture.ts";
import { requires } from "../requirements.ts";
import { DashboardWorld, manyServers } from "./dashboard.fixture.ts";

const OLD_RULES = "  reqadd X-Note:\\ one\n  reqidel ^X-Old:\n";
const RULES_OF_TODAY = "  http-request del-header X-Old\n  http-request add-header X-Note one\n";

describe("the page of checks", { skip: requires("chromium") }, () => {
  const world = new DashboardWorld();
  before(() =>
    world.serve((bind) =>
      manyServers(bind, 1, 2).replace("  default_backend", `${OLD_RULES}  default_backend`),
    ),
  );
  after(() => world.close());

  test("a changed file is left alone, and what was seen is written, with the rest as it was", async () => {
    const page = await world.page();
    const original = readFileSync(world.configurationFile, "utf8");
    await page.goto(`${world.origin}/check`);
    await page.getByRole("button", { name: "Mend 2 places" }).click();
    const dialog = page.getByRole("dialog", { name: "Mend 2 places?" });
    await untilIs(() => dialog.locator(".removed").count(), 2, "one change for both, shown once");
    const change = /- {3}reqadd X-Note:\\ one\s+\+ {3}http-request del-header X-Old/;
    await dialog.filter({ hasText: change }).waitFor();

    const changed = original.replace("X-Old", "X-Older");
    writeFileSync(world.configurationFile, changed);
    await dialog.getByRole("button", { name: "Mend", exact: true }).click();
    await page.getByText("0 places mended.").waitFor();
    assert.equal(readFileSync(world.configurationFile, "utf8"), changed);

    // What was changed is shown by now; the next answer is about the file as it was.
    await page.getByText("del-header X-Older").first().waitFor();
    writeFileSync(world.configurationFile, original);
    await page.getByRole("button", { name: "Check again" }).click();
    await untilIs(() => page.getByText("X-Older").count(), 0);
    await page.getByRole("button", { name: "Mend 2 places" }).click();
    await dialog.getByRole("button", { name: "Mend", exact: true }).click();
    await page.getByText("2 places mended.").waitFor();
    assert.equal(readFileSync(world.configurationFile, "utf8"), original.replace(OLD_RULES, RULES_OF_TODAY));
    await page.getByText("is the language of HAProxy 1.5").waitFor({ state: "detached" });
    assert.deepEqual(world.faults, []);
    await page.context().close();
  });
});
