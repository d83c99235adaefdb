// The runtime API, alone and beside a real HAProxy 2.6: the same commands in the same order give the same
// answers.
import assert from "node:assert/strict";
import net from "node:net";
import path from "node:path";
import { describe, test } from "node:test";
import {
  HAS_HAPROXY,
  makeDirectory,
  removeDirectory,
  startHaproxy,
} from "../../proxy/balance/haproxy.fixture.ts";
import { CELL, COUNTER, SERVER_ADMIN } from "../../proxy/state.ts";
import { makeActions, type TestActions } from "./actions.fixture.ts";
import { splitLine } from "./command.ts";
import { makeRuntime } from "./runtime.fixture.ts";
import { RuntimeApi } from "./runtime-api.ts";

const NOW_MS = 1_800_000_000_000;
const CONFIGURATION = `
global
  stats socket DIRECTORY/admin.sock level admin mode 600
  maxconn 100
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend fe
  bind unix@DIRECTORY/fe.sock
  default_backend be
backend be
  server s1 127.0.0.1:1 weight 10 maxconn 5
  server s2 127.0.0.1:2 backup
  server s3 127.0.0.1:3 disabled
backend static
  balance static-rr
  server t1 127.0.0.1:2
`;

function makeApi(): { api: RuntimeApi; actions: TestActions } {
  const actions = makeActions(makeRuntime(CONFIGURATION.replaceAll("DIRECTORY", "/nowhere"), NOW_MS), NOW_MS);
  return { api: new RuntimeApi(actions), actions };
}

function sessionFacts(id: number, workerPid: number): TestActions["sessions"][number] {
  return {
    id,
    workerPid,
    source: "192.0.2.1:1024",
    frontend: "fe",
    backend: "be",
    server: "s1",
    ageMs: 2500,
    requestCount: 3,
    request: "GET /\x1b[2J",
  };
}

/** Answers to these are the same as HAProxy's, byte for byte. */
const SAME = [
  "show backend",
  "get weight be/s1",
  "set weight be/s1 50%",
  "get weight be/s1",
  "set weight be/s1 300",
  "set weight static/t1 50",
  "get weight be/nope",
  "get weight nope/s1",
  "get weight",
  "set server be/s1 state drain",
  "show servers state be",
  "set server be/s1 state ready",
  "show servers state",
  "set server be/s1 state bogus",
  "set server be state ready",
  "set server be/nope state ready",
  "disable server be/s2",
  "show servers state be",
  "enable server be/s2",
  "set server be/s1 health down",
  "set server be/s1 health up",
  "set server be/s1 health foo",
  "set server be/s1 agent up",
  "set server be/s1 addr 127.0.0.9 port 99",
  "set server be/s1 addr 127.0.0.9 port 99",
  "set server be/s1 addr 127.0.0.8",
  "set server be/s1 addr zzz",
  "set maxconn server be/s1 7",
  "set maxconn server be/s1",
  "set maxconn frontend fe 50",
  "set maxconn frontend zz 5",
  "set maxconn global 50",
  "set maxconn global 5000",
  "set rate-limit",
  "set rate-limit connections",
  "set rate-limit sessions frontend 5",
  "set rate-limit sessions global",
  "set rate-limit sessions global -1",
  "set rate-limit sessions global 1000000",
  "set rate-limit ssl-sessions global 0",
  "set rate-limit http-compression global 9",
  "enable agent be/s1",
  "disable frontend fe",
  "disable frontend fe",
  "enable frontend fe",
  "enable frontend fe",
  "disable frontend zz",
  "shutdown frontend zz",
  "shutdown session 0x12",
  "shutdown session",
  "shutdown sessions server be/s1",
  "shutdown sessions server be/zz",
  "clear counters",
  "clear counters all",
  "show servers state zz",
  "show env zz",
  "show cli level",
  "show stat domain dns",
  "show map",
  "show map x",
  "add server",
  "add server be",
  "add server be/",
  "add server zz/n 127.0.0.1:80",
  "add server be/n",
  "add server static/n 127.0.0.1:80",
  "add server be/n 127.0.0.1:80 nonsense",
  "add server be/n 127.0.0.1:80 cookie a",
  "add server be/n 127.0.0.1:80 init-addr none",
  "add server be/n 127.0.0.1:80 track be/s1",
  "add server be/n 127.0.0.1:80 track be/zz",
  "add server be/n 127.0.0.1:80 ssl",
  "add server be/n 127.0.0.1:80 ssl verify none crt /nowhere",
  "add server be/n 127.0.0.1:80 ssl ca-file /nowhere",
  "add server be/n 127.0.0.1:80 agent-check",
  "add server be/n 127.0.0.1 check",
  "add server be/s1 127.0.0.1:80",
  "add server be/n 127.0.0.1:80 weight 3",
  "del server",
  "del server zz/s1",
  "del server be/zz",
  "del server be/s1",
  "disable server be/s2; del server be/s2",
  "user; add server be/n 127.0.0.1:80",
  "user; disable server be/s1",
  "operator; disable server be/s1; show cli level",
];

