// For tests in a browser: Chromium, and how to wait for a page. A page shows what it has when it has it, and
// on a busy machine that is later than a test looks: what a test says of a page it says by `untilIs`, or by
// `waitFor` of a locator, and never by one look.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inspect, isDeepStrictEqual } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import { findCommand } from "./requirements.ts";

/** Far above what anything takes: it ends what hangs, and measures nothing. */
export const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 20;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findCommand("chromium")!,
    args: ["--no-sandbox", "--disable-gpu"],
    timeout: PATIENCE_MS,
  });
}

/** Reads until it is as wanted; what it was last is told when it never is. */
export async function untilIs<T>(read: () => Promise<T>, wanted: T, what = "the page shows"): Promise<void> {
  for (const endMs = Date.now() + PATIENCE_MS; ; ) {
    const value = await read();
    if (isDeepStrictEqual(value, wanted)) return;
    if (Date.now() > endMs) assert.fail(`${what}: ${inspect(value)}, not ${inspect(wanted)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Asks the page until it says yes. Playwright's own way needs `eval`, which the pages' policies forbid. */
export function untilTrue(page: Page, expression: string): Promise<void> {
  return untilIs(() => page.evaluate(expression), true, expression);
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly target: readonly string[] }[];
  }[];
}

/** What axe finds wrong with a page that is whole: its context needs `bypassCSP`. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = (await page.evaluate("axe.run()")) as AxeResult;
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
  );
}
