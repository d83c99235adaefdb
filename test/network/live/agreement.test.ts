// What `explain` says, held against a real kernel in datacentres that nobody thought of: each is made by the
// command line, up to 700 questions are asked of it at once, and the frames on every cable are those of the
// explanation, the rules of edges those that it names; so are leases, and who serves a request. `npm run
// agreement` does it with 200 seeds; SEEDS=17 or SEEDS=1-50,88 with others, and QUESTION="a to 10.0.0.1" with
// those questions only that have these words.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { requires } from "../../requirements.ts";
import type { SeedReport } from "./agreement-run.ts";
import { inside } from "./inside.ts";

const skip =
  process.getuid?.() === 0
    ? requires(
        ...["ip", "bridge", "nft", "unshare", "nsenter", "bash", "ping", "tcpdump", "dnsmasq", "udhcpc"],
      )
    : "needs root";
const RUN = fileURLToPath(new URL("agreement-run.ts", import.meta.url));
const QUESTION = process.env["QUESTION"] ?? "";
/**
 * With what was explained wrong once: DHCP behind a closed firewall, a cluster in unicast mode on a switch
 * with policies, marks; and load balancers.
 */
const REGRESSIONS = "52,76,131";
/** A new network namespace for each few, so that a failure tells soon. */
const SEEDS_AT_ONCE = 4;

/** "1-3,119" */
function seedRanges(): (readonly [number, number])[] {
  const parts = (process.env["SEEDS"] ?? REGRESSIONS).split(",");
  return parts.flatMap((part) => {
    const [first = 1, last = first] = part.split("-").map(Number);
    const count = Math.ceil((last - first + 1) / SEEDS_AT_ONCE);
    const starts = Array.from({ length: count }, (_, index) => first + index * SEEDS_AT_ONCE);
    return starts.map((start) => [start, Math.min(last, start + SEEDS_AT_ONCE - 1)] as const);
  });
}

for (const [first, last] of seedRanges()) {
  const seeds = first === last ? `seed ${first}` : `seeds ${first} to ${last}`;
  test(`the kernel does what is explained, in the datacentres of ${seeds}`, {
    skip,
  }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-agreement-"));
    try {
      const run = `SALLYPORT_STATE=/run/state exec "${process.execPath}" --experimental-ffi --disable-warning=ExperimentalWarning "${RUN}" ${first} ${last} "${QUESTION}"`;
      const reports = inside(folder, run)
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as SeedReport);
      assert.equal(reports.length, last - first + 1);
      for (const report of reports) {
        const { seed, asked, frames, rules, requests, leases } = report;
        t.diagnostic(
          `seed ${seed}: ${asked} questions, ${frames} frames, ${rules} rules, ${requests} requests, ${leases} leases`,
        );
        assert.deepEqual(report.verdicts, [], `seed ${report.seed}:\n${report.text}`);
        assert.ok(report.asked > 0);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
