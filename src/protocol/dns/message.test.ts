import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMessage, encodeQuestion } from "./message.ts";
import { decodeName, encodeName } from "./name.ts";

/** An answer as a nameserver sends it: two aliases deep, compressed, then one address of each family. */
const ANSWER = Buffer.from(
  [
    "1234 8180 0001 0004 0000 0001",
    "03777777 07657861 6d706c65 00 0001 0001", // 12: www.example A
    "c00c 0005 0001 00000005 0006 036c6231 c010", // 29: www.example CNAME lb1.example
    "c029 0005 0001 00000005 0006 036c6232 c010", // 47: lb1.example CNAME lb2.example
    "c03b 0001 0001 00000005 0004 c0000201", // lb2.example A 192.0.2.1
    "c03b 001c 0001 00000005 0010 20010db8 00000000 00000000 00000001",
    "00 0029 1000 00000000 0000",
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);

test("a question has the name, the type, recursion desired and the size that we take", () => {
  const bytes = encodeQuestion(0xabcd, "Web.Example.", "SRV", 4096)!;
  const name = "03576562074578616d706c6500";
  assert.equal(
    Buffer.from(bytes).toString("hex"),
    `abcd01000001000000000001${name}00210001${"00"}00291000000000000000`,
  );
  const message = decodeMessage(bytes)!;
  assert.deepEqual(message.question, { name: "web.example", type: "SRV" });
  assert.equal(message.isResponse, false);
});

test("a compressed answer is read as the records that it means", () => {
  assert.deepEqual(decodeMessage(ANSWER), {
    id: 0x1234,
    isResponse: true,
    isTruncated: false,
    code: 0,
    question: { name: "www.example", type: "A" },
    answers: [
      { kind: "alias", name: "www.example", target: "lb1.example" },
      { kind: "alias", name: "lb1.example", target: "lb2.example" },
      { kind: "address", name: "lb2.example", family: 4, address: "192.0.2.1" },
      { kind: "address", name: "lb2.example", family: 6, address: "2001:db8::1" },
    ],
    additional: [],
  });
});

test("no beginning of a message is a message, and bytes behind it change nothing", () => {
  for (let length = 0; length < ANSWER.length; length++)
    assert.equal(decodeMessage(ANSWER.subarray(0, length)), null, `${length}`);
  assert.deepEqual(decodeMessage(Buffer.concat([ANSWER, Buffer.from("more")])), decodeMessage(ANSWER));
});

test("one that says that it is truncated may end anywhere behind its question", () => {
  const cut = Buffer.from(ANSWER.subarray(0, 60));
  cut[2] = 0x83;
  assert.equal(decodeMessage(cut)?.isTruncated, true);
  assert.deepEqual(decodeMessage(cut)?.question, { name: "www.example", type: "A" });
  assert.equal(decodeMessage(cut.subarray(0, 20)), null);
});

test("a record whose length does not fit its type makes the message none", () => {
  const at = ANSWER.indexOf(Buffer.from("0004c0000201", "hex"));
  const wrong = Buffer.from(ANSWER);
  wrong[at + 1] = 3;
  assert.equal(decodeMessage(wrong), null);
});

test("names come back as they were, in lower case", () => {
  for (const name of ["a", "_http._tcp.example", "A.B.C", `${"x".repeat(63)}.example`, "", "example."]) {
    const bytes = encodeName(name)!;
    assert.deepEqual(decodeName(bytes, 0), {
      name: name.toLowerCase().replace(/\.$/, ""),
      end: bytes.length,
    });
  }
  for (const name of ["a..b", ".a", "x".repeat(64), `${"ab.".repeat(90)}`, "a b", "ä", "a\\b", "a\0b"])
    assert.equal(encodeName(name), null, name);
});

test("a pointer leads back only, so that none goes round in circles", () => {
  const at12 = (hex: string) => decodeName(Buffer.from(hex.replaceAll(" ", ""), "hex"), 0);
  assert.equal(at12("c000"), null);
  assert.equal(at12("c002 c000"), null);
  assert.equal(at12("0161 c000"), null);
  assert.equal(at12("c0"), null);
  assert.equal(at12("4161 00"), null);
  const two = Buffer.from("0161000162c000", "hex");
  assert.deepEqual(decodeName(two, 3), { name: "b.a", end: 7 });
});

test("many pointers to a long name are as many long names, not more", () => {
  const label = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 0x61)]);
  const name = Buffer.concat([label, label, label, Buffer.from([0])]);
  const records = Array.from({ length: 5000 }, () => Buffer.from("c00c0001000100000005000401020304", "hex"));
  const head = Buffer.from("0000818000011388000000000000".slice(0, 24), "hex");
  const message = Buffer.concat([head, name, Buffer.from("00010001", "hex"), ...records]);
  head.writeUInt16BE(5000, 6);
  assert.equal(decodeMessage(message)?.answers.length, 5000);
});

test("garbage of 20,000 seeds, and of as many damaged answers, is a message or none and nothing else", () => {
  let seed = 1;
  const random = (limit: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * limit);
  };
  for (let i = 0; i < 20_000; i++) {
    const garbage = Uint8Array.from({ length: random(80) }, () => random(256));
    decodeMessage(garbage);
    decodeName(garbage, random(90));
    const damaged = Buffer.from(ANSWER.subarray(0, ANSWER.length - random(3)));
    for (let n = random(6); n >= 0; n--) damaged[random(damaged.length)] = random(256);
    const message = decodeMessage(damaged);
    if (message !== null) assert.ok(message.answers.length <= damaged.length / 11, `seed ${seed}`);
  }
});
