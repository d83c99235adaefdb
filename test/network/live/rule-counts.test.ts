// What rules have decided, counted by the kernel and told beside their lines: of each connection one packet,
// of what is dropped all.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { requires } from "../../requirements.ts";
import { inside } from "./inside.ts";

const skip =
  process.getuid?.() === 0
    ? requires("ip", "bridge", "nft", "unshare", "curl", "ping", "bash")
    : "needs root";

const FILE = `datacenter: counted
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  org: {subnet: 10.0.0.0/24, gateway: 10.0.0.1}
edges:
  edge:
    interfaces: {internet: [203.0.113.10, 203.0.113.11], org: 10.0.0.1}
    routes: [{to: default, via: 203.0.113.1}]
    firewall:
      rules:
        - {deny: icmp, from: org, to: 203.0.113.1}
        - {allow: any, from: org}
        - {allow: tcp, to: 203.0.113.10, ports: [80, 443, 8000-8009]}
    nat:
      - {snat: org, to: 203.0.113.11}
      - {dnat: 203.0.113.10, protocol: tcp, port: 80, to: 10.0.0.11}
      - {dnat: 203.0.113.10, protocol: tcp, port: 8000-8009, to: 10.0.0.11}
machines:
  web: {network: org, address: 10.0.0.11}
`;
const SNAT = "- {snat: org, to: 203.0.113.11}";

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-counts-"));
  writeFileSync(join(folder, "datacenter.yaml"), FILE);
});
after(() => rmSync(folder, { recursive: true, force: true }));

interface Shown {
  readonly rules: readonly {
    readonly edge: string;
    readonly isChanged: boolean;
    readonly rules: readonly { table: string; line: number; text: string; words: string; packets: number }[];
  }[];
  readonly drift: readonly string[];
}

test("each rule tells how many connections it has let in, dropped or translated", { skip }, () => {
  // Nobody listens: that the first packet is answered by a refusal is enough.
  const output = inside(
    folder,
    `$S apply $F > /run/applied
for port in 80 80 80 8003 8004; do $S shell $F internet -- curl -s -m 5 http://203.0.113.10:$port/ || :; done
for port in 9000 9000; do $S shell $F web -- curl -s -m 5 http://203.0.113.1:$port/ || :; done
$S shell $F web -- ping -c 4 -i 0.01 -W 0.01 203.0.113.1 > /run/pings || :
$S status $F --rules --json
echo ---
sed -i 's/port: 80, to/port: 81, to/' $F
$S status $F --rules
`,
  );
  const [json = "", changed = ""] = output.split("---\n");
  const shown = JSON.parse(json) as Shown;
  assert.deepEqual(shown.drift, [], "what is counted is no change");
  const { edge, isChanged, rules } = shown.rules[0]!;
  assert.deepEqual([edge, isChanged], ["edge", false]);
  const at = (start: string) => rules.find(({ text }) => text.startsWith(start))?.packets;
  const [pings, out, into] = [at("- {deny: icmp"), at("- {allow: any"), at("- {allow: tcp")];
  assert.deepEqual(
    {
      pings,
      snat: at(SNAT),
      web: at("- {dnat: 203.0.113.10, protocol: tcp, port: 80,"),
      range: at("- {dnat: 203.0.113.10, protocol: tcp, port: 8000"),
    },
    { pings: 4, snat: 2, web: 3, range: 2 },
    json,
  );
  // The firewall counts packets of new connections, and a slow machine sends some of them again.
  assert(out! >= 2 && out! < 10 && into! >= 5 && into! < 20, json);
  assert.equal(rules.at(-1)!.words, "default: deny");
  assert.match(changed, /edge: its rules have been changed in the file, and not been applied since/);
});
