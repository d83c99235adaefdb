import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findCommand, requires } from "../../../test/requirements.ts";
import { modernise } from "./convert.ts";
import { readConfiguration } from "./reader.ts";
import { isSameMeaning } from "./same-meaning.ts";

const environment = { variables: {}, readFile: () => null, hostname: "lb", cpuCount: 2 };

function convert(text: string): { text: string; codes: string[] } {
  const { files, diagnostics } = modernise([{ name: "a.cfg", text }], environment);
  return { text: files[0]!.text, codes: diagnostics.map((one) => one.code) };
}

const OLD = `# a file of 2013
global
    nbproc 2   # two
defaults
    contimeout 5000
    clitimeout 50000
    srvtimeout 50000
    redispatch
listen stats 127.0.0.1:8481
    mode http
    stats enable
frontend www
\tbind 127.0.0.1:8480
    reqadd X-Forwarded-Proto:\\ https   # comment stays
    reqidel ^X-Real-IP:.*
    reqrep ^([^\\ :]*)\\ /static/(.*) \\1\\ /\\2
    reqirep ^Host:\\ old\\.(.*) Host:\\ new.\\1 if { src 127.0.0.1 }
    reqideny ^[^\\ ]*\\ .*\\.exe
    rspidel ^Server:.*
    rspadd X-Note:\\ it\\'s\\ 100%
    block if { path /no }
    option forceclose
    default_backend app
backend app
    option httpclose
    option httpchk GET /up HTTP/1.1\\r\\nHost:\\ company.com
    server a 192.0.2.1:80 check
`;

test("legacy lines are rewritten, rules in the order in which they were done, and every other byte stays", () => {
  const { text, codes } = convert(OLD);
  assert.deepEqual(codes, []);
  assert.equal(
    text,
    `# a file of 2013
global
    nbthread 2   # two
defaults
    timeout connect 5000
    timeout client 50000
    timeout server 50000
    option redispatch
listen stats
    bind 127.0.0.1:8481
    mode http
    stats enable
frontend www
\tmode http
\tbind 127.0.0.1:8480
    http-request deny if { path /no }
    http-request del-header X-Real-IP
    http-request replace-uri ^/static/(.*) /\\1
    http-request replace-header Host '(?i)^old\\.(.*)' new.\\1 if { src 127.0.0.1 }
    http-request deny if { url_reg -i '^.*\\.exe' }
    http-response del-header Server
    http-response add-header X-Note "it's 100%%"
    http-request add-header X-Forwarded-Proto https   # comment stays
    option httpclose
    default_backend app
backend app
    mode http
    option httpclose
    option httpchk GET /up HTTP/1.1
    http-check send hdr Host company.com
    server a 192.0.2.1:80 check
`,
  );
});

test("a converted file has no legacy line left and converts to itself", () => {
  const { text } = convert(OLD);
  const { configuration, diagnostics } = readConfiguration([{ name: "a.cfg", text }], environment);
  assert.notEqual(configuration, null);
  assert.deepEqual(
    diagnostics.filter((one) => one.code === "obsolete-keyword"),
    [],
  );
  assert.equal(convert(text).text, text);
});

test("a converted file means what it meant", () => {
  const read = (text: string) => readConfiguration([{ name: "a.cfg", text }], environment).configuration;
  const [before, after] = [read(OLD), read(convert(OLD).text)];
  assert.ok(before !== null && after !== null && isSameMeaning(before, after));
});

test("HAProxy accepts what the conversion gives", { skip: requires("haproxy") }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-convert-"));
  try {
    const path = join(folder, "haproxy.cfg");
    writeFileSync(path, convert(OLD).text);
    const { status, signal, stderr } = spawnSync(findCommand("haproxy")!, ["-c", "-f", path], {
      encoding: "utf8",
    });
    // Its verdict is in the alerts: a run that somebody ended by a signal is none against the file.
    assert.ok(!stderr.includes("[ALERT]") && (status === 0 || signal !== null), stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("lines from Windows keep their line ends", () => {
  assert.equal(
    convert("frontend f\r\n  mode http\r\n  reqadd A:\\ b\r\n").text,
    "frontend f\r\n  mode http\r\n  http-request add-header A b\r\n",
  );
});

test("what has no line of today stays and is said", () => {
  const text =
    'frontend f\n  mode http\n  reqdel ^X-.*:\\ y\n  reqpass ^Z\n  reqadd "A: $HOME"\n  appsession JS len 5 timeout 3h\n';
  const result = convert(text);
  assert.equal(result.text, text);
  assert.deepEqual(result.codes, ["not-converted", "not-converted", "not-converted", "not-converted"]);
});
