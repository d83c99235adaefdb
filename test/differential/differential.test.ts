// The same configuration and the same bytes for HAProxy 2.6 and for Sallyport on each engine: answers, the
// requests that servers saw, chosen servers, connections kept or closed, and log lines must be the same.
// Where they are not, the case says so and why; we may only be stricter or safer.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { findCommand, requires } from "../requirements.ts";
import { GROUPS } from "./cases/groups.ts";
import { type Case, type CaseGroup, disagreement, observe } from "./comparison.ts";
import { type Hole, startHole } from "./hole.ts";
import { type Subject, type SubjectName, startSubject } from "./subject.ts";

const skip = requires("haproxy") || isOtherHaproxy();
const OURS: readonly SubjectName[] = ["uring", "portable"];
/**
 * A case that once comes out otherwise was decided by a busy machine, which let one of the programs or their
 * client wait for longer than a timeout; what is different always comes out otherwise.
 */
const ROUNDS = 3;
const REST_MS = 1000;

describe("HAProxy 2.6 and Sallyport do the same", { skip, concurrency: 3 }, () => {
  let hole: Hole;
  before(async () => {
    hole = await startHole();
  });
  after(() => hole.close());
  for (const group of GROUPS) describeGroup(group, () => hole.port);
});

test("at least 150 requests are compared", () => {
  const requests = GROUPS.flatMap(({ cases }) => cases).map(({ clients }) => clients.length);
  assert.ok(requests.reduce((sum, count) => sum + count, 0) >= 150);
});

test("no two cases have the same name", () => {
  const names = GROUPS.flatMap(({ cases }) => cases).map(({ name }) => name);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});

function describeGroup(group: CaseGroup, holePort: () => number): void {
  describe(group.name, { concurrency: 1 }, () => {
    let subjects: Subject[] = [];
    before(async () => {
      const names: readonly SubjectName[] = ["haproxy", ...OURS];
      const started = await Promise.allSettled(
        names.map((name) => {
          const own = name === "haproxy" ? group.haproxyConfiguration : undefined;
          return startSubject(name, own ?? group.configuration, holePort());
        }),
      );
      subjects = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      for (const result of started) if (result.status === "rejected") throw result.reason;
    });
    after(() => Promise.all(subjects.map((subject) => subject.stop())));
    for (const each of group.cases) {
      test(each.name, async (t) => {
        let complaints: string[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          complaints = await compare(subjects, each);
          if (complaints.length === 0) return;
          t.diagnostic(complaints.join("\n"));
          await new Promise((resolve) => setTimeout(resolve, REST_MS));
        }
        assert.fail(complaints.join("\n"));
      });
    }
  });
}

/** What is told of each engine of ours that does not do as HAProxy does. */
async function compare(subjects: readonly Subject[], each: Case): Promise<string[]> {
  const [haproxy, ...ours] = await observe(subjects, each);
  if (process.env["SHOW"] !== undefined) console.log(each.name, haproxy);
  return ours.flatMap((observation, index) => {
    const complaint = disagreement(each, haproxy!, observation);
    return complaint === null ? [] : [`${OURS[index]}: ${complaint}`];
  });
}

function isOtherHaproxy(): false | string {
  const path = findCommand("haproxy");
  if (path === null) return "needs haproxy";
  return execFileSync(path, ["-v"]).toString().includes("version 2.6") ? false : "needs HAProxy 2.6";
}
