// HTTP/2 as Chromium speaks it: many requests at once on one connection, large bodies both ways, and requests
// that are broken off.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { launchChromium } from "../browser.fixture.ts";
import { ENGINES } from "../processes/running-sallyport.ts";
import { requires } from "../requirements.ts";
import { Http2Stage } from "./http2-stage.ts";

/** Run in the page. */
const ASK = `(async () => {
  const json = async (url, options) => (await fetch(url, options)).json();
  const many = await Promise.all(Array.from({ length: 300 }, (_, i) => json("/many/" + i)));
  const sent = await Promise.all(
    [0, 1, 70000, 2000000].map((length) => json("/sent", { method: "POST", body: "y".repeat(length) })),
  );
  const taken = await Promise.all(
    [1, 100000, 3000000].map(async (length) => (await (await fetch("/bytes/" + length)).arrayBuffer()).byteLength),
  );
  const broken = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const stop = new AbortController();
      const asked = fetch("/never", { signal: stop.signal });
      stop.abort();
      return asked.then(() => "answered", (error) => error.name);
    }),
  );
  const denied = (await fetch("/denied")).status;
  const protocols = performance.getEntries().map((entry) => entry.nextHopProtocol).filter(Boolean);
  return {
    many: many.every(({ url }, i) => url === "/many/" + i),
    sent: sent.map(({ length }) => length),
    taken,
    broken: [...new Set(broken)],
    denied,
    protocols: [...new Set(protocols)],
  };
})()`;

describe("Chromium over HTTP/2", { skip: requires("chromium") }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  for (const engine of ENGINES) {
    test(`gets what it asks for, all of it by h2, on the ${engine} engine`, async () => {
      await using stage = await Http2Stage.start(engine);
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      await page.goto(`https://127.0.0.1:${stage.ports[1]}/`);
      assert.deepEqual(await page.evaluate(ASK), {
        many: true,
        sent: [0, 1, 70_000, 2_000_000],
        taken: [1, 100_000, 3_000_000],
        broken: ["AbortError"],
        denied: 403,
        protocols: ["h2"],
      });
      await page.close();
      assert.doesNotMatch(stage.sallyport.text, /exited|was killed|Error|^ {4}at /m);
    });
  }
});
