// Virtual machines that `apply` starts: one boots from a disk that counts its starts, one has only the boot
// program of its card, which asks for an address. Both in software, so that it works wherever QEMU does.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { makeSelfSigned } from "../../../src/server/certificates/self-signed.ts";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const skip =
  process.getuid?.() === 0
    ? requires("ip", "nft", "unshare", "bash", "dnsmasq", "qemu-system-x86_64", "qemu-img", "socat")
    : "needs root";
const SECTOR_BYTES = 512;
/** Firmware reads by cylinders of half a megabyte. */
const IMAGE_BYTES = 4 * 1024 * 1024;
const NODE = fileURLToPath(new URL("../../../bin/node-26", import.meta.url));

/** Adds one to the first byte of the second sector, and says it 18 times a second on the serial line. */
const COUNTING = Buffer.from(
  [
    "31c0 8ed8 8ec0", // xor ax, ax; mov ds, ax; mov es, ax
    "b80102 bb007e b90200 ba8000 cd13", // read the second sector of the first disk to 0x7e00 (int 13h)
    "fe06007e", // inc byte [0x7e00]
    "b80103 bb007e b90200 ba8000 cd13", // write it back
    "a0007e 0430 baf803 ee", // again: out 0x3f8, '0' + [0x7e00]
    "b00a ee fb f4", // out 0x3f8, line feed; sti; hlt until the clock ticks
    "ebf0", // jmp again
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);

/** Reads a console as a browser does until it has said something. */
const READ_CONSOLE = `
const url = new URL(process.argv[2]);
const socket = new WebSocket("wss://" + url.host + "/socket", {
  protocols: ["sallyport.console", url.hash.slice(1)],
  headers: { origin: url.origin },
});
socket.binaryType = "arraybuffer";
socket.onmessage = ({ data }) => {
  // Text is what the proxy itself has to say.
  if (typeof data === "string") return;
  console.log("console says " + Buffer.from(data).toString("latin1").trim().slice(0, 1));
  process.exit(0);
};
socket.onclose = () => process.exit(1);
`;

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-virtual-"));
  const disk = Buffer.alloc(IMAGE_BYTES);
  COUNTING.copy(disk);
  disk.writeUInt16LE(0xaa55, SECTOR_BYTES - 2);
  writeFileSync(join(folder, "count, and say it.raw"), disk);
  const { certificatePem, keyPem } = makeSelfSigned(["127.0.0.1"], Date.now());
  writeFileSync(join(folder, "console.pem"), certificatePem + keyPem);
  writeFileSync(join(folder, "read-console.mjs"), READ_CONSOLE);
  writeFileSync(
    join(folder, "datacenter.yaml"),
    `datacenter: virtual
networks:
  org:
    subnet: 192.168.10.0/24
    gateway: 192.168.10.1
    dhcp: {range: 192.168.10.100-192.168.10.199, server: org-edge}
edges: {org-edge: {interfaces: {org: 192.168.10.1}}}
machines:
  db-001: {network: org, address: 192.168.10.11, qemu: {image: "count, and say it.raw", memory: 32M, kvm: false}}
  blank: {network: org, address: dhcp, mac: "02:00:00:00:00:77", qemu: {memory: 64M, kvm: false}}
consoles: {proxy: {address: "127.0.0.1:8443", certificate: console.pem}}
`,
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("a disk's changes stay in its copy over a restart, a card gets its lease, and consoles need no line", {
  skip,
}, () => {
  const image = readFileSync(join(folder, "count, and say it.raw"));
  const output = inside(
    folder,
    `export XDG_STATE_HOME=/run/state SALLYPORT_ROOTLESS=1 PROGRAMS=/run/sallyport/virtual/programs
said() { until socat -u -T 5 UNIX-CONNECT:$PROGRAMS/machine-db-001/serial - 2>/dev/null | head -n 3 | grep -m 1 "^$1$"; do sleep 0.2; done; }
$S apply $F | tail -1
said 1
$S console serve $F 2>/run/consoles >/dev/null & server=$!
until [ -s /run/consoles ] && [ -S consoles.sock ]; do sleep 0.1; done
NODE_TLS_REJECT_UNAUTHORIZED=0 ${NODE} read-console.mjs "$($S console open $F db-001 --serial)" 2>/dev/null
kill $server; wait $server || true
kill -KILL "$(pgrep -f '^qemu-system.*-name db-001')"
said 2
until grep -q 02:00:00:00:00:77 $PROGRAMS/dhcp-org/leases; do sleep 0.2; done; cut -d" " -f2,3 $PROGRAMS/dhcp-org/leases
$S status $F | tail -1
ls /run/state/sallyport/virtual
$S destroy $F | tail -1
ls /run/state/sallyport /run/sallyport /run/netns; pgrep -c qemu || true`,
  );
  const lines = output.trim().split("\n");
  assert.match(lines[0]!, /steps done/, output);
  assert.deepEqual(lines.slice(1, 4), ["1", "console says 1", "2"], output);
  assert.match(lines[4]!, /^02:00:00:00:00:77 192\.168\.10\.1\d\d$/, output);
  // The one that was killed is told of for a while.
  assert.deepEqual(lines.slice(5, 7), ["everything is as it was made but for that", "db-001.qcow2"], output);
  assert.deepEqual(
    lines.slice(8),
    ["/run/netns:", "", "/run/sallyport:", "", "/run/state/sallyport:", "0"],
    output,
  );
  assert.deepEqual(readFileSync(join(folder, "count, and say it.raw")), image);
});

test("a disk that is not there is named before anything is changed", { skip }, () => {
  const output = inside(
    folder,
    `sed 's/count, and say it/none/' $F > none.yaml
$S apply none.yaml 2>&1 || true; ls /run`,
  );
  assert.match(
    output,
    /error: there is no .*\/none\.raw: the virtual machine db-001 has nothing to start from/,
  );
  assert.doesNotMatch(output, /netns/);
});
