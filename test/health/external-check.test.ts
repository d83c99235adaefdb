// Programs of `option external-check`: that they get what HAProxy gives them, and that nothing is left of one
// that takes too long.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { createPortableEngine } from "../../src/io/portable/portable-engine.ts";
import type { Bind, ServerCheck } from "../../src/model/proxy.ts";
import { makeBackend } from "../../src/proxy/balance/backend.fixture.ts";
import {
  HAS_HAPROXY,
  makeDirectory,
  removeDirectory,
  startHaproxy,
} from "../../src/proxy/balance/haproxy.fixture.ts";
import { HealthChecks } from "../../src/proxy/health/health-checks.ts";
import { type CheckProgram, type ProgramEnd, programFor } from "../../src/proxy/health/program-check.ts";
import { CheckPrograms } from "../../src/server/check-programs.ts";

let directory: string;
const programs = new CheckPrograms(() => {});

before(() => {
  directory = makeDirectory();
});

after(() => {
  programs.close();
  removeDirectory(directory);
});

/** Waits for something that another process does. */
async function until<T>(look: () => T | null | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== null && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function script(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

function run(command: string, owner: string, words: Partial<CheckProgram> = {}) {
  const { promise, resolve } = Promise.withResolvers<ProgramEnd>();
  const program = { owner, command, arguments: [], environment: { PATH: "/usr/bin:/bin" }, ...words };
  return { end: promise, kill: programs.run(program, resolve).kill };
}

/** A process that is there and no zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

describe("programs of checks", () => {
  test("an exit code, a signal and a program that is not there are told apart", async () => {
    assert.deepEqual(await run(script("seven", "exit 7"), "a").end, { kind: "exited", code: 7 });
    assert.deepEqual(await run(script("dead", "kill -9 $$"), "b").end, { kind: "signalled" });
    assert.deepEqual(await run(path.join(directory, "nowhere"), "c").end, { kind: "not-found" });
  });

  test("a name without a path is looked for in the PATH of the check, which is all there is", async () => {
    script("findme", `/usr/bin/env > ${directory}/environment`);
    const { end } = run("findme", "a", { environment: { PATH: directory, HAPROXY_PROXY_ID: "2" } });
    assert.deepEqual(await end, { kind: "exited", code: 0 });
    const lines = readFileSync(path.join(directory, "environment"), "latin1").trim().split("\n");
    assert.deepEqual(
      lines.filter((line) => !/^(_|PWD|SHLVL|OLDPWD)=/.test(line)).sort(),
      ["HAPROXY_PROXY_ID=2", `PATH=${directory}`].sort(),
    );
  });

  test("root hands its rights over, and stays within the root directory of the global section", {
    skip: process.getuid?.() === 0 ? false : "needs root",
  }, async () => {
    const own = new CheckPrograms(() => {});
    const look = async (chroot: string | null) => {
      own.follow({ user: "nobody", group: null, uid: null, gid: 65_533, chroot });
      const { promise, resolve } = Promise.withResolvers<ProgramEnd>();
      const test = '[ "$(id -u) $(id -g) $(id -G)" = "65534 65533 65533" ] || exit 9; [ -e /etc/passwd ]';
      const environment = { PATH: "/usr/bin:/bin" };
      own.run({ owner: "a", command: "sh", arguments: ["-c", test], environment }, resolve);
      return promise;
    };
    assert.deepEqual(await look(null), { kind: "exited", code: 0 });
    assert.deepEqual(await look("/"), { kind: "exited", code: 0 });
    // There is no shell in there.
    chmodSync(directory, 0o755);
    assert.deepEqual(await look(directory), { kind: "exited", code: 127 });
  });

  test("killed, all that the program has started ends with it, and the next run waits for that", async () => {
    const file = script("stubborn", `trap '' TERM; sleep 61 & echo $! > ${directory}/child; wait; sleep 62`);
    const first = run(file, "a");
    const child = Number(await until(() => readIfThere(path.join(directory, "child"))));
    const parent = Number(
      /\d+/.exec(readFileSync(`/proc/${child}/stat`, "latin1").split(") ")[1]!.slice(2))![0],
    );
    first.kill();
    const second = run(script("short", "exit 3"), "a");
    assert.deepEqual(await second.end, { kind: "exited", code: 3 });
    assert.equal(isAlive(parent), false);
    await until(() => !isAlive(child));
    assert.equal(existsSync(`/proc/${parent}`), false);
  });

  test("a run that is given up before it could begin never begins", async () => {
    const first = run("/bin/sleep", "a", { arguments: ["60"] });
    run(script("never", `touch ${directory}/never-ran`), "a").kill();
    first.kill();
    assert.deepEqual(await run("/bin/true", "a").end, { kind: "exited", code: 0 });
    assert.equal(existsSync(path.join(directory, "never-ran")), false);
  });
});

function readIfThere(file: string): string | null {
  try {
    const text = readFileSync(file, "latin1");
    return text.endsWith("\n") ? text : null;
  } catch {
    return null;
  }
}

test("a program gets the arguments and the environment that HAProxy gives", {
  skip: !HAS_HAPROXY,
}, async () => {
  const file = script(
    "tell",
    `{ echo "$*"; /usr/bin/env | /usr/bin/sort; } > ${directory}/$HAPROXY_PROXY_NAME.new
/bin/mv ${directory}/$HAPROXY_PROXY_NAME.new ${directory}/$HAPROXY_PROXY_NAME.told`,
  );
  const lines = [
    "global",
    "external-check",
    "insecure-fork-wanted",
    "defaults",
    "timeout connect 5s",
    "timeout client 5s",
    "timeout server 5s",
    "option external-check",
    `external-check command ${file}`,
    "listen one",
    "bind unix@DIRECTORY/one",
    "server s 192.0.2.1:80 check maxconn 7",
    "backend two",
    "mode http",
    "external-check path /usr/bin:/bin",
    "server x 192.0.2.1:80",
    "server s unix@/nowhere check ssl verify none",
  ];
  const haproxy = await startHaproxy(directory, `${lines.join("\n")}\n`, ["one"]);
  const told = (name: string) => until(() => readIfThere(path.join(directory, `${name}.told`)));
  const [one, two] = [await told("one"), await told("two")];
  await haproxy.dispose();
  const bind = {
    address: { kind: "unix", path: `${directory}/one`, mode: null, uid: null, gid: null },
  } as unknown as Bind;
  const address = { kind: "tcp", host: "192.0.2.1", port: 80, portOffset: 0 } as const;
  const first = makeBackend(
    { s: { address, maxconn: 7, id: 1 } },
    { name: "one", proxy: { id: 1, mode: "tcp", frontend: { binds: [bind] } as never } },
  );
  const second = makeBackend(
    {
      x: { address },
      s: { address: { kind: "unix", path: "/nowhere" }, id: 2, tls: {} as never },
    },
    { name: "two", proxy: { id: 2, mode: "http" } },
  );
  const external = { kind: "external", command: file } as const;
  assert.deepEqual(
    describeProgram(programFor({ ...external, path: "" }, first.servers[0]!)),
    withoutShell(one),
  );
  assert.deepEqual(
    describeProgram(programFor({ ...external, path: "/usr/bin:/bin" }, second.servers[1]!)),
    withoutShell(two),
  );
});

function describeProgram(program: CheckProgram): string[] {
  const variables = Object.entries(program.environment).map(([name, value]) => `${name}=${value}`);
  return [program.arguments.join(" "), ...variables.sort()];
}

function withoutShell(told: string): string[] {
  const [words = "", ...variables] = told.trim().split("\n");
  return [words, ...variables.filter((line) => !/^(_|PWD|SHLVL|OLDPWD)=/.test(line)).sort()];
}

test("what a program's end means is told as HAProxy tells it", { skip: !HAS_HAPROXY }, async () => {
  const commands = [
    script("passing", "exit 0"),
    script("failing", "exit 7"),
    script("killed", "kill -9 $$"),
    script("slow", "exec /bin/sleep 2"),
    path.join(directory, "missing"),
  ];
  const lines = [
    "global",
    "external-check",
    "insecure-fork-wanted",
    "log stdout format raw local0",
    "defaults",
    "log global",
    "timeout connect 5s",
    "timeout client 5s",
    "timeout server 5s",
    "option external-check",
    "option log-health-checks",
    "listen front",
    "external-check command /bin/true",
    "bind unix@DIRECTORY/front",
    ...commands.flatMap((command, index) => [
      `backend b${index}.`,
      `external-check command ${command}`,
      "server s 192.0.2.1:80 check inter 1s fall 1 rise 2",
    ]),
  ];
  const haproxy = await startHaproxy(directory, `${lines.join("\n")}\n`, ["front"]);
  const { state } = makeBackend({});
  const backends = commands.map((command, index) =>
    makeBackend(
      { s: { address: { kind: "tcp", host: "192.0.2.1", port: 80, portOffset: 0 }, check: CHECK } },
      {
        name: `b${index}.`,
        settings: { check: { kind: "external", command, path: "" } },
        options: { logHealthChecks: true },
        state,
        slot: 2 + 4 * index,
      },
    ),
  );
  const ours: string[] = [];
  const engine = createPortableEngine();
  const checks = new HealthChecks(engine, backends, {
    spreadChecksPercent: 0,
    nodeName: "n",
    programs,
    emit: (event) => event.kind === "log" && ours.push(event.text),
  });
  checks.start(null);
  engine.run();
  // One line of the program that passes; of each other that it failed, and what became of the server.
  const told = (texts: readonly string[]) => {
    const lines = texts.filter((text) => / b\d\.[ /]/.test(text) && !text.startsWith("["));
    return [...new Set(lines.map((text) => text.replace(/duration: \d+ms/, "duration: ?")))].sort();
  };
  const theirs = () => told(haproxy.output.join("").split("\n"));
  await until(() => theirs().length >= 13 && told(ours).length >= 13);
  checks.stop();
  engine.stop();
  await haproxy.dispose();
  assert.deepEqual(told(ours), theirs());
});

const CHECK: ServerCheck = {
  interMs: 1000,
  fastInterMs: null,
  downInterMs: null,
  rise: 2,
  fall: 1,
  port: null,
  address: null,
  tls: null,
  sni: null,
  alpn: [],
  viaSocks4: false,
};
