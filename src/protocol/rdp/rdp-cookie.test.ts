import assert from "node:assert/strict";
import { test } from "node:test";
import { readRdpCookie } from "./rdp-cookie.ts";

const HEADERS = "\x03\0\0\x2f\x2a\xe0\0\0\0\0\0";

function bytes(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

test("the first line behind the headers names the cookie", () => {
  const cookie = { name: "mstshash", value: "alice" };
  for (const line of ["Cookie: mstshash=alice\r\n", "cookie:mstshash=alice\r\nmore"])
    assert.deepEqual(readRdpCookie(bytes(HEADERS + line)), cookie);
});

test("each beginning of one may become one, and nothing else does", () => {
  const whole = `${HEADERS}Cookie: a=b\r\n`;
  for (let length = 0; length < whole.length; length++)
    assert.equal(readRdpCookie(bytes(whole.slice(0, length))), "incomplete", `${length}`);
  for (const text of ["GET / HTTP/1.1\r\n\r\n", `${HEADERS}Cake: a=b\r\n`, `${HEADERS}Cookie: a=\r\n`])
    assert.equal(readRdpCookie(bytes(text)), null);
  assert.equal(readRdpCookie(bytes(`${HEADERS}Cookie: ${"a".repeat(600)}`)), null);
});
