// What becomes of messages as a whole is held against HAProxy in test/logs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isoOfLegacy, legacyOfIso, readSyslogMessage } from "./syslog-message.ts";

function fieldsOf(text: string): Record<string, unknown> {
  const { bytes, textStart, ...fields } = readSyslogMessage(Buffer.from(text, "latin1"));
  const message = Buffer.from(bytes).subarray(textStart).toString("latin1");
  const said = Object.entries(fields).filter(([, value]) => value !== "");
  return { ...Object.fromEntries(said), text: message };
}

test("a message of RFC 5424 has all its fields, its structured data to the letter", () => {
  const data = '[a@1 x="] \\" ]" y=""][b]';
  assert.deepEqual(fieldsOf(`<165>1 2003-10-11T22:14:15.003Z host app 42 ID47 ${data} the text`), {
    priority: 165,
    format: "rfc5424",
    timestamp: "2003-10-11T22:14:15.003Z",
    hostname: "host",
    tag: "app",
    pid: "42",
    messageId: "ID47",
    structuredData: data,
    text: "the text",
  });
});

test("fields of RFC 5424 that are nil are none, and the text may be missing", () => {
  for (const text of ["<0>1 - - - - - -", "<0>1 - - - - - - "])
    assert.deepEqual(fieldsOf(text), { priority: 0, format: "rfc5424", text: "" });
});

test("a message of RFC 3164 has a tag when a colon and a space end it", () => {
  const head = "<34>Oct  1 22:14:15 host ";
  const common = { priority: 34, format: "rfc3164", timestamp: "Oct  1 22:14:15", hostname: "host" };
  assert.deepEqual(fieldsOf(`${head}su[123]: failed\n`), {
    ...common,
    tag: "su",
    pid: "123",
    text: "failed",
  });
  assert.deepEqual(fieldsOf(`${head}su: `), { ...common, tag: "su", text: "" });
  for (const text of ["su failed: x", "su:failed x", "a:b: c", "su[1]:", " su: x"])
    assert.deepEqual(fieldsOf(head + text), { ...common, text });
});

test("what is neither is all text, whatever it begins like", () => {
  const texts = [
    "1 - host app pid mid",
    "1 yesterday host app pid mid - text",
    '1 - host app pid mid [a b="c" text',
    "1 - host app pid mid [a]text",
    "2 - host app pid mid - text",
    "Oct 11 22:14:15 host",
    "Oct 11 22:14:15  host tag: text",
    "oct 11 22:14:15 host tag: text",
    "",
    "\0\xff",
  ];
  for (const text of texts) assert.deepEqual(fieldsOf(`<7>${text}`), { priority: 7, format: "none", text });
  for (const text of ["no priority", "<", "<1", "<1x>a", "<1234>a", ""])
    assert.deepEqual(fieldsOf(text), { priority: null, format: "none", text });
});

test("dates of one format are dates of the other", () => {
  assert.equal(isoOfLegacy("Oct  1 22:14:15", 2026), "2026-10-01T22:14:15-00:00");
  assert.equal(legacyOfIso("2003-01-09T22:14:15.003+02:00"), "Jan  9 22:14:15");
});

test("a prefix of a message, and any byte of it changed, is a message too", () => {
  const message = Buffer.from('<165>1 2003-10-11T22:14:15Z h a p m [x y="z\\"]"] text');
  for (let length = 0; length <= message.length; length++) readSyslogMessage(message.subarray(0, length));
  for (let at = 0; at < message.length; at++)
    for (const byte of [0, 10, 32, 34, 91, 92, 93, 255]) {
      const changed = Buffer.from(message);
      changed[at] = byte;
      assert.ok(readSyslogMessage(changed).textStart <= changed.length);
    }
});