describe("the runtime API beside HAProxy", { skip: !HAS_HAPROXY }, () => {
  test("the same commands get the same answers", async () => {
    const directory = makeDirectory();
    const haproxy = await startHaproxy(directory, CONFIGURATION, ["admin.sock"]);
    try {
      const { api } = makeApi();
      for (const command of SAME) {
        const theirs = withoutAges(await ask(path.join(directory, "admin.sock"), command));
        assert.equal(withoutAges(await api.run(command)), theirs, command);
      }
    } finally {
      await haproxy.dispose();
      removeDirectory(directory);
    }
  });
});

/** Seconds since the last change are the tenth field of a server's state. */
function withoutAges(answer: string): string {
  return answer.replace(/^((?:\S+ ){9})\d+/gm, "$1-");
}

function ask(socketPath: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath, () => socket.end(`${command}\n`));
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
    socket.on("end", () => resolve(answer)).on("error", reject);
  });
}

test("a line is taken apart at semicolons and spaces, unless a backslash is before them", () => {
  assert.deepEqual(splitLine("show  info ;show stat"), [
    ["show", "info"],
    ["show", "stat"],
  ]);
  assert.deepEqual(splitLine("a\\;b c\\ d\\\\"), [["a;b", "c d\\"]]);
  assert.deepEqual(splitLine("show version;"), [["show", "version"]]);
  assert.deepEqual(splitLine(""), [[]]);
});

test("an unknown command gets those that are near", async () => {
  const { api } = makeApi();
  const answer = await api.run("shwo info");
  assert.match(answer, /^Unknown command/);
  assert.match(answer, /^ {2}show info /m);
  assert.doesNotMatch(answer, /^ {2}enable /m);
  assert.match(await api.run("show nothing"), /^ {2}show stat /m);
});

test("help lists what the level may run", async () => {
  const { api } = makeApi();
  assert.match(await api.run("help"), /^ {2}set server <bk>\/<srv>/m);
  assert.doesNotMatch(await api.run("help", "user"), /set server|show env/);
  const some = await api.run("help show sess");
  assert.match(some, /show sess/);
  assert.doesNotMatch(some, /show stat/);
});

test("every command is refused below its level", async () => {
  const { api, actions } = makeApi();
  for (const command of [
    "set server be/s1 state maint",
    "disable frontend fe",
    "shutdown session 0x1",
    "reload",
    "clear counters all",
    "set maxconn global 1",
  ]) {
    assert.equal(await api.run(command, "operator"), "Permission denied\n\n", command);
  }
  for (const command of ["show env", "show sess", "clear counters", "show errors"]) {
    assert.equal(await api.run(command, "user"), "Permission denied\n\n", command);
  }
  assert.deepEqual(actions.calls, []);
});

