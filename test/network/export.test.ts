// Exports of the examples, held against the real tools where there are some.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Mac } from "../../src/base/mac.ts";
import { readDatacenter } from "../../src/language/datacenter/reader.ts";
import { exportNetplan } from "../../src/network/export/netplan.ts";
import { exportNetworkd } from "../../src/network/export/networkd.ts";
import { findCommand, requires } from "../requirements.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/network/trunk-over-bond.yaml", import.meta.url));
const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
const datacenter = readDatacenter([{ name: EXAMPLE, text: readFileSync(EXAMPLE, "utf8") }], environment)
  .datacenter!;
const router = datacenter.hosts.find(({ name }) => name === "router")!;

test("a router's bond, VLANs and addresses are said in netplan's words, and what it cannot say is told", () => {
  const { files, left } = exportNetplan(datacenter, router);
  const text = files.get("60-router.yaml")!;
  for (const line of [
    "      interfaces: [eth0, eth1]",
    "        mode: 802.3ad",
    "        transmit-hash-policy: layer3+4",
    "        mii-monitor-interval: 100",
    '      addresses: ["192.168.10.1/24"]',
    "      link: bond0",
  ])
    assert.ok(text.includes(`${line}\n`), line);
  assert.ok(!text.includes("bond0.100:"));
  assert.match(left.join("\n"), /802\.1ad/);
  assert.match(left.join("\n"), /ip_forward/);
});

test("netplan accepts it and makes files of it", { skip: requires("netplan") }, () => {
  const root = mkdtempSync(join(tmpdir(), "sallyport-netplan-"));
  try {
    mkdirSync(join(root, "etc/netplan"), { recursive: true });
    for (const host of datacenter.hosts) {
      for (const [name, text] of exportNetplan(datacenter, host).files)
        writeFileSync(join(root, "etc/netplan", name), text, { mode: 0o600 });
      const run = spawnSync(findCommand("netplan")!, ["generate", "--root-dir", root], { encoding: "utf8" });
      assert.equal(run.status, 0, `${host.name}: ${run.stderr}`);
      rmSync(join(root, "etc/netplan", `60-${host.name}.yaml`));
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("systemd-networkd gets a netdev for each made link and a network for every link, QinQ included", () => {
  const { files, left } = exportNetworkd(datacenter, router);
  assert.deepEqual(left, []);
  assert.match(
    files.get("20-bond0.netdev")!,
    /\[NetDev\]\nName=bond0\nKind=bond\nMTUBytes=1504\n\n\[Bond\]\nMode=802\.3ad\n/,
  );
  assert.match(files.get("20-bond0.100.netdev")!, /\[VLAN\]\nId=100\nProtocol=802\.1ad\n/);
  assert.match(files.get("30-bond0.network")!, /VLAN=bond0\.10\nVLAN=bond0\.20\nVLAN=bond0\.100\n/);
  assert.match(files.get("30-bond0.100.network")!, /VLAN=customer\.20\n/);
  assert.match(files.get("30-eth0.network")!, /Bond=bond0\n/);
  assert.match(files.get("30-bond0.10.network")!, /Address=192\.168\.10\.1\/24\nIPForward=yes\n/);
});

test("a card that is known by its MAC is told apart from what takes the MAC over, and a primary is said", () => {
  const card = { ...router.interfaces[0]!, mac: { value: "02:00:00:00:00:01" as Mac, span: router.span } };
  const bond = { ...router.bonds[0]!, primary: { value: card.name, span: router.span } };
  const host = { ...router, interfaces: [card, ...router.interfaces.slice(1)], bonds: [bond] };
  const card0 = exportNetworkd(datacenter, host).files.get(`30-${card.name}.network`)!;
  assert.match(card0, /\[Match\]\nPermanentMACAddress=02:00:00:00:00:01\n/);
  assert.match(card0, /Bond=bond0\nPrimarySlave=yes\n/);
  assert.match(
    exportNetplan(datacenter, host).files.get("60-router.yaml")!,
    / {6}match:\n {8}macaddress: "02:00:00:00:00:01"\n {6}set-name: eth0\n/,
  );
});
