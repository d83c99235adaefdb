import assert from "node:assert/strict";
import { test } from "node:test";
import { formatRequestLine } from "./request-lines.ts";

const LINE =
  '127.0.0.1:41444 [23/Nov/2026:04:08:19.123] https-in~ application-backend/WEB-001 0/0/0/1/12 200 1234 - - --NI 1/1/0/0/0 0/0 "GET /a?b HTTP/1.1"';

test("a request becomes one line of columns, with the cookie's fate in words", () => {
  assert.equal(
    formatRequestLine(LINE, false),
    "04:08:19  200     GET /a?b                    WEB-001       12 ms    1.2 kB  --NI   new visitor, gets a cookie",
  );
});

test("how a request ended comes before its cookie", () => {
  const moved = formatRequestLine(LINE.replace("200 1234", "503 200").replace("--NI", "SCDI"), false);
  assert.match(
    moved!,
    / 503 .* SCDI {3}no connection to the server, its server is out: moved, gets a new cookie$/,
  );
});

test("captured headers, IPv6 clients, early logs and cut requests are understood", () => {
  for (const line of [
    LINE.replace("127.0.0.1:41444", "::1:41444"),
    LINE.replace(' 0/0 "', ' 0/0 {a|b c} {d} "'),
    LINE.replace("1/12 200 1234", "1/+12 200 +1234"),
    LINE.replace("0/0/0/1/12 200", "-1/-1/-1/-1/12 -1").replace('"GET /a?b HTTP/1.1"', '"<BADREQ>"'),
    LINE.replace('HTTP/1.1"', "HTT"),
  ])
    assert.ok(formatRequestLine(line, false)?.startsWith("04:08:19"), line);
});

test("a long target is cut, and a line of another kind is none", () => {
  const long = formatRequestLine(LINE.replace("/a?b", `/${"x".repeat(60)}`), false);
  assert.ok(long!.includes(`GET /${"x".repeat(20)}…  WEB-001`), long!);
  assert.equal(formatRequestLine("Proxy https-in started.", false), null);
});

test("each kind of status has a colour of its own", () => {
  const colours = ["200", "302", "404", "503"].map((status) => {
    const text = formatRequestLine(LINE.replace(" 200 ", ` ${status} `), true)!;
    return text.slice(0, text.indexOf(status)).split("  ").at(-1);
  });
  assert.equal(new Set(colours).size, 4);
});
