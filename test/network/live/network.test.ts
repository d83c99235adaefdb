// The network in a real kernel: the company in small, made by the command line in namespaces of its own,
// tried by real packets, and taken away without remains. As root in namespaces that the test makes, and as an
// ordinary user by --rootless.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { makeSelfSigned } from "../../../src/server/certificates/self-signed.ts";
import { requires } from "../../requirements.ts";
import { inside, LAUNCHER } from "./inside.ts";

const EXAMPLE = fileURLToPath(new URL("../../../examples/company/", import.meta.url));
const isRoot = process.getuid?.() === 0;
const NEEDS = requires("ip", "bridge", "nft", "unshare", "curl", "dnsmasq", "udhcpc", "bash");
const skip = isRoot ? NEEDS : "needs root";
const TIMEOUT_MS = 90_000;

/** Who call at once for a network of their own, where there is none yet, get one and the same. */
const AT_ONCE = `
for i in 1 2 3 4; do $S plan $R $F > /dev/null & done; wait
keepers=0
for one in /proc/[0-9]*; do
  [ "$(cat $one/comm 2>/dev/null)" = sleep ] || continue
  if tr '\\0' '\\n' 2>/dev/null < $one/environ | grep -qx "SALLYPORT_STATE=$SALLYPORT_STATE"; then keepers=$((keepers + 1)); fi
done
[ $keepers = 1 ] || { echo "$keepers keep a network" >&2; exit 1; }
`;

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-live-"));
  cpSync(EXAMPLE, folder, { recursive: true });
  const { certificatePem, keyPem } = makeSelfSigned(["company.com"]);
  writeFileSync(join(folder, "company.pem"), certificatePem + keyPem);
  chmodSync(folder, 0o755);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Waits for a port: commands of machines are started by `apply`, which waits for load balancers only. */
const UNTIL =
  'until_open() { for i in $(seq 100); do $S shell $R $F "$1" -- curl -sk -m 2 -o /dev/null "$2" && return; sleep 0.1; done; echo "never: $2"; };';

const WALK = `
$S apply $R $F | tail -1
$S shell $R $F internet -- curl -sk -m 5 -o /dev/null -w 'the balancer answers %{http_code}\n' https://203.0.113.10/ || true
until_open internet http://203.0.113.10:8001/; until_open internet https://203.0.113.10/
for port in 8001 8002; do $S shell $R $F internet -- curl -s -m 5 http://203.0.113.10:$port/ | head -1; done
$S shell $R $F internet -- curl -s -m 1 http://203.0.113.10:8003/ || echo "8003 is closed"
for i in 1 2 3; do $S shell $R $F internet -- curl -sk -m 5 -c $JAR -b $JAR https://203.0.113.10/ | head -1; done
$S shell $R $F shop.test-a/db -- curl -s -m 5 http://192.168.10.41/ | head -1
$S shell $R $F shop.test-a/db -- curl -s -m 1 http://192.168.10.11/ | head -1
for i in $(seq 50); do $S shell $R $F desk-001 -- ip -4 -br address show dev eth0 | grep -q 192 && break; sleep 0.1; done
$S shell $R $F desk-001 -- ip -4 -br address show dev eth0 | tr -s ' '
$S status $R $F | tail -1
$S apply $R $F | tail -1
$S destroy $R $F | tail -1
`;

function checkWalk(output: string): void {
  const lines = output.trim().split("\n");
  const [applied, answer, first, second, closed, ...rest] = lines;
  assert.match(applied!, /datacenter\.yaml: \d+ steps done/, output);
  // 503 while its servers have not begun.
  assert.match(answer!, /^the balancer answers (200|503)$/, output);
  assert.deepEqual([first, second, closed], ["SHOP", "SHOP", "8003 is closed"], output);
  const sticky = rest.splice(0, 3);
  assert.equal(new Set(sticky).size, 1, output);
  assert.match(sticky[0]!, /^WEB-00[123]$/);
  const [inner, original, desk, status, again, destroyed] = rest;
  assert.equal(inner, "SHOP", output);
  assert.equal(original, "WEB-001", "the organisation's own web-001, out of the fence");
  assert.match(desk!, /192\.168\.10\.[5-9]\d\/24/, output);
  assert.equal(status, "everything is as it was made", output);
  assert.match(again!, /nothing to change/);
  assert.match(destroyed!, /steps done/);
}

test("the company runs: both copies behind two NATs, TLS and cookie, DHCP, no drift, and gone without remains", {
  skip,
}, () => {
  const remains =
    "ip netns list; ls /run/netns /run/sallyport 2>/dev/null | grep -v : ; ip -br link | grep -v '^lo' || true; pgrep -f 'site[.]mjs' || true";
  const output = inside(folder, `R=; JAR=/run/jar; ${UNTIL} ${WALK} echo ---; ${remains}`);
  const [walk = "", left = ""] = output.split("---\n");
  checkWalk(walk);
  assert.equal(left.trim(), "");
});

