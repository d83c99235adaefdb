// Requests that two parsers could read differently, each followed by a marker. A strict server behind us must
// be able to read every byte that it gets, must see nothing that our log does not have, and nobody gets
// another's answer.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { Socket } from "node:net";
import { test } from "node:test";
import { freePort } from "../free-port.ts";
import { ENGINES, pause, RunningSallyport, TestDirectory } from "../processes/running-sallyport.ts";
import { assertUnharmed, bytewise, converse, latin1, RawOrigin } from "./attack-stage.ts";
import { NASTY_REQUESTS } from "./nasty-requests.ts";

const PATIENCE_MS = 10_000;

/** Reads requests as RFC 9112 has them and nothing else. */
class StrictReader {
  readonly requests: string[] = [];
  readonly complaints: string[] = [];

  serve(socket: Socket): void {
    let received = "";
    socket.on("data", (bytes: Buffer) => {
      received += bytes.toString("latin1");
      for (;;) {
        const length = this.#read(received);
        if (length === 0) return;
        const name = received.split(" ", 2).join(" ");
        received = received.slice(length);
        this.requests.push(name);
        const body = name.startsWith("HEAD ") ? "" : name;
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${body}`, "latin1");
      }
    });
  }

  /** Length of the first request; 0 while it is incomplete. */
  #read(text: string): number {
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return 0;
    const [line, ...headers] = text.slice(0, end).split("\r\n");
    this.#expect(/^[!#$%&'*+\-.^_`|~\w]+ [!-~\x80-\xff]+ HTTP\/1\.[01]$/, line!);
    for (const header of headers) this.#expect(/^[!#$%&'*+\-.^`|~\w]+:[^\r\n\0]*$/, header);
    const codings = headers.filter((header) => /^transfer-encoding:/i.test(header));
    const lengths = headers.filter((header) => /^content-length:/i.test(header));
    if (codings.length + lengths.length > 1) this.complaints.push(`two framings: ${text}`);
    for (const coding of codings) this.#expect(/^transfer-encoding: *chunked$/i, coding);
    for (const length of lengths) this.#expect(/^content-length: *\d+$/i, length);
    if (codings.length > 0) return this.#readChunks(text, end + 4);
    const length = end + 4 + Number(lengths[0]?.split(":")[1] ?? 0);
    return text.length < length ? 0 : length;
  }

  #readChunks(text: string, start: number): number {
    for (let at = start; ; ) {
      const lineEnd = text.indexOf("\r\n", at);
      if (lineEnd < 0) return 0;
      const line = text.slice(at, lineEnd);
      this.#expect(/^[0-9a-f]+[ \t]*(;[^\r\n]*)?$/i, line);
      const size = Number.parseInt(line, 16);
      at = lineEnd + 2 + size;
      if (!(size > 0)) return this.#readTrailers(text, lineEnd + 2);
      if (text.length < at + 2) return 0;
      this.#expect(/^\r\n$/, text.slice(at, at + 2));
      at += 2;
    }
  }

  #readTrailers(text: string, start: number): number {
    for (let at = start; ; ) {
      const lineEnd = text.indexOf("\r\n", at);
      if (lineEnd < 0) return 0;
      if (lineEnd === at) return at + 2;
      this.#expect(/^[!#$%&'*+\-.^`|~\w]+:[^\r\n\0]*$/, text.slice(at, lineEnd));
      at = lineEnd + 2;
    }
  }

  #expect(pattern: RegExp, text: string): void {
    if (!pattern.test(text)) this.complaints.push(JSON.stringify(text));
  }
}

for (const engine of ENGINES)
  test(`no request hides in another one on the ${engine} engine`, async () => {
    using directory = new TestDirectory();
    const reader = new StrictReader();
    await using origin = await RawOrigin.start((socket) => reader.serve(socket));
    const logged: string[] = [];
    const log = createSocket("udp4").on("message", (line) => logged.push(line.toString("latin1")));
    await new Promise<void>((resolve) => log.bind(0, "127.0.0.1", resolve));
    const port = await freePort();
    const path = directory.file("x.cfg", configurationOf(directory, port, origin.port, log.address().port));
    await using sallyport = await RunningSallyport.start(path, { engine, workers: 1 });
    const workers = sallyport.workerPids;

    const attack = async (index: number, isBytewise: boolean): Promise<void> => {
      const mark = `${index}${isBytewise ? "b" : "a"}`;
      const marker = `GET /marker-${mark} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
      const request = NASTY_REQUESTS[index]!.replaceAll("/n", `/n-${mark}`) + marker;
      const bytes = latin1(request);
      const answer = await converse(port, isBytewise ? bytewise(bytes) : [bytes], { patienceMs: 300 });
      for (const [, name] of answer.matchAll(/\r\n\r\n[A-Z]+ (\/\S*)(?=HTTP|$)/g))
        assert(name!.includes(`-${mark}`), `${JSON.stringify(request)} was answered with ${name}`);
    };
    let isOver = false;
    const bystander = async (): Promise<void> => {
      for (let i = 0; !isOver; i++) {
        const request = `GET /by-${i} HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n`;
        assert((await converse(port, [latin1(request)])).endsWith(`\r\n\r\nGET /by-${i}`));
      }
    };
    const standing = bystander();
    for (const isBytewise of [false, true])
      for (let first = 0; first < NASTY_REQUESTS.length; first += 20) {
        const row = NASTY_REQUESTS.slice(first, first + 20).map((_, i) => attack(first + i, isBytewise));
        await Promise.all(row);
      }
    isOver = true;
    await standing;

    assert(reader.requests.length > NASTY_REQUESTS.length, "the server was reached");
    assert.deepEqual(reader.complaints, []);
    const missing = () =>
      withoutEach(
        reader.requests,
        logged.map((line) => / L (.*)$/.exec(line.trim())?.[1]),
      );
    for (const deadlineMs = Date.now() + PATIENCE_MS; missing().length > 0 && Date.now() < deadlineMs; )
      await pause();
    assert.deepEqual(missing(), []);
    await assertUnharmed(sallyport, workers, directory.file("stats"));
    log.close();
  });

/** What of the first list is not in the second, as often as it is there. */
function withoutEach(names: readonly string[], others: readonly (string | undefined)[]): string[] {
  const counts = new Map<string | undefined, number>();
  for (const other of others) counts.set(other, (counts.get(other) ?? 0) + 1);
  return names.filter((name) => {
    const count = counts.get(name) ?? 0;
    counts.set(name, count - 1);
    return count <= 0;
  });
}

function configurationOf(
  directory: TestDirectory,
  port: number,
  originPort: number,
  logPort: number,
): string {
  return `
global
  log 127.0.0.1:${logPort} local0
  stats socket ${directory.file("stats")} level admin
defaults
  mode http
  log global
  timeout connect 2s
  timeout client 2s
  timeout server 2s
  http-reuse always
frontend web
  bind 127.0.0.1:${port}
  log-format "L %HM %HU"
  default_backend web
backend web
  server a 127.0.0.1:${originPort}
`;
}
