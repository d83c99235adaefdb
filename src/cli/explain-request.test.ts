import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { explainRequestCommand } from "./explain-request.ts";
import { recordedTerminal, World } from "./program.fixture.ts";

const world = new World();
after(() => world.close());

const FILE = world.path("haproxy.cfg");
writeFileSync(
  FILE,
  `defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend www
  bind :80
  bind :443 ssl crt ${world.path("not-there.pem")}
  acl api path_beg /api
  http-request deny if api { method POST }
  default_backend app
backend app
  cookie SERVERID insert indirect
  http-request set-header X-Proto https if { ssl_fc }
  server WEB-001 192.168.10.1:80 cookie A
  server WEB-002 192.168.10.2:80 cookie B
`,
);

async function call(...args: string[]) {
  const terminal = recordedTerminal();
  const code = await explainRequestCommand(args, terminal);
  return { code, output: terminal.output.replaceAll(world.folder, ""), complaints: terminal.complaints };
}

test("the text names the line behind each step", async () => {
  const { code, output } = await call(FILE, "https://company.com/login", "-H", "Cookie: SERVERID=B");
  assert.equal(code, 0);
  const flat = output.replaceAll(/\s+/g, " ");
  for (const text of [
    "listener → bind :443 of frontend www, mode http /haproxy.cfg:8",
    "· http-request deny status 403 if api { method POST } /haproxy.cfg:10",
    'api: path_beg is "/login": not beginning with /api /haproxy.cfg:9',
    "→ SERVERID=B names WEB-002, which is up /haproxy.cfg:13",
    "+ x-proto: https http-request set-header X-Proto https /haproxy.cfg:14",
  ])
    assert.ok(flat.includes(text), `${text}\n${output}`);
  assert.match(output, /\nforwarded: app\/WEB-002 answers\n$/);
});

test("--brief tells less, --full more", async () => {
  const lengths = [];
  for (const option of ["--brief", "--", "--full"]) {
    const words = option === "--" ? [] : [option];
    lengths.push((await call(FILE, "http://company.com/", ...words)).output.length);
  }
  assert.deepEqual(
    lengths,
    lengths.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(lengths).size, 3);
});

test("no line is wider than the terminal where it can be broken", async () => {
  const { output } = await call(FILE, "https://company.com/a", "-H", "Cookie: SERVERID=C");
  for (const line of output.split("\n"))
    assert.ok(line.length <= 80 || !line.trimStart().includes(" ", 1) || line.includes(": "), line);
});

test("--json is the trace as data", async () => {
  const { code, output } = await call(FILE, "http://company.com/api", "-X", "POST", "--json");
  const trace = JSON.parse(output) as { disposition: string; span: { line: number } };
  assert.deepEqual([code, trace.disposition, trace.span.line], [0, "denied", 10]);
});

test("a server that is down, and no server at all", async () => {
  const one = await call(FILE, "http://company.com/", "--down", "WEB-001");
  assert.match(one.output, /app\/WEB-002 answers/);
  const none = await call(FILE, "http://company.com/", "--down", "WEB-001", "--down", "app/WEB-002");
  assert.deepEqual([none.code, /we answer 503: no server of app takes it/.test(none.output)], [1, true]);
});

for (const [args, sentence] of [
  [[], /which file, and which URL\?/],
  [[FILE], /which URL, or which file\?/],
  [[FILE, "http://"], /http:\/\/ is no URL/],
  [[FILE, "ftp://a/"], /ftp is not spoken/],
  [[FILE, "http://a/", "-H", "no header"], /"no header" is no header: write 'Name: value'/],
  [[FILE, "http://a/", "--from", "somebody"], /somebody is no IP address of a client/],
  [[FILE, "http://a/", "--to", "a.example"], /a\.example is no IP address/],
  [[FILE, "http://a/", "--body-bytes", "many"], /many is no number of bytes/],
  [[FILE, "http://a/", "--response-status", "99"], /99 is no status of a response/],
  [[FILE, "http://a/", "--down", "WEB-003"], /there is no server WEB-003\. Did you mean `WEB-00[12]`\?/],
  [[FILE, "http://a/", "--brief", "--full"], /--brief and --full exclude each other/],
  [[FILE, "http://a/", "--breif"], /there is no option --breif/],
  [[FILE, "tcp://a/"], /tcp:\/\/a\/ needs a port/],
  [[world.path("nothing.cfg"), "http://a/"], /there is no file/],
] as const) {
  test(`one clear sentence: ${sentence.source}`, async () => {
    const { code, output, complaints } = await call(...args);
    assert.deepEqual([code, output], [1, ""]);
    assert.match(complaints, sentence);
  });
}
