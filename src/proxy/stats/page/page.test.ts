import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { StatisticsRow } from "../fields.ts";
import { makeProxy, makeRow } from "../rows.fixture.ts";
import { type PageOptions, renderPage } from "./page.ts";
import { PAGE_HEADERS } from "./style.ts";
import { escapeHtml, fullNumber, shortBytes, shortDuration, shortMilliseconds, shortNumber } from "./text.ts";

const OPTIONS: PageOptions = {
  uri: "/stats",
  node: null,
  description: null,
  version: "1.2.3",
  refreshSeconds: null,
  isRefreshing: true,
  isAdmin: false,
  isWithoutDown: false,
  hasLegends: true,
  outcome: null,
};

const VOID = new Set(["meta", "link", "input", "br"]);

/** Follows the tags of a document and throws where they do not nest; returns the elements' opening tags. */
function readElements(html: string): string[] {
  const open: string[] = [];
  const found: string[] = [];
  const withoutStyle = html.replace(/<style>[^<]*<\/style>/, "");
  for (const [tag] of withoutStyle.matchAll(/<[^>]*>/g)) {
    if (tag.startsWith("<!")) continue;
    const match = /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*(\/?)>$/.exec(tag);
    if (match === null) throw new Error(`not a tag: ${tag}`);
    const [, slash, name, , isClosed] = match;
    if (slash === "/") assert.equal(open.pop(), name, `${tag} closes something else`);
    else {
      found.push(tag);
      if (!VOID.has(name!) && isClosed === "") open.push(name!);
    }
  }
  assert.deepEqual(open, [], "elements that are left open");
  return found;
}

function everyKind(name: string): StatisticsRow[] {
  const proxy = makeProxy(name, { description: name });
  return [
    makeRow("frontend", proxy, "FRONTEND", { slim: 10, req_tot: 5, req_rate: 1, hrsp_2xx: 4, req_rate_max: 2, ereq: 1 }),
    makeRow("listener", proxy, name, { addr: name }),
    makeRow("server", proxy, name, { status: "DOWN 1/2", check_status: "L7STS", check_code: 500, check_desc: name,
      last_chk: name, qcur: 1, qmax: 2,
      qtime: 1, ctime: 2, rtime: 3, ttime: 10, weight: 1, uweight: 2,
      tracked: name, cookie: name }),
    makeRow("backend", proxy, "BACKEND", { weight: 1, uweight: 1, act: 1, bck: 0, qcur: 0, qmax: 0, econ: 3 }),
  ]; // biome-ignore format: rows
}

test("the page is well formed with every kind of row, admin or not", () => {
  for (const isAdmin of [false, true]) {
    const html = renderPage(everyKind("web"), [], {
      ...OPTIONS,
      isAdmin,
      outcome: "DONE",
      refreshSeconds: 5,
      node: "n",
      description: "d",
    });
    const elements = readElements(html);
    assert.ok(elements.includes('<html lang="en">'));
    assert.equal(elements.filter((tag) => tag.startsWith("<form")).length, isAdmin ? 1 : 0);
  }
});

test("names and texts cannot break out of the page", () => {
  const name = `<script>alert("1")</script>'&`;
  const options = { ...OPTIONS, node: name, description: name, uri: `/s"><b>`, isAdmin: true, version: name };
  const html = renderPage(everyKind(name), [], options);
  readElements(html);
  assert.ok(!/<script/i.test(html));
  assert.ok(html.includes("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;"));
});

test("nothing on the page comes from elsewhere or runs", () => {
  const html = renderPage(everyKind("web"), [], { ...OPTIONS, isAdmin: true });
  assert.ok(!/https?:\/\/|<script|\son[a-z]+=|style="/i.test(html));
});

test("the security policy allows the one style sheet of the page", () => {
  const style = /<style>([^<]*)<\/style>/.exec(renderPage([], [], OPTIONS))![1]!;
  const hash = createHash("sha256").update(style).digest("base64");
  assert.ok(PAGE_HEADERS[0]!.includes(`style-src 'sha256-${hash}'`));
  assert.ok(PAGE_HEADERS[0]!.includes("default-src 'none'"));
});

test("column heads and names of rows are marked as such", () => {
  const elements = readElements(renderPage(everyKind("web"), [], OPTIONS));
  const heads = elements.filter((tag) => tag.startsWith("<th"));
  assert.ok(heads.length > 14);
  assert.ok(heads.every((tag) => tag === "<thead>" || tag.includes('scope="')));
});

test("the version is hidden when it is to be hidden", () => {
  assert.ok(renderPage([], [], OPTIONS).includes("1.2.3"));
  assert.ok(!renderPage([], [], { ...OPTIONS, version: null }).includes("1.2.3"));
});

test("an unknown outcome of a form is not repeated", () => {
  assert.ok(!renderPage([], [], { ...OPTIONS, outcome: "EVIL" }).includes("EVIL"));
});

test("figures are short and keep three digits", () => {
  const numbers = [0, 999, 1000, 12_345, 999_499, 999_600, 4_560_000].map(shortNumber);
  assert.equal(numbers.join(" "), "0 999 1.00k 12.3k 999k 1.00M 4.56M");
  assert.deepEqual([0, 1210, 3_400_000_000].map(shortBytes), ["0 B", "1.21 kB", "3.40 GB"]);
  assert.deepEqual([0, 4, 200, 3600, 90_000].map(shortDuration), ["0s", "4s", "3m 20s", "1h", "1d 1h"]);
  assert.deepEqual([0, 240, 1240].map(shortMilliseconds), ["0 ms", "240 ms", "1.24 s"]);
  assert.equal(fullNumber(1_234_567), "1\u202f234\u202f567");
  assert.equal(escapeHtml(`<&>"'`), "&lt;&amp;&gt;&quot;&#39;");
});
