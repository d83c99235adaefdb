import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer, AnswerFault } from "./answer.ts";
import { NameLookup } from "./name-lookup.ts";
import { makeSection } from "./resolvers.fixture.ts";

const GOOD: Answer = {
  kind: "addresses",
  addresses: [{ family: 4, address: "192.0.2.1" }],
  hasAlias: false,
};
const fault = (name: AnswerFault): Answer => ({ kind: "fault", fault: name });

/** Plays a lookup: what each nameserver says to each type, and nothing where it is left out. */
function play(
  first: "A" | "AAAA" | "SRV",
  answers: readonly Readonly<Record<string, Answer>>[],
  settings: { attempts?: number } = {},
): { asked: string; endMs: number; lookup: NameLookup } {
  const nameservers = answers.map((_, i) => `n${i}`);
  const lookup = new NameLookup(
    makeSection({ nameservers, retryMs: 200, ...settings }),
    "web.test",
    first,
    0,
  );
  const asked: string[] = [];
  let nowMs = 0;
  while (lookup.outcome === null) {
    const question = lookup.takeQuestion();
    if (question === null) {
      nowMs = lookup.nextTimeout;
      lookup.handleTimeout(nowMs);
      continue;
    }
    asked.push(`${question.type}@${nowMs}`);
    for (const [i, byType] of answers.entries()) {
      const answer = byType[question.type];
      if (answer !== undefined) lookup.receiveAnswer(i, question.type, answer, nowMs);
    }
  }
  return { asked: asked.join(" "), endMs: nowMs, lookup };
}

test("a good answer ends it at once, whoever gives it", () => {
  const { asked, lookup } = play("A", [{}, { A: GOOD }]);
  assert.equal(asked, "A@0");
  assert.deepEqual(lookup.outcome, { kind: "found", answer: GOOD, nameserver: 1 });
});

test("a bad answer of one does not count while another may have a good one", () => {
  assert.equal(play("A", [{ A: fault("nx") }, { A: GOOD }]).lookup.outcome?.kind, "found");
});

test("when all have failed the other family is asked for, then all of it again after the retry time", () => {
  const { asked, lookup, endMs } = play("A", [{ A: fault("nx"), AAAA: fault("refused") }]);
  assert.equal(asked, "A@0 AAAA@0 A@200 AAAA@200 A@400 AAAA@400");
  assert.equal(endMs, 400);
  assert.deepEqual(lookup.outcome, { kind: "failed", fault: "refused" });
  assert.equal(play("AAAA", [{ AAAA: fault("empty"), A: GOOD }]).asked, "AAAA@0 A@0");
});

test("services have no other family", () => {
  assert.equal(play("SRV", [{ SRV: fault("nx") }]).asked, "SRV@0 SRV@200 SRV@400");
});

test("who does not answer is asked for the same again, as often as was said", () => {
  const { asked, lookup, endMs } = play("AAAA", [{}, {}], { attempts: 2 });
  assert.equal(asked, "AAAA@0 AAAA@200");
  assert.equal(endMs, 400);
  assert.deepEqual(lookup.outcome, { kind: "failed", fault: "timeout" });
});

test("one that refuses beside one that is silent leads to the other family when the time is over", () => {
  const { asked, lookup } = play("A", [{ A: fault("refused"), AAAA: fault("nx") }, {}], { attempts: 2 });
  assert.equal(asked, "A@0 AAAA@200 A@400 AAAA@600");
  assert.deepEqual(lookup.outcome, { kind: "failed", fault: "nx" });
});

test("answers count once, from those that were asked, and to the present question only", () => {
  const section = makeSection({ nameservers: ["one", "two"] });
  const lookup = new NameLookup(section, "web.test", "A", 0);
  lookup.receiveAnswer(0, "A", fault("nx"), 1);
  lookup.receiveAnswer(0, "A", GOOD, 1);
  lookup.receiveAnswer(2, "A", GOOD, 1);
  lookup.receiveAnswer(1, "AAAA", GOOD, 1);
  assert.equal(lookup.outcome, null);
  assert.deepEqual([...lookup.waiting], [1]);
});

test("one that cannot be reached is not waited for, but does not make a failure of what nobody has said", () => {
  const nx = fault("nx");
  const lookup = new NameLookup(makeSection({ nameservers: ["one", "two"] }), "web.test", "A", 0);
  lookup.receiveNothing(0, "A", 1);
  lookup.takeQuestion();
  lookup.receiveAnswer(1, "A", nx, 2);
  assert.deepEqual(lookup.takeQuestion(), { name: "web.test", type: "AAAA" });
  lookup.receiveNothing(0, "AAAA", 3);
  lookup.receiveNothing(1, "AAAA", 3);
  assert.equal(lookup.outcome, null);
  assert.equal(lookup.takeQuestion(), null);
  lookup.handleTimeout(202);
  assert.deepEqual(lookup.takeQuestion(), { name: "web.test", type: "AAAA" }, "the same again");
});
