import assert from "node:assert/strict";
import { test } from "node:test";
import { applyLineEdits } from "./line-edits.ts";
import { combineFixes, fixOldWords } from "./old-words.ts";
import { readConfiguration } from "./reader.ts";

const environment = { variables: { NAME: "n" }, readFile: () => null, hostname: "lb", cpuCount: 2 };

const DEFAULTS = `defaults
  mode http
  timeout client 5s
  timeout connect 5s
  timeout server 5s
`;
const END = `  default_backend app
backend app
  server a 192.0.2.1:80
`;

/** A frontend with these lines, and what each old word's fix alone makes of them; null: it has none. */
function fixesOf(lines: string): (string | null)[] {
  const text = `${DEFAULTS}frontend www\n  bind :80\n${lines}${END}`;
  const files = [{ name: "a.cfg", text }];
  const { diagnostics, configuration } = readConfiguration(files, environment);
  assert.notEqual(configuration, null, JSON.stringify(diagnostics));
  const fixes = fixOldWords(files, diagnostics, environment);
  return diagnostics
    .filter(({ code }) => code === "obsolete-keyword")
    .map((one) => {
      const edits = fixes.get(one);
      if (edits === undefined) return null;
      const [, own = ""] = applyLineEdits(text, edits)!.split("  bind :80\n");
      return own.slice(0, own.indexOf(END));
    });
}

test("a word that has another name today gets it, and its comment stays", () => {
  assert.deepEqual(fixesOf("  option forceclose # at once\n"), ["  option httpclose # at once\n"]);
  assert.deepEqual(fixesOf("  timeout queue 1s\n  clitimeout 9000\n"), [
    "  timeout queue 1s\n  timeout client 9000\n",
  ]);
  assert.deepEqual(fixesOf("  option http-tunnel\n"), [""]);
});

test("headers behind the version of a check get a line of their own", () => {
  const files = (request: string, more = "") => [
    {
      name: "a.cfg",
      text: `${DEFAULTS}backend app\n  option httpchk ${request}\n${more}  server a 192.0.2.1:80 check\n`,
    },
  ];
  const fixOf = (own: ReturnType<typeof files>) => {
    const { diagnostics } = readConfiguration(own, environment);
    const [edits] = fixOldWords(own, diagnostics, environment).values();
    return edits === undefined ? null : edits.flatMap(({ after }) => after);
  };
  const old = "GET /up HTTP/1.1\\r\\nHost:\\ www.company.com\\r\\nX-By:\\ %[str(lb)]\\ 100%%";
  assert.deepEqual(fixOf(files(old)), [
    "  option httpchk GET /up HTTP/1.1",
    "  http-check send hdr Host www.company.com hdr X-By '%[str(lb)] 100%%'",
  ]);
  assert.deepEqual(fixOf(files("POST /up HTTP/1.0\\r\\nA:\\ b\\r\\n\\r\\nping")), [
    "  option httpchk POST /up HTTP/1.0",
    "  http-check send hdr A b body ping",
  ]);
  // It would stand before the connection, or beside what is sent already.
  assert.equal(fixOf(files(old, "  http-check connect port 81\n")), null);
  assert.equal(fixOf(files(old, "  http-check send hdr Host other\n")), null);
  assert.equal(fixOf(files("GET /up HTTP/1.1")), null);
});

test("a rule that is done where it stands is rewritten where it stands", () => {
  assert.deepEqual(fixesOf("  http-request set-header A b\n  reqidel ^X-A:\n"), [
    "  http-request set-header A b\n  http-request del-header X-A\n",
  ]);
});

test("rules of HAProxy 1.5 were done behind those of today, and that is where they go", () => {
  const moved = `  http-request deny if { path /no }
  http-request set-header X-A b
  http-request del-header X-A # here
  http-request add-header B c
`;
  const lines = `  reqadd B:\\ c
  reqidel ^X-A: # here
  http-request set-header X-A b
  block if { path /no }
`;
  assert.deepEqual(fixesOf(lines).slice(0, 2), [moved, moved]);
});

test("what cannot be said today, has a variable or may be under another condition has no fix", () => {
  assert.deepEqual(fixesOf("  reqdel ^X-.*:\\ y\n"), [null]);
  assert.deepEqual(fixesOf('  reqadd "A: $NAME"\n'), [null]);
  const conditional = `.if defined(NAME)
  reqidel ^X-A:
.endif
  http-request set-header X-A b
`;
  assert.deepEqual(fixesOf(conditional), [null]);
});

const WITHOUT_MODE = `defaults
  timeout client 5s
  timeout connect 5s
  timeout server 5s
listen web 192.0.2.9:80
  reqadd A:\\ b
  reqidel ^C:
  use_backend app if { path /app }
  server a 192.0.2.1:80
backend app
  redispatch
  server a 192.0.2.1:80
`;

test("all fixes together leave no old word, and the mode that was inferred is written", () => {
  const files = [{ name: "a.cfg", text: WITHOUT_MODE }];
  const { diagnostics } = readConfiguration(files, environment);
  const fixes = [...fixOldWords(files, diagnostics, environment).values()];
  const { edits, isTaken } = combineFixes(files, fixes, environment);
  assert.ok(isTaken.length >= 5 && isTaken.every((one) => one));
  const text = applyLineEdits(WITHOUT_MODE, edits)!;
  assert.equal(
    text.slice(text.indexOf("listen")),
    `listen web
  bind 192.0.2.9:80
  mode http
  http-request del-header C
  http-request add-header A b
  use_backend app if { path /app }
  server a 192.0.2.1:80
backend app
  mode http
  option redispatch
  server a 192.0.2.1:80
`,
  );
  const after = readConfiguration([{ name: "a.cfg", text }], environment).diagnostics;
  assert.deepEqual(
    after.filter(({ code }) => code === "obsolete-keyword" || code === "missing-mode"),
    [],
  );
});

test("a file with errors, and one that has changed meanwhile, is left alone", () => {
  const broken = `${DEFAULTS}frontend www\n  bind :80\n  contimeout 5000\n  nonsense\n${END}`;
  const files = [{ name: "a.cfg", text: broken }];
  const { diagnostics } = readConfiguration(files, environment);
  assert.equal(fixOldWords(files, diagnostics, environment).size, 0);
  const edit = { file: "a.cfg", line: 1, before: "contimeout 5000", after: ["timeout connect 5000"] };
  assert.equal(applyLineEdits("timeout connect 9000\n", [edit]), null);
  assert.equal(applyLineEdits("", [{ ...edit, line: 7 }]), null);
});

test("lines from Windows keep their line ends", () => {
  const text = WITHOUT_MODE.replaceAll("\n", "\r\n");
  const files = [{ name: "a.cfg", text }];
  const { diagnostics } = readConfiguration(files, environment);
  const fixes = [...fixOldWords(files, diagnostics, environment).values()];
  const { edits } = combineFixes(files, fixes, environment);
  assert.doesNotMatch(applyLineEdits(text, edits)!, /[^\r]\n/);
});

test("a file with hundreds of old words has all their fixes", () => {
  const sections = Array.from(
    { length: 100 },
    (_, index) => `frontend f${index}
  bind :${1000 + index}
  reqadd A:\\ b
  reqidel ^X-A:
  option forceclose
  default_backend app
`,
  );
  const text = `${DEFAULTS}${sections.join("")}backend app\n  redispatch\n  server a 192.0.2.1:80\n`;
  const files = [{ name: "a.cfg", text }];
  const { diagnostics } = readConfiguration(files, environment);
  assert.equal(fixOldWords(files, diagnostics, environment).size, 301);
});
