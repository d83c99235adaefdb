import assert from "node:assert/strict";
import { test } from "node:test";
import { runCommand } from "./command.ts";
import { searchPath } from "./program-path.ts";

test("the system's folders come behind those of PATH, each once", () => {
  assert.equal(searchPath("/opt/bin:/usr/bin"), "/opt/bin:/usr/bin:/usr/sbin:/sbin:/bin");
  assert.equal(searchPath(""), "/usr/sbin:/sbin:/usr/bin:/bin");
  assert.equal(searchPath("/usr/sbin:/sbin:/usr/bin:/bin"), "/usr/sbin:/sbin:/usr/bin:/bin");
});

test("what a command starts finds programs of /usr/sbin where PATH has none of it", async (context) => {
  const path = process.env["PATH"];
  context.after(() => {
    process.env["PATH"] = path;
  });
  process.env["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/games";
  const { output } = await runCommand(["sh", "-c", 'echo "$PATH"']);
  assert.equal(output, "/usr/local/bin:/usr/bin:/bin:/usr/games:/usr/sbin:/sbin\n");
});
