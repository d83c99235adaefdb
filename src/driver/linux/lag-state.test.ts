import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { carriageOf, faultsOfLag } from "./lag-state.ts";

const [OTHER, NOBODY, THIRD] = ["ae:0e:94:58:83:8e", "00:00:00:00:00:00", "5a:c9:2d:35:74:31"];

/** As Linux 6.1 has it in /proc/net/bonding, without what nobody reads. */
function member(name: string, more: Record<string, string | number> = {}): string {
  const { mii, aggregator, partner, state, partnerState } = {
    ...{ mii: "up", aggregator: 1, partner: OTHER, state: 63, partnerState: 63 },
    ...more,
  };
  return `
Slave Interface: ${name}
MII Status: ${mii}
Speed: 10000 Mbps
Aggregator ID: ${aggregator}
details actor lacp pdu:
    system mac address: 96:7a:fa:76:0e:ec
    port state: ${state}
details partner lacp pdu:
    system mac address: ${partner}
    port state: ${partnerState}
`;
}

function faultsWith(partner: string, ...members: string[]): string[] {
  return readWith(faultsOfLag, partner, members);
}

function readWith<T>(
  read: (bond: string, folder: string) => T,
  partner: string,
  members: readonly string[],
): T {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-lag-"));
  const head = `Ethernet Channel Bonding Driver: v6.1.0

Bonding Mode: IEEE 802.3ad Dynamic link aggregation
MII Status: up

802.3ad info
Active Aggregator Info:
	Aggregator ID: 1
	Partner Mac Address: ${partner}
`;
  try {
    writeFileSync(join(folder, "bond0"), head + members.join(""));
    return read("bond0", folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a LAG with one partner at all its cables, which all are in use, is whole", () => {
  assert.deepEqual(faultsWith(OTHER, member("eth0"), member("eth1")), []);
});

test("what keeps a LAG from being whole is named, cable by cable", () => {
  const faultOf = (more: Record<string, string | number>) =>
    faultsWith(OTHER, member("eth0"), member("eth1", more)).join("; ");
  assert.equal(faultOf({ mii: "down" }), "eth1 of bond0 has no carrier");
  assert.match(
    faultOf({ aggregator: 2, partner: NOBODY, state: 69 }),
    /^eth1 .* no LACP .* within 30 s .*up\)$/,
  );
  assert.match(faultOf({ state: 0x80 | 7 }), /^eth1 of bond0 hears no LACP partner at the moment/);
  assert.match(faultOf({ aggregator: 2, partner: THIRD }), new RegExp(`goes to ${THIRD}, .* to ${OTHER}$`));
  assert.match(
    faultOf({ aggregator: 2 }),
    /^eth1 .* another aggregator: at .* not in the LAG of the others$/,
  );
  assert.match(faultOf({ state: 7 }), /^eth1 of bond0 is not in use yet: LACP is negotiating$/);
  assert.match(faultOf({ partnerState: 7 }), /^eth1 of bond0 is not in use at the other end/);
});

test("a bond that has no partner or no members, and what is no bond, is told once", () => {
  assert.deepEqual(
    faultsWith(NOBODY, member("eth0", { partner: NOBODY }), member("eth1", { aggregator: 2 })),
    ["bond0 has no LACP partner at the other end: of its cables eth0 is in use alone"],
  );
  assert.deepEqual(faultsWith(NOBODY), ["bond0 has no member"]);
  assert.deepEqual(faultsOfLag("bond0", "/nonexistent"), ["bond0 is no bond"]);
});

test("a bond carries frames by LACP when both ends have agreed, and by one card when there is no partner", () => {
  const carriage = (partner: string, ...members: string[]) => readWith(carriageOf, partner, members);
  const alone = { partner: NOBODY, state: 77 };
  assert.equal(carriage(OTHER, member("eth1")), "agreed");
  assert.equal(carriage(OTHER, member("eth1", { state: 7 })), "none");
  assert.equal(carriage(NOBODY, member("eth1", alone)), "alone");
  assert.equal(carriage(NOBODY, member("eth1", { ...alone, mii: "down" })), "none");
  assert.equal(carriage(NOBODY), "none");
  assert.equal(carriageOf("bond0", "/nonexistent"), "none");
});
