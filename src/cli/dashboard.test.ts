import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkPassword } from "../server/console/users.ts";
import { dashboard } from "./dashboard.ts";
import { run } from "./run.ts";
import type { Terminal } from "./terminal.ts";

class FakeTerminal implements Terminal {
  text = "";
  readonly isColour = false;
  readonly isErrorColour = false;
  readonly columns = 100;
  readonly isInteractive = true;
  readonly #answers: string[];

  constructor(...answers: string[]) {
    this.#answers = answers;
  }

  readonly write = (text: string): void => {
    this.text += text;
  };
  readonly error = this.write;
  readonly askSecret = async (): Promise<string | null> => this.#answers.shift() ?? null;
}

test("a user is added with a password and a role, gets another role, and is taken away", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-dashboard-command-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "users");
  const call = async (words: string[], ...answers: string[]) => {
    const terminal = new FakeTerminal(...answers);
    const code = await dashboard(words, terminal);
    return { code, text: terminal.text };
  };
  assert.equal((await call(["user", file, "anna", "--role", "admin"], "long enough", "long enough")).code, 0);
  assert.match(readFileSync(file, "utf8"), /^anna:scrypt:.*:admin\n$/);
  assert.equal((await call(["user", file, "anna", "--role", "operator"])).text, "anna is operator now\n");
  assert.equal(await checkPassword(file, "anna", "long enough"), true);
  assert.equal((await call(["list", file])).text.trim().replaceAll(/\s+/g, " "), "anna operator");
  assert.equal((await call(["user", file, "otto"], "short", "short")).code, 1);
  assert.equal((await call(["user", file, "otto"], "long enough", "differs now")).code, 1);
  assert.match((await call(["user", file, "otto", "--role", "king"])).text, /no role king/);
  assert.equal((await call(["user", file, "anna", "--remove"])).code, 0);
  assert.match((await call(["list", file])).text, /nobody/);
});

test("a dashboard that others could reach without a login is refused before anything starts", async () => {
  const terminal = new FakeTerminal();
  assert.equal(await run(["--dashboard", "0.0.0.0:8404", "haproxy.cfg"], terminal), 1);
  assert.match(terminal.text, /has not TLS and a login/);
  assert.match(terminal.text, /--dashboard-certificate FILE/);
  const orphan = new FakeTerminal();
  assert.equal(await run(["--dashboard-users", "users", "haproxy.cfg"], orphan), 1);
  assert.match(orphan.text, /--dashboard 8404/);
});
