// Whatever rules a datacentre file leads to, nftables takes the tables that are made of them: random
// firewalls and NAT rules, of both families, checked by nft itself.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { type Ip, ipOfValue, parseIp } from "../../../src/base/ip.ts";
import { NO_SPAN } from "../../../src/diagnostic/span.ts";
import { seededRandom } from "../../../src/io/memory/seeded-random.ts";
import type {
  AddressSet,
  ResolvedFirewallRule,
  ResolvedNatRule,
} from "../../../src/model/resolved-datacenter.ts";
import { firewallTable } from "../../../src/network/plan/firewall-table.ts";
import { natTables } from "../../../src/network/plan/nat-table.ts";
import { requires } from "../../requirements.ts";

const skip = process.getuid?.() === 0 ? requires("nft", "unshare") : "needs root";
const ROUNDS = 60;
const NETWORKS = ["internet", "org", "farm"] as const;
const RANGE_ENDS = { 4: parseIp("10.0.1.0")!, 6: parseIp("fd00::1:0")! } as const;
const ORIGIN = { kind: "file", text: "", span: NO_SPAN } as const;

class RandomRules {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Both included. */
  integer(first: number, last: number): number {
    return first + Math.floor(this.#random() * (last - first + 1));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(0, choices.length - 1)]!;
  }

  ip(family: 4 | 6): Ip {
    const low = BigInt(this.integer(1, 40));
    return ipOfValue((family === 4 ? 0x0a000000n : 0xfd00n << 112n) + low, family)!;
  }

  addresses(family: 4 | 6): AddressSet {
    const count = this.integer(0, 3);
    if (count === 0) return null;
    // A range that holds many of them.
    if (count === 3) return [{ first: this.ip(family), last: RANGE_ENDS[family] }];
    return Array.from({ length: count }, () => {
      const ip = this.ip(family);
      return { first: ip, last: ip };
    });
  }

  ports(): readonly { readonly first: number; readonly last: number }[] {
    return Array.from({ length: this.pick([0, 0, 1, 1, 2]) }, () => {
      const first = this.integer(1, 60);
      return { first, last: first + this.pick([0, 0, 5]) };
    });
  }

  firewallRule(): ResolvedFirewallRule {
    const family = this.pick([4, 6] as const);
    const protocol = this.pick(["tcp", "udp", "icmp", null] as const);
    return {
      action: this.pick(["allow", "deny"]),
      in: this.pick([...NETWORKS, null, null]),
      out: this.pick([...NETWORKS, null, null]),
      protocol,
      from: this.addresses(family),
      to: this.addresses(family),
      ports: protocol === "icmp" ? [] : this.ports(),
      isLogged: this.pick([true, false, false]),
      origin: ORIGIN,
    };
  }

  natRule(): ResolvedNatRule {
    const family = this.pick([4, 6] as const);
    const stage = this.pick(["prerouting", "postrouting"] as const);
    const protocol = this.pick(["tcp", "udp", null] as const);
    const ports = this.ports();
    const toPort = ports.length === 0 ? null : this.pick([null, 8000]);
    return {
      stage,
      in: this.pick([...NETWORKS, null]),
      out: stage === "prerouting" ? null : this.pick([...NETWORKS, null]),
      protocol,
      from: this.addresses(family),
      to: this.addresses(family),
      ports,
      action:
        stage === "prerouting"
          ? { kind: "dnat", to: this.ip(family), toPort }
          : this.pick([{ kind: "snat", to: this.ip(family) } as const, { kind: "masquerade" } as const]),
      origin: ORIGIN,
    };
  }
}

test("nft takes every table that random rules are turned into", { skip }, () => {
  const seed = Number(process.env["SEED"] ?? 20_261_128);
  for (let round = 0; round < ROUNDS; round++) {
    const random = new RandomRules(seed + round);
    const list = <T>(make: () => T) => Array.from({ length: random.pick([1, 5, 20]) }, make);
    const firewall = {
      default: random.pick(["allow", "deny"] as const),
      match: random.pick(["original", "translated"] as const),
      rules: list(() => random.firewallRule()),
      span: NO_SPAN,
    };
    const deviceOf = (network: string) => (network === "farm" ? null : `n-${network}`);
    const tables = [
      firewallTable(firewall, { deviceOf, inputRules: [], forwardRules: [] }),
      ...natTables(
        list(() => random.natRule()),
        deviceOf,
      ),
    ];
    const text = tables.map((one) => one.text).join("");
    const run = spawnSync("unshare", ["--net", "nft", "-f", "-"], { input: text, encoding: "utf8" });
    assert.equal(run.status, 0, `SEED=${seed + round}\n${run.stderr}\n${text}`);
  }
});
