import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { packetCommand, type RequestFields, requestCommand, requestWords } from "./question-words.ts";

const fields = (more: Partial<RequestFields>): RequestFields => ({
  url: "https://company.com/login",
  method: "GET",
  host: "",
  tlsName: "",
  cookie: "",
  headers: "",
  ...more,
});

test("a request's fields become a URL and headers, in the order that a browser would send them", () => {
  assert.deepEqual(requestWords(fields({})), { url: "https://company.com/login", method: null, headers: [] });
  assert.deepEqual(
    requestWords(
      fields({
        method: "POST",
        host: "shop.company.com",
        cookie: "SERVERID=B",
        headers: "X-A: 1\n\n X-B: 2 ",
      }),
    ),
    {
      url: "https://company.com/login",
      method: "POST",
      headers: ["Host: shop.company.com", "Cookie: SERVERID=B", "X-A: 1", "X-B: 2"],
    },
  );
});

test("another name in the handshake takes the URL's place, and that goes on as the header Host", () => {
  const words = (more: Partial<RequestFields>) => requestWords(fields(more));
  assert.deepEqual(words({ url: "https://company.com:8443/a?b", tlsName: "other.com" }), {
    url: "https://other.com:8443/a?b",
    method: null,
    headers: ["Host: company.com:8443"],
  });
  assert.deepEqual(words({ url: "https://[2001:db8::1]/", tlsName: "other.com" }).headers, [
    "Host: [2001:db8::1]",
  ]);
  assert.deepEqual(words({ url: "http://company.com/", tlsName: "other.com" }).headers, []);
  assert.deepEqual(words({ tlsName: "other.com", headers: "host: mine.com" }).headers, ["host: mine.com"]);
  assert.deepEqual(words({ tlsName: "other.com", host: "mine.com" }).headers, ["Host: mine.com"]);
});

test("the command line is the same question, and a shell reads it as these words", () => {
  const packet = { from: "internet", to: "203.0.113.10", protocol: "tcp", port: "443" };
  const request = requestWords(
    fields({ url: "https://company.com/?a=1&b='2'", cookie: "SERVERID=B", method: "PUT" }),
  );
  const line = packetCommand("data center.yaml", packet, request);
  const shown = spawnSync("sh", ["-c", `sallyport() { printf '%s\\n' "$@"; }; ${line}`], {
    encoding: "utf8",
  });
  assert.deepEqual(shown.stdout.trimEnd().split("\n"), [
    ...["explain", "data center.yaml", "internet", "to", "203.0.113.10", "tcp", "443", "--back"],
    ...["--url", "https://company.com/?a=1&b='2'", "-X", "PUT", "-H", "Cookie: SERVERID=B"],
  ]);
});

test("what is not said is no word of the command line", () => {
  const nothing = requestWords(fields({ url: "" }));
  const packet = { from: "a", to: "b", protocol: "icmp", port: "" };
  assert.equal(packetCommand("d.yaml", packet, nothing), "sallyport explain d.yaml a to b icmp --back");
  assert.equal(
    packetCommand("d.yaml", { ...packet, to: "203.0.113.10:80", protocol: "tcp" }, nothing),
    "sallyport explain d.yaml a to 203.0.113.10:80 --back",
  );
  assert.equal(
    requestCommand(["a.cfg", "b.cfg"], requestWords(fields({})), { from: "", to: "10.0.0.1", down: ["x/y"] }),
    "sallyport explain request a.cfg b.cfg https://company.com/login --to 10.0.0.1 --down x/y",
  );
});