test("a session cannot raise its level again", async () => {
  const session = makeApi().api.openSession("admin");
  await session.receiveLine("user");
  assert.equal((await session.receiveLine("operator; show cli level")).answer, "\nuser\n\n");
});

test("the prompt is switched on and off", async () => {
  const session = makeApi().api.openSession("admin");
  assert.equal((await session.receiveLine("prompt")).answer, "\n> ");
  assert.equal((await session.receiveLine("show cli level")).answer, "admin\n\n> ");
  assert.equal((await session.receiveLine("prompt")).answer, "\n");
  assert.equal((await session.receiveLine("quit")).isOver, true);
});

test("users of the socket do not see addresses", async () => {
  const { api } = makeApi();
  assert.ok((await api.run("show stat", "operator")).includes("127.0.0.1:1"));
  assert.ok(!(await api.run("show stat", "user")).includes("127.0.0.1:1"));
});

test("statistics are filtered by proxy, type and server", async () => {
  const { api } = makeApi();
  const names = async (filter: string) =>
    (await api.run(`show stat ${filter}`))
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => line.split(",").slice(0, 2).join("/"));
  assert.deepEqual(await names("be 4 -1"), ["be/s1", "be/s2", "be/s3"]);
  assert.deepEqual(await names("be 4 2"), ["be/s2"]);
  assert.deepEqual(await names("-1 3 -1"), ["fe/FRONTEND", "be/BACKEND", "static/BACKEND"]);
  assert.deepEqual(await names("#4 6 -1"), ["static/t1", "static/BACKEND"]);
  assert.deepEqual(await names("be 4 -1 no-maint"), ["be/s1", "be/s2"]);
  assert.equal(await api.run("show stat zz 1 -1"), "No such proxy.\n\n");
});

test("show info has lines, typed lines with descriptions, and JSON", async () => {
  const { api } = makeApi();
  assert.match(await api.run("show info"), /^Maxconn: 100$/m);
  assert.match(await api.run("show info typed desc"), /^15\.Maxconn\.1:CLP:u32:100:".+"$/m);
  const fields = JSON.parse(await api.run("show info json"));
  assert.deepEqual(
    fields.find((entry: { field: { name: string } }) => entry.field.name === "Maxconn").value,
    { type: "u32", value: 100 },
  );
});

test("clearing counters keeps gauges, and maxima only go without `all`", async () => {
  const { api, actions } = makeApi();
  const { state, backends } = actions.runtime;
  const slot = backends[0]!.slot;
  const read = () => [COUNTER.scur, COUNTER.smax, COUNTER.stot].map((counter) => state.total(slot, counter));
  for (const [i, counter] of [COUNTER.scur, COUNTER.smax, COUNTER.stot].entries())
    state.count(slot, counter, i + 3);
  await api.run("clear counters");
  assert.deepEqual(read(), [3, 0, 5]);
  await api.run("clear counters all");
  assert.deepEqual(read(), [3, 0, 0]);
});

test("sessions are listed with a name by which they can be ended, and cannot forge lines", async () => {
  const { api, actions } = makeApi();
  actions.sessions = [sessionFacts(7, 43), sessionFacts(7, 44)];
  const lines = (await api.run("show sess")).trimEnd().split("\n");
  assert.equal(lines.length, 2);
  assert.match(
    lines[1]!,
    /^0x2c00000007: proto=tcpv4 src=192\.0\.2\.1:1024 fe=fe be=be srv=s1 age=2s rq=3 "GET \/\?\[2J"$/,
  );
  assert.equal(await api.run(`shutdown session ${lines[1]!.split(":")[0]}`), "\n");
  assert.deepEqual(actions.calls, ["kill 44 7"]);
});

test("disabled health checks leave the statistics, and come back", async () => {
  const { api, actions } = makeApi();
  assert.equal(actions.setChecking(actions.runtime.backends[0]!.servers[0]!, "health", false), false);
  assert.equal(
    await api.run("enable health be/s1"),
    "Health checks were not configured on this server, cannot enable.\n\n",
  );
});

