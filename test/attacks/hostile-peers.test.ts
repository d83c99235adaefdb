// Clients and servers that send anything but what they should, in pieces that come one by one and end
// anywhere.
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { createSelfSignedCertificate } from "../../src/io/test-certificates.ts";
import { freePort } from "../free-port.ts";
import { Origin } from "../processes/origin.ts";
import { ENGINES, RunningSallyport, TestDirectory } from "../processes/running-sallyport.ts";
import {
  assertUnharmed,
  bytewise,
  converse,
  latin1,
  mutate,
  RawOrigin,
  randomSource,
} from "./attack-stage.ts";

const REQUESTS = [
  "GET / HTTP/1.1\r\nHost: a\r\nCookie: S=one\r\n\r\n",
  "POST /w HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "POST /p%0d%0aX:1?a=b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nT: x\r\n\r\n",
  "HEAD http://a:80/x HTTP/1.0\r\nConnection: keep-alive\r\nAuthorization: Basic !!!\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
];
const PROXY_V1 = "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
const PROXY_V2 =
  "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x01\0\x02GET / HTTP/1.1\r\nHost: a\r\n\r\n";
// A ClientHello of TLS 1.2 with a server name.
const CLIENT_HELLO =
  "\x16\x03\x01\0\x4b\x01\0\0\x47\x03\x03" + "r".repeat(32) + "\0\0\x04\xc0\x2f\0\xff\x01\0\0\x1a" +
  "\0\0\0\x0e\0\x0c\0\0\x09localhost\0\x0a\0\x04\0\x02\0\x1d"; // biome-ignore format: bytes of one record
const COMMANDS = [
  "show stat\n",
  "set weight web/a 5\n",
  "prompt\nshow info\n",
  "show sess\n",
  "set server web/a addr \n",
];

function configurationOf(directory: TestDirectory, ports: readonly number[], originPort: number): string {
  return `
global
  stats socket ${directory.file("stats")} level admin
  stats timeout 2s
defaults
  mode http
  timeout connect 1s
  timeout client 500ms
  timeout server 300ms
  timeout http-request 500ms
  retries 0
  http-reuse always
frontend web
  bind 127.0.0.1:${ports[0]}
  bind 127.0.0.1:${ports[1]} accept-proxy
  bind 127.0.0.1:${ports[2]} ssl crt ${directory.file("a.pem")} ca-file ${directory.file("a.pem")} verify optional
  bind ${directory.file("web.sock")}
  http-request set-header X-Url %[url,url_dec] if { path_beg /p }
  http-request wait-for-body time 200ms if { path_beg /w }
  default_backend web
frontend names
  mode tcp
  bind 127.0.0.1:${ports[3]}
  tcp-request inspect-delay 300ms
  tcp-request content accept if { req_ssl_hello_type 1 }
  default_backend secure
backend web
  cookie S insert indirect
  server a 127.0.0.1:${originPort} cookie one
backend secure
  mode tcp
  server a 127.0.0.1:${ports[2]}
`;
}

const BODY_RESPONSE = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: S=x\r\n\r\nhello";
const CHUNKED_RESPONSE =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: z\r\n\r\n";
const CHUNKED_HEAD = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** What the server says, and the first status that the client may then see. */
const BAD_RESPONSES: readonly (readonly [response: string, status: string])[] = [
  ["\0\x01garbage\r\n\r\n", "502"],
  ["hello world\n", "502"],
  [`HTTP/1.1 200 OK\r\nX: ${"A".repeat(40_000)}\r\n\r\n`, "502"],
  [`HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(1000)}\r\n`, "502"],
  ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", "502"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nabc", "502"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabc", "502"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", "502"],
  ["HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 0\r\n\r\n", "502"],
  ["HTTP/1.1 099 x\r\n\r\n", "502"],
  ["HTTP/1.1 1000 x\r\n\r\n", "502"],
  [`${CHUNKED_HEAD}ffffffffffffffffffff\r\nabc`, "502"],
  [`${CHUNKED_HEAD}-5\r\nabc`, "502"],
  [`${CHUNKED_HEAD}0\r\n${"A: b\r\n".repeat(5000)}\r\n`, "200"],
  [`${CHUNKED_HEAD}5;${"x".repeat(5000)}\r\nhello\r\n0\r\n\r\n`, "502"],
  ["HTTP/1.1 204 OK\r\nContent-Length: 6\r\n\r\nHTTP/1.1 200 poison\r\n\r\n", "204"],
  ["HTTP/1.1 304 OK\r\n\r\nHTTP/1.1 200 poison\r\n\r\n", "304"],
  [`${BODY_RESPONSE}HTTP/1.1 200 poison\r\n\r\n`, "200"],
];

