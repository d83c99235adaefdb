import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import { suitsVariant, variantOf } from "./variant.ts";

type Headers = Readonly<Record<string, string>>;

function requestOf(headers: Headers): MessageHead {
  const head = new MessageHead();
  head.startRequest("GET", "/");
  for (const [name, value] of Object.entries(headers)) head.addHeader(name, value);
  return head;
}

function responseOf(headers: Headers): MessageHead {
  const head = new MessageHead();
  head.startResponse(200, "OK");
  for (const [name, value] of Object.entries(headers)) head.addHeader(name, value);
  return head;
}

/** Whether what one client got is for another; null: it cannot be kept. */
function isFor(first: Headers, response: Headers, second: Headers): boolean | null {
  const variant = variantOf(requestOf(first), responseOf(response));
  return variant === null ? null : suitsVariant(requestOf(second), variant);
}

test("what varies on nothing is for everybody", () => {
  assert.equal(isFor({ referer: "a" }, {}, { referer: "b" }), true);
});

test("the coding of a response must be one that the client takes", () => {
  const response = { vary: "accept-encoding", "content-encoding": "gzip" };
  const takes = (value: string) => isFor({}, response, { "accept-encoding": value });
  for (const value of ["gzip", "GZIP", "deflate, gzip;q=0.1", "*", "deflate, *;q=0.1", "first, gzip"])
    assert.equal(takes(value), true, value);
  for (const value of ["deflate", "gzip;q=0", "*;q=0", "gzip;q=0, *", "xgzip", ""])
    assert.equal(takes(value), false, value);
  assert.equal(isFor({}, response, {}), false);
});

test("what is not encoded is for all who do not refuse it", () => {
  const response = { vary: "Accept-Encoding" };
  const takes = (value: string) => isFor({}, response, { "accept-encoding": value });
  assert.equal(isFor({}, response, {}), true);
  for (const value of ["gzip", "gzip;q=0", "*", "identity"]) assert.equal(takes(value), true, value);
  for (const value of ["gzip, identity;q=0", "gzip, *;q=0"]) assert.equal(takes(value), false, value);
});

test("all codings of a response must be taken", () => {
  const response = { vary: "accept-encoding", "content-encoding": "deflate, gzip" };
  assert.equal(isFor({}, response, { "accept-encoding": "gzip, deflate" }), true);
  assert.equal(isFor({}, response, { "accept-encoding": "gzip" }), false);
});

test("the referer must be the same", () => {
  const response = { vary: "referer" };
  assert.equal(isFor({ referer: "a" }, response, { referer: "a" }), true);
  assert.equal(isFor({ referer: "a" }, response, { referer: "b" }), false);
  assert.equal(isFor({ referer: "a" }, response, {}), false);
  assert.equal(isFor({}, { vary: "Referer, Accept-Encoding" }, {}), true);
});

test("what varies on anything else, or has a coding that nobody knows, is not kept", () => {
  assert.equal(isFor({}, { vary: "cookie" }, {}), null);
  assert.equal(isFor({}, { vary: "*" }, {}), null);
  assert.equal(isFor({}, { vary: "referer, x-other" }, {}), null);
  assert.equal(isFor({}, { vary: "accept-encoding", "content-encoding": "odd" }, {}), null);
});
