import assert from "node:assert/strict";
import { test } from "node:test";
import { Nameserver } from "../../../test/resolvers/nameserver.fixture.ts";
import type { NameserverQuestion, NameserverReply } from "../../proxy/resolvers/name-resolver.ts";
import { askNameserver } from "./ask-nameserver.ts";

type Change = Partial<Omit<NameserverQuestion, "receive">> & { transport?: "tcp" };

/** All replies until there is a message or the nameserver is out of reach. */
async function ask({ port }: { port: number }, change: Change = {}): Promise<NameserverReply[]> {
  const replies: NameserverReply[] = [];
  const { transport = "udp", ...rest } = change;
  return new Promise((resolve) => {
    const question: NameserverQuestion = {
      nameserver: { name: "one", host: "127.0.0.1", port, transport },
      name: "web.test",
      type: "A",
      payloadBytes: 512,
      timeoutMs: 10_000,
      receive: (reply) => {
        replies.push(reply);
        if (reply.kind === "message" || reply.kind === "unreachable") resolve(replies);
      },
      ...rest,
    };
    askNameserver(question, () => {}).start();
  });
}

const addressesOf = (replies: readonly NameserverReply[]) =>
  replies.flatMap((reply) =>
    reply.kind === "message"
      ? reply.message.answers.map((record) => (record.kind === "address" ? record.address : record.kind))
      : [reply.kind],
  );

test("an answer comes over UDP, over TCP, and over TCP when UDP has no room for it", async () => {
  await using nameserver = await Nameserver.start();
  nameserver.set("A web.test", { records: ["web.test 5 A 192.0.2.1"] });
  assert.deepEqual(addressesOf(await ask(nameserver)), ["192.0.2.1"]);
  assert.deepEqual(addressesOf(await ask(nameserver, { transport: "tcp", name: "WEB.test" })), ["192.0.2.1"]);
  nameserver.set("A web.test", { records: ["web.test 5 A 192.0.2.1"], isTruncated: true });
  assert.deepEqual(addressesOf(await ask(nameserver)), ["truncated", "192.0.2.1"]);
  const [plain, tcp] = ["A web.test", "A web.test over TCP"];
  assert.deepEqual(nameserver.questions, [plain, tcp, plain, tcp]);
});

test("garbage, other numbers, other names, other types and questions are no answers", async () => {
  await using nameserver = await Nameserver.start();
  nameserver.set("A web.test", { records: ["web.test 5 A 192.0.2.1"] });
  const changed = (message: Buffer, change: (copy: Buffer) => void) => {
    const copy = Buffer.from(message);
    change(copy);
    return copy;
  };
  nameserver.forge = (message, question) => [
    Buffer.from("garbage"),
    changed(message, (copy) => copy.writeUInt16BE((copy.readUInt16BE(0) + 1) & 0xffff)),
    changed(message, (copy) => copy.write("wab", 13, "latin1")),
    changed(message, (copy) => copy.writeUInt16BE(28, 22)),
    question,
    message,
  ];
  const wrong = new Array(5).fill("invalid");
  assert.deepEqual(addressesOf(await ask(nameserver)), [...wrong, "192.0.2.1"]);
});

test("each question has a number and a port of its own", async () => {
  await using nameserver = await Nameserver.start();
  nameserver.set("A web.test", { records: ["web.test 5 A 192.0.2.1"] });
  const numbers = new Set<number>();
  nameserver.forge = (message) => {
    numbers.add(message.readUInt16BE(0));
    return [message];
  };
  for (let i = 0; i < 20; i++) await ask(nameserver);
  assert.ok(numbers.size >= 18, `${numbers.size} numbers`);
  assert.ok(nameserver.ports.size >= 15, `${nameserver.ports.size} ports`);
});

test("one that is not there is out of reach, and a name that no message can have is not asked for", async () => {
  const nameserver = await Nameserver.start();
  const { port } = nameserver;
  await nameserver[Symbol.asyncDispose]();
  assert.deepEqual(await ask({ port }), [{ kind: "unreachable" }]);
  assert.deepEqual(await ask({ port }, { transport: "tcp" }), [{ kind: "unreachable" }]);
  await using present = await Nameserver.start();
  void ask(present, { name: "a..b" });
  await ask(present);
  assert.deepEqual(present.questions, ["A web.test"]);
});