for (const engine of ENGINES)
  describe(`hostile peers on the ${engine} engine`, () => {
    test("no client can end a worker or the master", async () => {
      using directory = new TestDirectory();
      await using origin = await Origin.start("a");
      const { certificatePem, keyPem } = createSelfSignedCertificate({ commonName: "localhost" });
      directory.file("a.pem", `${certificatePem}${keyPem}`, 0o600);
      const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
      const path = directory.file("x.cfg", configurationOf(directory, ports, origin.port));
      await using sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
      const workers = sallyport.workerPids;
      const random = randomSource(7);
      const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
      const targets: readonly (readonly [to: number | string, seeds: readonly string[]])[] = [
        [ports[0]!, REQUESTS],
        [directory.file("web.sock"), REQUESTS],
        [ports[1]!, [PROXY_V1, PROXY_V2]],
        [ports[2]!, [CLIENT_HELLO]],
        [ports[3]!, [CLIENT_HELLO, ...REQUESTS]],
        [directory.file("stats"), COMMANDS],
      ];
      let left = 400;
      const attacker = async (): Promise<void> => {
        while (left-- > 0) {
          const [to, seeds] = pick(targets);
          const bytes = mutate(latin1(pick(seeds)), random);
          const pieces = random() < 0.3 ? bytewise(bytes.subarray(0, 60)) : [bytes];
          const end = pick([{}, { end: "half" }, { end: "cut" }] as const);
          await converse(to, pieces, { ...end, patienceMs: 150 });
        }
      };
      await Promise.all(Array.from({ length: 20 }, attacker));
      const answer = await converse(ports[0]!, [
        latin1("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
      ]);
      assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*a \/x\n$/);
      await assertUnharmed(sallyport, workers, directory.file("stats"));
    });

    test("no server can end a worker, or give a client what was not meant for it", async () => {
      using directory = new TestDirectory();
      let reply: (socket: Socket) => void = () => {};
      await using origin = await RawOrigin.start((socket) => {
        socket.on("data", (bytes: Buffer) => {
          if (bytes.includes("\r\n\r\n")) reply(socket);
        });
      });
      const { certificatePem, keyPem } = createSelfSignedCertificate({ commonName: "localhost" });
      directory.file("a.pem", `${certificatePem}${keyPem}`, 0o600);
      const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
      const path = directory.file("x.cfg", configurationOf(directory, ports, origin.port));
      await using sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
      const workers = sallyport.workerPids;
      const request = [latin1("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")];
      const ask = () => converse(ports[0]!, request);

      for (const response of [BODY_RESPONSE, CHUNKED_RESPONSE]) {
        const bodyStart = response.indexOf("\r\n\r\n") + 4;
        for (let length = 0; length < response.length; length++)
          for (const isReset of [false, true]) {
            reply = (socket) => {
              socket.write(response.slice(0, length), () =>
                isReset ? socket.resetAndDestroy() : socket.end(),
              );
            };
            const answer = await ask();
            if (length < bodyStart) assert.match(answer, /^HTTP\/1\.1 502 /);
            else
              assert(
                !answer.endsWith("hello") || length >= bodyStart + 5,
                `a cut body was completed: ${answer}`,
              );
          }
      }
      for (const [response, status] of BAD_RESPONSES) {
        reply = (socket) => socket.end(response, "latin1");
        const answer = await ask();
        assert.equal(answer.slice(0, 12), `HTTP/1.1 ${status}`, JSON.stringify(response.slice(0, 80)));
        assert.doesNotMatch(answer, /poison/);
      }
      const random = randomSource(8);
      for (let i = 0; i < 150; i++) {
        const response = mutate(latin1(random() < 0.5 ? BODY_RESPONSE : CHUNKED_RESPONSE), random);
        reply = (socket) => socket.end(response);
        await ask();
      }
      reply = (socket) => socket.end(BODY_RESPONSE);
      assert.match(await ask(), /^HTTP\/1\.1 200 [\s\S]*hello$/);
      await assertUnharmed(sallyport, workers, directory.file("stats"));
    });
  });
