// What a real kernel is left with when something goes wrong: a program that refuses in the middle, a kill
// without warning, a name that somebody else has. Everything in namespaces that end with the test.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const EXAMPLE = fileURLToPath(new URL("../../../examples/network/fenced-copies.yaml", import.meta.url));
const skip = process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash") : "needs root";

/** Refuses its call number $N that changes something; what it refuses and what it lets pass is up to PATH. */
const REFUSING = `#!/bin/bash
real=$(PATH=$REAL_PATH command -v "$(basename "$0")")
case "$*" in
  *-f*|*.ip|*.bridge)
    # Several run at once, and only one of them has each number.
    exec 9>> "$COUNT.lock"; flock 9; n=$(cat "$COUNT"); echo $((n + 1)) > "$COUNT"; exec 9>&-
    [ "$n" != "$N" ] || { echo "refused by the test" >&2; exit 1; } ;;
esac
exec "$real" "$@"
`;

const REFUSE = ["../../../bin/node-26", "refused-inside.ts"]
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .join(" ");

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-interrupted-"));
  const text = readFileSync(EXAMPLE, "utf8").replace("datacenter: fences", "datacenter: broken");
  writeFileSync(join(folder, "one.yaml"), text);
  writeFileSync(join(folder, "two.yaml"), text.replace("192.168.10.30", "192.168.10.31"));
  for (const program of ["ip", "nft"]) writeFileSync(join(folder, program), REFUSING, { mode: 0o755 });
});
after(() => rmSync(folder, { recursive: true, force: true }));

const COUNTED = "export REAL_PATH=$PATH COUNT=/run/count";
const REMAINS =
  "ls /run/netns /run/sallyport 2>/dev/null | grep -v : | grep -v '^$' || true; ip -br link | grep -v '^lo' || true";

test("a program that refuses at any of its calls leaves nothing behind, and says what was refused", {
  skip,
}, () => {
  const output = inside(
    folder,
    `${COUNTED}
for N in 0 1 2 3 4; do
  echo 0 > $COUNT; export N
  PATH=$FOLDER:$PATH $S apply one.yaml 2>&1 | tail -2
  echo "call $N:"; ${REMAINS}
done`,
  );
  const calls = output.split(/^call \d+:\n/m);
  assert.equal(calls.pop(), "", output);
  assert.equal(calls.length, 5, output);
  // What remains after one call would stand before what the next one says.
  for (const call of calls)
    assert.match(call, /^error: could not .*: refused by the test\n.*as it was\n$/, output);
});

test("what the kernel refuses at any message leaves nothing behind either", { skip }, () => {
  const output = inside(
    folder,
    `${COUNTED}
for N in 0 1 10 40 80; do ${REFUSE} one.yaml $N; done; ${REMAINS}`,
  );
  const lines = output.trim().split("\n");
  assert.equal(lines.length, 5, output);
  for (const line of lines) assert.match(line, /^could not .*: operation not permitted; undone$/, output);
});

test("a change of a network that runs is taken back when it is refused", { skip }, () => {
  const output = inside(
    folder,
    `${COUNTED}
$S apply one.yaml | tail -1
for N in 0 1; do
  echo 0 > $COUNT; export N
  PATH=$FOLDER:$PATH $S apply two.yaml 2>&1 | tail -1
  $S status one.yaml | tail -1
done
$S apply two.yaml | tail -1; $S status two.yaml | tail -1
$S destroy two.yaml | tail -1; ${REMAINS}`,
  );
  const lines = output.trim().split("\n");
  assert.equal(lines.filter((line) => line === "everything is as it was made").length, 3, output);
  assert.match(lines.at(-1)!, /steps done/, output);
});

test("killed in the middle: the next call takes it back and begins anew, and a foreign namespace stays", {
  skip,
}, () => {
  const output = inside(
    folder,
    `${COUNTED}
ip netns add foreign; ip -n foreign link add keep type bridge
for round in 1 2 3; do
  setsid $S apply one.yaml >/dev/null 2>&1 &
  child=$!
  until [ -e /run/sallyport/broken/journal.json ] || ! kill -0 $child 2>/dev/null; do :; done
  for i in $(seq $((round * 4))); do ls /run/netns >/dev/null; done
  kill -KILL -- -$child 2>/dev/null || true; wait $child || true
  $S apply one.yaml 2>&1 | grep -c "interrupted was taken back" || true
  $S status one.yaml | tail -1
  $S destroy one.yaml | tail -1
done
ip -n foreign -br link show keep | wc -l; ip netns delete foreign
${REMAINS}`,
  );
  const lines = output.trim().split("\n");
  assert.deepEqual(lines.slice(-1), ["1"], output);
  assert.equal(lines.filter((line) => line === "everything is as it was made").length, 3, output);
  assert.ok(lines.filter((line) => line === "1").length >= 2, output);
});

test("what an interrupted change has left is told, and taken for nobody else's", { skip }, () => {
  const output = inside(
    folder,
    `${COUNTED}
setsid $S apply one.yaml >/dev/null 2>&1 & child=$!
until ls /run/netns/sp.broken.* >/dev/null 2>&1; do :; done
kill -KILL -- -$child; wait $child || true
$S status one.yaml 2>&1 | head -1
$S plan one.yaml 2>&1 >/dev/null
$S apply --dry-run --confirm 60s one.yaml 2>/dev/null | tail -1
$S destroy one.yaml 2>&1 | head -1
${REMAINS}`,
  );
  const begun =
    "warning: a change is being made, or was interrupted: then the next apply or destroy takes it back\n";
  assert.ok(output.startsWith(begun + begun), output);
  assert.match(output, /\none\.yaml: \d+ steps\na change that was interrupted was taken back\n/);
});

test("a namespace with our name that we did not make is left alone, and said so", { skip }, () => {
  const output = inside(
    folder,
    `${COUNTED}
ip netns add sp.broken.file-server; ip -n sp.broken.file-server link add keep type bridge
$S apply one.yaml 2>&1 | head -3 || true
ip -n sp.broken.file-server -br link show keep | wc -l; ls /run/netns`,
  );
  assert.match(output, /there is a namespace sp\.broken\.file-server already/);
  assert.match(output, /\n1\nsp\.broken\.file-server\n$/);
});

test("destroy takes away what was applied from a file that has errors now, has another name, or is gone", {
  skip,
}, () => {
  const output = inside(
    folder,
    `cp one.yaml mine.yaml
for change in 's/vapps:/vaps:/' 's/datacenter: broken/datacenter: renamed/' delete; do
  cp one.yaml mine.yaml; $S apply mine.yaml > /run/said
  if [ "$change" = delete ]; then rm mine.yaml; else sed -i "$change" mine.yaml; fi
  $S destroy mine.yaml 2>&1 | grep -v '^  '; ${REMAINS}
done
$S destroy mine.yaml 2>&1 | head -1`,
  );
  const [withError, renamed, named, gone, goneToo, nothing] = output.split("\n");
  assert.match(withError!, /steps done/, output);
  assert.match(renamed!, /note: mine\.yaml was applied as broken/);
  assert.match(named!, /steps done/);
  assert.match(gone!, /was applied as broken/);
  assert.match(goneToo!, /steps done/);
  assert.match(nothing!, /there is no file 'mine\.yaml'/);
});
