// Runs one case on all subjects in step and says how they differ from the first, which is HAProxy.
import { type ClientStep, Conversation } from "./conversation.ts";
import { DIFFERENCES } from "./differences.ts";
import type { OriginScript } from "./origin.ts";
import { LOGGED_BYTES, type Subject } from "./subject.ts";

/** One thing that clients do, and what the servers answer. */
export interface Case {
  /** A sentence. */
  readonly name: string;
  /** Connections, one after the other unless `together`; each is what one client does. */
  readonly clients: readonly (readonly ClientStep[])[];
  readonly front?: string;
  /** What the servers do for the first request, the second … of this case. */
  readonly servers?: readonly OriginScript[];
  /**
   * Responses that each client, or each of them in turn, waits for; 1 unless said. 0: until the proxy closes.
   */
  readonly responses?: number | readonly number[];
  /** Log lines to wait for; as many as responses unless said. */
  readonly logs?: number;
  /** Clients start 80 ms apart and overlap. */
  readonly together?: true;
  /** Addresses that the clients have, one after the other. */
  readonly from?: readonly string[];
}

export type Part = "answer" | "server" | "log";

export interface CaseGroup {
  readonly name: string;
  readonly configuration: string;
  /** Where HAProxy would refuse what we read: the same in its words. */
  readonly haproxyConfiguration?: string;
  readonly cases: readonly Case[];
}

export interface Observation extends Readonly<Record<Part, string>> {
  /**
   * The byte counts of the log lines together, and what the clients received; null when one of them is not
   * known.
   */
  readonly bytes: { readonly logged: number; readonly received: number } | null;
}

const LOG_MS = 2500;
const STAGGER_MS = 80;
const GREETING: OriginScript = [
  "read",
  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Server: NAME\r\n\r\nhello",
];

/** What each subject did. */
export async function observe(subjects: readonly Subject[], each: Case): Promise<Observation[]> {
  for (const subject of subjects) {
    subject.turns.turn = 0;
    subject.takeLogs();
    for (const origin of subject.origins) {
      origin.flush();
      origin.setScripts(each.servers ?? [GREETING]);
    }
    subject.turns.records.length = 0;
    subject.turns.round++;
  }
  const answers: string[][] = subjects.map(() => []);
  const received: number[] = subjects.map(() => 0);
  const rounds =
    each.together === true
      ? [each.clients.map((_, index) => index)]
      : each.clients.map((_, index) => [index]);
  for (const round of rounds) {
    const said = await runRound(subjects, each, round);
    for (const [index, { texts, bytes }] of said.entries()) {
      answers[index]!.push(...texts);
      received[index]! += bytes;
    }
  }
  await untilLogged(subjects, each);
  return subjects.map((subject, index) => {
    const logs = subject.takeLogs();
    const logged = logs.map((line) => Number(LOGGED_BYTES.exec(line)?.[1] ?? Number.NaN));
    for (const origin of subject.origins) origin.flush();
    const records = subject.turns.records.sort((a, b) => a.turn - b.turn).map(({ text }) => text);
    return {
      answer: subject.normalise(answers[index]!.join("\n--\n")),
      server: subject.normalise(records.join("\n--\n")),
      log: logs.map((line) => subject.normalise(line)).join("\n"),
      bytes: each.logs === undefined ? bytesOf(logged, received[index]!) : null,
    };
  });
}

async function runRound(
  subjects: readonly Subject[],
  each: Case,
  round: readonly number[],
): Promise<{ texts: string[]; bytes: number }[]> {
  const all = subjects.map((subject) => round.map((index) => ({ index, subject })));
  const conversations = await Promise.all(
    all.map((plans) =>
      Promise.all(
        plans.map(async ({ index, subject }) => {
          await new Promise((resolve) => setTimeout(resolve, round.indexOf(index) * STAGGER_MS));
          const conversation = new Conversation(subject.portOf(each.front ?? "front1"), {
            steps: each.clients[index]!,
            responseCount: responsesOf(each, index),
            localAddress: each.from?.[index % each.from.length] ?? "127.0.0.1",
            arrived: subject.turns,
          });
          await conversation.talk();
          return conversation;
        }),
      ),
    ),
  );
  for (const position of round.keys()) {
    const same = conversations.map((list) => list[position]!);
    if (same.some(({ isOver }) => isOver))
      await Promise.all(same.map((conversation) => conversation.untilClosed()));
  }
  return conversations.map((list) => {
    const isWhole = list.every((conversation) => conversation.isWhole);
    const bytes = list.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
    const texts = list.map((conversation) => conversation.describe());
    for (const conversation of list) conversation.close();
    return { texts, bytes: isWhole ? bytes : Number.NaN };
  });
}

function bytesOf(logged: readonly number[], received: number): Observation["bytes"] {
  const sum = logged.reduce((total, count) => total + count, 0);
  return logged.length === 0 || Number.isNaN(sum) || Number.isNaN(received)
    ? null
    : { logged: sum, received };
}

function responsesOf({ responses }: Case, client: number): number {
  return typeof responses === "object" ? responses[client]! : (responses ?? 1);
}

async function untilLogged(subjects: readonly Subject[], each: Case): Promise<void> {
  const wanted = each.logs ?? each.clients.reduce((sum, _, index) => sum + responsesOf(each, index), 0);
  const deadline = Date.now() + LOG_MS;
  while (Date.now() < deadline && subjects.some(({ logCount }) => logCount < wanted))
    await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 25));
}

/** Null: all agree, or differ exactly as the case says. Otherwise a text for people. */
export function disagreement(each: Case, haproxy: Observation, ours: Observation): string | null {
  const complaints: string[] = [];
  for (const part of ["answer", "server", "log"] as const) {
    const expected = DIFFERENCES[each.name]?.ours[part];
    const isEqual = haproxy[part] === ours[part];
    if (
      expected === undefined
        ? isEqual
        : !isEqual && expected.test(ours[part]) && !expected.test(haproxy[part])
    )
      continue;
    const note = expected === undefined ? "" : ` (the table says that ours has ${expected})`;
    complaints.push(`${part}${note}\n${compareLines(haproxy[part], ours[part])}`);
  }
  if (ours.bytes !== null && ours.bytes.logged !== ours.bytes.received)
    complaints.push(`logged ${ours.bytes.logged} bytes, the client received ${ours.bytes.received}`);
  return complaints.length === 0 ? null : complaints.join("\n");
}

function compareLines(theirs: string, ours: string): string {
  const left = theirs.split("\n");
  const right = ours.split("\n");
  const lines: string[] = [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    if (left[i] === right[i]) lines.push(`      ${left[i]}`);
    else {
      if (left[i] !== undefined) lines.push(`    - ${left[i]}`);
      if (right[i] !== undefined) lines.push(`    + ${right[i]}`);
    }
  }
  return lines.join("\n");
}
