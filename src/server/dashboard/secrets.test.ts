import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutSecrets } from "./secrets.ts";

test("passwords and keys stay in the file", () => {
  const cases = [
    ["user anna insecure-password hunter2", "user anna insecure-password …"],
    ["user anna password $5$abc groups a", "user anna password … groups a"],
    ["  stats auth admin:hunter2", "  stats auth admin:…"],
    ["dynamic-cookie-key hunter2", "dynamic-cookie-key …"],
    [
      "http-request set-header Authorization Basic\\ aHVudGVyMg==",
      "http-request set-header Authorization Basic\\ …",
    ],
    ["Authorization: Bearer hunter2", "Authorization: Bearer …"],
    [
      "  reqadd Authorization:\\ Basic\\ aHVu\\ dGVy if LOCAL",
      "  reqadd Authorization:\\ Basic\\ … if LOCAL",
    ],
    [
      "http-request add-header Authorization 'Basic aHVudGVy'",
      "http-request add-header Authorization 'Basic …",
    ],
    ["http-request del-header Authorization if LOCAL", "http-request del-header Authorization if LOCAL"],
    ["capture request header Authorization len 20", "capture request header Authorization len 20"],
    ["acl known hdr(Authorization) -m found", "acl known hdr(Authorization) -m found"],
    ["GET / HTTP/1.1\nAuthorization: hunter 2\nHost: a", "GET / HTTP/1.1\nAuthorization: …\nHost: a"],
    ["setenv API_TOKEN hunter2", "setenv API_TOKEN …"],
    ["server a 127.0.0.1:80 cookie A check", "server a 127.0.0.1:80 cookie A check"],
  ] as const;
  for (const [line, shown] of cases) assert.equal(withoutSecrets(line), shown);
});
