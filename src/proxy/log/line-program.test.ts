import assert from "node:assert/strict";
import { test } from "node:test";
import { requestOn, stageOf } from "../../../test/proxy-stage.ts";
import { compileFormatParts } from "../rules/format.ts";
import type { Stream } from "../stream.ts";
import { LineBuffer } from "./line-buffer.ts";
import { compileLogLine } from "./log-line.ts";

const FORMATS = [
  "option httplog",
  "option tcplog",
  String.raw`log-format "%ci:%cp\ [%tr]\ %ft\ %b/%s\ %TR/%Tw/%Tc/%Tr/%Ta\ %ST\ %B\ and\ more\ %U\ %f\ %Tt\ %ts\ [%t]"`,
  String.raw`log-format "%ci:%cp\ [%tr]\ %ft\ %b/%s\ %{+Q}r|%r|%{+E}r\ %ac/%fc/%bc/%sc/%rc\ %sq/%bq\ %CC\ %CS\ %tsc\ é"`,
];

function stageWith(
  format: string,
  path: string,
): { stream: Stream; text: string; cut: (limit: number) => string } {
  const stage = stageOf(`
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend www
  bind :8080
  log 127.0.0.1:514 local0
  ${format}
  default_backend web
backend web
  cookie SRV insert
  server one 127.0.0.1:8002
`);
  const stream = requestOn(stage, [`GET ${path} HTTP/1.1`, "Host: a"]);
  stream.backend = stage.runtime.backendsByName.get("web")!;
  stream.server = stream.backend.servers[0]!;
  Object.assign(stream, {
    status: 200,
    requestMs: 0.7,
    queueMs: 12,
    connectMs: -1,
    responseMs: 345.9,
    bytesOut: 1e10,
  });
  Object.assign(stream, { cookieRequest: "N", cookieResponse: "I", retries: 3, isRedispatched: true });
  stream.endMs = stream.startMs + 1234567;
  const definition = stream.frontend.definition.logFormat!;
  const counters = { logCount: { value: 0 }, requestCount: { value: 0 } };
  const parts = compileFormatParts(definition, stage.environment, "log", counters);
  const append = compileLogLine(definition, stage.environment);
  const cut = (limit: number) => {
    const line = new LineBuffer(4096);
    line.limit = limit;
    append(stream, line);
    return Buffer.from(line.bytes.subarray(0, line.length)).toString("latin1");
  };
  return {
    stream,
    get text() {
      return parts.map((part) => (typeof part === "string" ? part : part(stream))).join("");
    },
    cut,
  };
}

for (const format of FORMATS) {
  test(`a line says what its variables say as text: ${format.slice(0, 60)}`, () => {
    for (const path of ["/small?a=1", '/with"quote', `/${"long".repeat(300)}`]) {
      const stage = stageWith(format, path);
      // Before and after somebody has asked for the text of the target.
      const before = stage.cut(4096);
      assert.equal(before, stage.text);
      assert.equal(stage.cut(4096), before);
    }
  });

  test(`a line that does not fit is cut where its limit is: ${format.slice(0, 60)}`, () => {
    const { cut, text } = stageWith(format, "/small");
    for (let limit = 0; limit <= text.length; limit++) assert.equal(cut(limit), text.slice(0, limit));
  });
}
