// What runs in a datacentre: listed, read, stopped and started anew.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const skip = process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash") : "needs root";

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-program-"));
  writeFileSync(
    join(folder, "datacenter.yaml"),
    `datacenter: programs
networks: {org: {subnet: 192.168.10.0/24}}
machines:
  web-001: {network: org, address: 192.168.10.11, run: "echo I am $$; exec sleep 1000"}
`,
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("a machine's command is listed, read, stopped until it is started, and followed", { skip }, () => {
  const output = inside(
    folder,
    `
$S apply $F >/dev/null
until $S program logs $F web-001 | grep -q I; do sleep 0.1; done
$S program list $F | tr -s ' ' | cut -d' ' -f1,2
$S program stop $F web-001
$S program stop $F web-001 2>&1 | head -1
$S status $F | tail -1; $S program list $F | tr -s ' ' | cut -d' ' -f1,2
$S program start $F machine-web-001; $S status $F | tail -1
$S program logs $F web-001 --follow > followed & follower=$!
until [ -s followed ]; do sleep 0.1; done
$S program restart $F web-001
until [ "$(grep -c I followed)" = 3 ]; do sleep 0.1; done
kill -INT $follower; wait $follower
$S program logs $F web-002 2>&1 | head -2 || true
$S destroy $F | tail -1`,
  );
  assert.equal(
    output.replace(/\d+ steps/, "n steps"),
    `machine-web-001 runs
the command of web-001: stopped
error: the command of web-001: it does not run
sallyport apply datacenter.yaml does it.
machine-web-001 stopped
the command of web-001: started
everything is as it was made
the command of web-001: started
error: there is no program of web-002
  Did you mean \`web-001\`?
datacenter.yaml: n steps done
`,
  );
});
