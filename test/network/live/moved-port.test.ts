// Who moves to another VLAN may lose frames while it is on neither; nobody else does, neither where it leaves
// nor where it comes to. A machine goes there and back, a whole port group changes its VLAN, and meanwhile
// machines of both VLANs send each other more than a hundred pings a second.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";
import { trafficIn } from "./traffic-flows.ts";

const skip = process.getuid?.() === 0 ? requires("ip", "nft", "unshare", "bash", "ping") : "needs root";
const EACH = ["../../../bin/node-26", "apply-each.ts"]
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .join(" ");

function datacenter(guest: "voice" | "data", otherVlan: number): string {
  return `
datacenter: moves
switches:
  dvs0:
    port-groups: {voice: {vlan: 40}, data: {vlan: 50}, other: {vlan: ${otherVlan}}}
networks:
  voice: {subnet: 10.40.0.0/24, port-group: dvs0/voice}
  data: {subnet: 10.50.0.0/24, port-group: dvs0/data}
  other: {subnet: 10.60.0.0/24, port-group: dvs0/other}
machines:
  phone-1: {network: voice, address: 10.40.0.11}
  phone-2: {network: voice, address: 10.40.0.12}
  nas: {network: data, address: 10.50.0.30}
  build: {network: data, address: 10.50.0.31}
  guest: {network: ${guest}, address: 10.${guest === "voice" ? 40 : 50}.0.99}
  lab-1: {network: other, address: 10.60.0.11}
  lab-2: {network: other, address: 10.60.0.12}
`;
}

test("a port that moves to another VLAN costs nobody a frame who is in either", { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-moves-"));
  try {
    writeFileSync(join(folder, "datacenter.yaml"), datacenter("voice", 60));
    writeFileSync(join(folder, "moved.yaml"), datacenter("data", 60));
    // One VLAN of its own more, and one that others have already.
    writeFileSync(join(folder, "other.yaml"), datacenter("voice", 61));
    writeFileSync(join(folder, "joined.yaml"), datacenter("voice", 40));
    const rounds = "moved.yaml datacenter.yaml other.yaml joined.yaml datacenter.yaml";
    const output = inside(
      folder,
      `${trafficIn("moves")}
$S apply $F | tail -1
flow voice phone-1 10.40.0.12; flow data build 10.50.0.30; flow other lab-1 10.60.0.12
${EACH} ${rounds} ${rounds} ${rounds}
sleep 0.2; kill $flows; wait $flows || true
lost voice; lost data; lost other`,
    );
    assert.equal([...output.matchAll(/^\w+\.yaml: [1-9]\d* steps done$/gm)].length, 16, output);
    assert.match(output, /^voice 0 of \d{3,}$/m, output);
    assert.match(output, /^data 0 of \d{3,}$/m, output);
    t.diagnostic(`the group that moved nine times: ${/^other (\d+ of \d+)$/m.exec(output)?.[1]} lost`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