test("a frontend that was shut down stays so", async () => {
  const { api, actions } = makeApi();
  assert.equal(await api.run("shutdown frontend fe"), "\n");
  assert.match(await api.run("show stat fe 1 -1"), /^fe,FRONTEND,.*,STOP,/m);
  assert.match(await api.run("enable frontend fe"), /cannot change/);
  assert.deepEqual(actions.calls, ["pause fe true true"]);
});

test("a host name of a server is looked up", async () => {
  const { api, actions } = makeApi();
  assert.match(await api.run("set server be/s1 fqdn known.example"), /changed its FQDN/);
  assert.deepEqual(actions.calls, ["address s1 192.0.2.7 1"]);
  assert.match(await api.run("set server be/s1 fqdn unknown.example"), /no address/);
});

test("leaving maintenance by `enable server` keeps a server draining", async () => {
  const { api, actions } = makeApi();
  const server = actions.runtime.backends[0]!.servers[0]!;
  await api.run("set server be/s1 state drain");
  await api.run("enable server be/s1");
  assert.equal(server.state.read(server.slot, CELL.admin), SERVER_ADMIN.drain);
});

test("experimental commands need their mode, and modes need the level admin", async () => {
  const session = makeApi().api.openSession("admin");
  const ask = async (line: string) => (await session.receiveLine(line)).answer;
  assert.equal(await ask("experimental-mode"), "experimental-mode is OFF\n\n");
  assert.equal(await ask("experimental-mode on"), "\n");
  assert.equal(
    await ask("experimental-mode; operator; expert-mode on"),
    "experimental-mode is ON\n\n\nPermission denied\n\n",
  );
});

describe("the master CLI", () => {
  const session = () => {
    const opened = makeApi().api.openSession("admin", true);
    return async (line: string) => (await opened.receiveLine(line)).answer;
  };

  test("processes are listed with their reloads and ages, as HAProxy does", async () => {
    assert.equal(
      await session()("show proc"),
      [
        "#<PID>          <type>          <reloads>       <uptime>        <version>      ",
        "42              master          3 [failed: 1]   0d00h02m07s     0.1.0          ",
        "# workers",
        "43              worker          3               0d00h02m07s     0.1.0          ",
        "44              worker          0               0d00h00m00s     0.1.0          ",
        "# programs",
        "45              foo             1               1d01h01m01s     -              ",
        "\n",
      ].join("\n"),
    );
  });

  test("a prefix sends one command to a process, and alone all that follow", async () => {
    const ask = session();
    assert.match(await ask("get weight be/s1"), /^Unknown command/);
    assert.equal(await ask("@1 get weight be/s1"), "10 (initial 10)\n\n");
    assert.equal(await ask("@!44 get weight be/s1"), "10 (initial 10)\n\n");
    assert.match(await ask("get weight be/s1"), /^Unknown command/);
    assert.equal(await ask("@2; get weight be/s1"), "10 (initial 10)\n\n");
    assert.match(await ask("@ get weight be/s1"), /^Unknown command/);
  });

  test("a process that is not there is none", async () => {
    for (const prefix of ["@3", "@!1", "@x", "@-1"])
      assert.equal(
        await session()(`${prefix} show version`),
        `Can't find the target PID matching the prefix '${prefix}'\n`,
      );
  });

  test("the prompt tells where commands go and which modes are on", async () => {
    const ask = session();
    assert.equal(await ask("prompt"), "master> ");
    assert.equal(await ask("expert-mode on; experimental-mode on"), "master(e)> master(xe)> ");
    assert.equal(await ask("mcli-debug-mode on"), "master(xed)> ");
    assert.equal(await ask("get weight be/s1"), "10 (initial 10)\n\nmaster(xed)> ");
    assert.equal(await ask("@1"), "43(xed)> ");
    assert.equal(await ask("show version"), "0.1.0\n\n43(xed)> ");
  });

  test("it reloads", async () => {
    assert.equal(await session()("reload"), "Reloaded.\n\n");
  });
});
