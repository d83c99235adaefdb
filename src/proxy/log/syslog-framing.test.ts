import assert from "node:assert/strict";
import { test } from "node:test";
import { SyslogFraming } from "./syslog-framing.ts";

const LENGTH_MAX = 100;

/** The messages in a stream that comes in pieces of this size. */
function messagesOf(stream: string, pieceBytes: number): { messages: string[]; isBroken: boolean } {
  const framing = new SyslogFraming(LENGTH_MAX);
  const messages: string[] = [];
  const bytes = Buffer.from(stream, "latin1");
  for (let at = 0; at < bytes.length; at += pieceBytes)
    framing.receive(bytes.subarray(at, at + pieceBytes), (message) =>
      messages.push(Buffer.from(message).toString("latin1")),
    );
  return { messages, isBroken: framing.isBroken };
}

const STREAMS: readonly (readonly [what: string, stream: string, messages: string[], isBroken: boolean])[] = [
  ["lines", "<1>one\n<2>two\n", ["<1>one", "<2>two"], false],
  ["counted messages", "6 <1>one6 <2>two", ["<1>one", "<2>two"], false],
  ["both in turn", "7 <1>one\n<2>two\n6 <3>thr", ["<1>one\n", "<2>two", "<3>thr"], false],
  ["newlines and null bytes in a counted one", "8 <1>a\nb\0c<2>d\n", ["<1>a\nb\0c", "<2>d"], false],
  ["an unfinished line", "<1>one\n<2>tw", ["<1>one"], false],
  ["an unfinished counted one", "6 <1>one99 <2>two", ["<1>one"], false],
  ["the longest line", `<${"1".repeat(99)}\n`, [`<${"1".repeat(99)}`], false],
  ["the longest counted one", `100 ${"x".repeat(100)}`, ["x".repeat(100)], false],
  ["a line that is too long", `<1>one\n<${"1".repeat(100)}\n<2>two\n`, ["<1>one"], true],
  ["a line without end", `<${"1".repeat(1000)}`, [], true],
  ["a length that is too large", "101 <1>one", [], true],
  ["a length without end", "9".repeat(1000), [], true],
  ["length 0", "0 <1>one\n", [], true],
  ["no space behind the length", "6x<1>one", [], true],
  ["no priority", "<1>one\nmessage\n<2>two\n", ["<1>one"], true],
  ["an empty line", "\n<1>one\n", [], true],
  ["another protocol", "GET / HTTP/1.1\r\n\r\n", [], true],
];

for (const [what, stream, messages, isBroken] of STREAMS) {
  test(`${what}: in one piece, byte by byte, and in threes`, () => {
    for (const pieceBytes of [stream.length, 1, 3])
      assert.deepEqual(messagesOf(stream, pieceBytes), { messages, isBroken }, `pieces of ${pieceBytes}`);
  });
}

test("any bytes give messages or an end, and never keep more than one message", () => {
  let seed = 42;
  const random = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return seed / 0x80000000;
  };
  const alphabet = "<>0123456789 \n\0ab\xff";
  for (let round = 0; round < 2000; round++) {
    const stream = Array.from({ length: 300 }, () => alphabet[Math.floor(random() * alphabet.length)]).join(
      "",
    );
    const whole = messagesOf(stream, stream.length);
    assert.deepEqual(messagesOf(stream, 1 + Math.floor(random() * 20)), whole);
    for (const message of whole.messages) assert.ok(message.length <= LENGTH_MAX);
  }
});