test("an ordinary user has it all without root", {
  skip: isRoot
    ? requires("ip", "bridge", "nft", "unshare", "curl", "dnsmasq", "udhcpc", "bash", "setpriv", "newuidmap")
    : "needs root, to be somebody else",
}, () => {
  chmodSync(join(folder, "company.pem"), 0o644);
  const home = mkdtempSync(join(tmpdir(), "sallyport-user-"));
  chmodSync(home, 0o777);
  try {
    // Nobody of that number has a name or a range of user numbers: the poorest user there is.
    const run = spawnSync(
      "setpriv",
      [
        "--reuid=54321",
        "--regid=54321",
        "--clear-groups",
        "bash",
        "-c",
        `set -e; cd "$FOLDER"; R=--rootless; ${AT_ONCE} ${UNTIL} ${WALK} echo ---; find "$SALLYPORT_STATE" -type f`,
      ],
      {
        encoding: "utf8",
        timeout: TIMEOUT_MS,
        env: {
          ...process.env,
          // As Debian gives it to users: nft and dnsmasq are elsewhere.
          PATH: "/usr/local/bin:/usr/bin:/bin",
          HOME: home,
          SALLYPORT_STATE: join(home, "state"),
          XDG_RUNTIME_DIR: "",
          JAR: join(home, "jar"),
          S: LAUNCHER,
          FOLDER: folder,
          F: "datacenter.yaml",
          NO_COLOR: "1",
        },
      },
    );
    assert.equal(run.status, 0, `${run.stdout}\n${run.stderr}`);
    const [walk = "", left = ""] = run.stdout.split("---\n");
    checkWalk(walk);
    assert.equal(left.trim(), "");
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test("broadcasts of a copy are heard nowhere else, and twenty copies with the same addresses live side by side", {
  skip,
}, () => {
  const text = readFileSync(join(folder, "datacenter.yaml"), "utf8")
    .replace(
      "copies: [test-a, test-b]",
      `copies: [${Array.from({ length: 20 }, (_, i) => `c${i}`).join(", ")}]`,
    )
    .replace(/^ +load-balancer:.*\n/m, "")
    .replace(/^publish:[\s\S]*/m, "");
  writeFileSync(join(folder, "twenty.yaml"), text.replace("datacenter: company", "datacenter: twenty"));
  const output = inside(
    folder,
    `
F=twenty.yaml; $S apply $F | tail -1
listen() { nsenter --net=/run/netns/sp.twenty.$1 "$NODE" -e 'const s=require("dgram").createSocket("udp4");s.bind(9999,()=>{});s.on("message",(m)=>console.log(process.argv[1]+" heard "+m));setTimeout(()=>process.exit(),2500)' "$1" & }
NODE=$(dirname $S)/node-26
for place in shop.c0+db shop.c1+web shop.c1+db web-001 desk-001; do listen $place; done; sleep 1
nsenter --net=/run/netns/sp.twenty.shop.c0+web "$NODE" -e 'const s=require("dgram").createSocket("udp4");s.bind(()=>{s.setBroadcast(true);s.send("hello",9999,"192.168.10.255",()=>s.close())})'
wait
for i in 0 7 19; do $S shell $F shop.c$i/web -- ping -c1 -W2 192.168.10.42 | grep -c "1 received"; done
$S shell $F shop.c3/web -- ping -c1 -W2 192.168.10.11 | grep -c "1 received"
$S destroy $F | tail -1`,
  );
  const lines = output.trim().split("\n");
  assert.deepEqual(
    lines.filter((line) => line.includes("heard")),
    ["shop.c0+db heard hello"],
    output,
  );
  assert.deepEqual(lines.slice(-5, -1), ["1", "1", "1", "1"], output);
});

test("a table that somebody has changed by hand is drift, and apply puts it right", { skip }, () => {
  const output = inside(
    folder,
    `
$S apply $F > /dev/null
nsenter --net=/run/netns/sp.company.org-edge nft flush table inet sallyport_filter
$S status $F | tail -2 || true
$S apply $F | tail -2
$S status $F | tail -1
$S destroy $F > /dev/null`,
  );
  assert.match(output, /load nftables table inet sallyport_filter in sp\.company\.org-edge/);
  assert.match(output, /1 step done\neverything is as it was made\n$/);
});

test("what check finds is told by a plan and on trial, and keeps nobody from a change", { skip }, () => {
  const output = inside(
    folder,
    `
cat > doubted.yaml <<'END'
datacenter: doubted
networks: {org: {subnet: 10.0.0.0/24}, other: {subnet: 10.0.1.0/24}}
machines: {a: {network: org, address: 10.0.0.1}, b: {network: other, address: 10.0.1.1}}
expect: [a reaches b]
END
$S plan doubted.yaml 2>&1 >/dev/null
$S apply --confirm 60s doubted.yaml </dev/null 2>&1 | grep -E 'done|warning' & trial=$!
until $S confirm doubted.yaml >/dev/null 2>&1; do sleep 0.1; done
wait $trial
$S apply doubted.yaml 2>&1
$S destroy doubted.yaml > /dev/null`,
  );
  assert.equal(
    output.replace(/\d+ steps/, "n steps"),
    `warning: sallyport check doubted.yaml finds 1 error
doubted.yaml: n steps done
warning: sallyport check doubted.yaml finds 1 error
doubted.yaml: nothing to change
`,
  );
});

test("a change that nobody confirms is taken back by itself", { skip }, () => {
  const output = inside(
    folder,
    `
$S apply $F > /dev/null
sed 's/{deny: never}/x/; s/lease: 1h/lease: 2h/; s/ports: \\[80, 443\\]/ports: 443/' $F > changed.yaml
$S apply --confirm 1s changed.yaml 2>&1 | tail -2 || true
$S status $F | tail -1
$S apply $F | tail -1
$S destroy $F > /dev/null`,
  );
  assert.match(
    output,
    /nobody confirmed the change\ntaken back: everything is as it was\neverything is as it was made\n.*nothing to change\n$/,
  );
});
