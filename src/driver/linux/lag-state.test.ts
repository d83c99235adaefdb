import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { lagFault } from "./lag-state.ts";

const GOOD = {
  "bond0/bonding/slaves": "eth0 eth1\n",
  "bond0/bonding/ad_partner_mac": "02:00:00:00:00:01\n",
  "bond0/bonding/ad_aggregator": "1\n",
  "eth0/bonding_slave/mii_status": "up\n",
  "eth0/bonding_slave/ad_aggregator_id": "1\n",
  "eth1/bonding_slave/mii_status": "up\n",
  "eth1/bonding_slave/ad_aggregator_id": "1\n",
};

function faultWith(changes: Readonly<Record<string, string>>): string | null {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-lag-"));
  try {
    for (const [path, text] of Object.entries({ ...GOOD, ...changes })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    return lagFault("bond0", folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a LAG with a partner and all its cables in one aggregator is whole", () => {
  assert.equal(faultWith({}), null);
});

test("what keeps a LAG from being whole is named", () => {
  assert.match(faultWith({ "bond0/bonding/slaves": "\n" })!, /has no member/);
  assert.match(faultWith({ "bond0/bonding/ad_partner_mac": "00:00:00:00:00:00\n" })!, /no LACP partner/);
  assert.match(faultWith({ "eth1/bonding_slave/mii_status": "down\n" })!, /eth1 of bond0 has no carrier/);
  assert.match(faultWith({ "eth1/bonding_slave/ad_aggregator_id": "2\n" })!, /eth1 .* another aggregator/);
  assert.match(lagFault("bond0", "/nonexistent")!, /is no bond/);
});
