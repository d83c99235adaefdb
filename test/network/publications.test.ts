// Publications through edges that hide each other, and the same written by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResolvedDatacenter, ResolvedEdge } from "../../src/model/resolved-datacenter.ts";
import { explainPublication } from "../../src/network/explain/publication.ts";
import { ask, endOf, resolved } from "./ask.ts";

/** The outer edge knows only the network between; the inner one hides the rest. */
const HIDDEN = `
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  transit: {subnet: 10.9.0.0/24}
  org: {subnet: 192.168.10.0/24, gateway: 192.168.10.1, pool: 192.168.10.100-192.168.10.199}
edges:
  border:
    interfaces: {internet: [203.0.113.10, 203.0.113.11], transit: 10.9.0.1}
    routes: [{to: default, via: 203.0.113.1}]
  org-edge:
    interfaces: {transit: 10.9.0.2, org: 192.168.10.1}
    routes: [{to: default, via: 10.9.0.1}]
    nat: [{snat: org, to: 10.9.0.2}]
machines:
  one: {network: org, address: 192.168.10.11, listen: 80}
  two: {network: org, address: 192.168.10.12, listen: 80}
`;

test("two publications that come to an inner edge at one port get different ones there", () => {
  const text = `${HIDDEN}publish:
  - {machine: one, port: 80, at: "203.0.113.10:80"}
  - {machine: two, port: 80, at: "203.0.113.11:80"}
`;
  const { publications } = resolved(text);
  const between = publications.map(({ steps }) => `${steps[0]!.to.ip}:${steps[0]!.to.port}`);
  assert.equal(between[0], "10.9.0.2:80");
  assert.match(between[1]!, /^10\.9\.0\.2:2\d{4}$/);
  assert.equal(endOf(ask(text, "internet to 203.0.113.10 tcp 80")), "one");
  assert.equal(endOf(ask(text, "internet to 203.0.113.11 tcp 80")), "two");
});

test("a port that an inner edge translates already is passed over", () => {
  const text = HIDDEN.replace(
    "nat: [{snat: org, to: 10.9.0.2}]",
    "nat: [{dnat: 10.9.0.2, protocol: tcp, port: 80, to: two}, {snat: org, to: 10.9.0.2}]",
  );
  const published = `${text}publish: [{machine: one, port: 80, at: "203.0.113.10:80"}]\n`;
  assert.equal(endOf(ask(published, "internet to 203.0.113.10 tcp 80")), "one");
});

/** What `explain publish` would have one write, written. */
function byHand(text: string): string {
  const published = resolved(text);
  const written = published.publications
    .flatMap((one) => explainPublication(published, one).edges)
    .reduce((all, { edge, kind, lines }) => {
      const owner = kind === "fence" ? `vapps/${edge.split(".")[0]}` : `edges/${edge}`;
      return all.set(owner, lines);
    }, new Map<string, readonly string[]>());
  let hand = text.slice(0, text.indexOf("publish:"));
  for (const [owner, lines] of written) {
    const name = owner.split("/")[1];
    const indented = lines.map((line) => `    ${line}\n`).join("");
    hand = hand.replace(new RegExp(`^  ${name}:\n`, "m"), `  ${name}:\n${indented}`);
  }
  return hand;
}

function rulesOf({ edges }: ResolvedDatacenter, name: string) {
  const { firewall, nat } = edges.find((edge) => edge.name === name)!;
  const plain = (rules: readonly (ResolvedEdge["nat"][number] | (typeof firewall.rules)[number])[]) =>
    rules.map(({ origin, ...rule }) => rule);
  return { firewall: plain(firewall.rules), nat: plain(nat) };
}

const SHOP = `
networks:
  internet: {external: true, subnet: [203.0.113.0/24, "2001:db8:f::/64"]}
  org:
    subnet: [192.168.10.0/24, "2001:db8:a::/64"]
    pool: 192.168.10.100-192.168.10.199
edges:
  org-edge:
    interfaces: {internet: [203.0.113.10, "2001:db8:f::"], org: [192.168.10.1, "2001:db8:a::1"]}
machines:
  six: {network: org, address: "2001:db8:a::6", listen: 80}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines: {web: {address: 192.168.10.11, listen: 80}}
    copies: [test-a]
`;

test("the lines that one would write by hand make the same rules as the publication", () => {
  for (const line of [
    `{machine: shop.test-a/web, port: 80, at: "203.0.113.10:8001"}`,
    `{machine: six, port: 80, at: "[2001:db8:f::]:8006"}`,
  ]) {
    const text = `${SHOP}publish:\n  - ${line}\n`;
    const [derived, hand] = [resolved(text), resolved(byHand(text))];
    for (const edge of ["org-edge", "shop.test-a"])
      assert.deepEqual(rulesOf(hand, edge), rulesOf(derived, edge), `${line} at ${edge}\n${byHand(text)}`);
  }
});

test("one port of a fence is one machine's by TCP and another's by UDP", () => {
  const text = SHOP.replace(
    "machines: {web: {address: 192.168.10.11, listen: 80}}",
    "machines: {a: {address: 192.168.10.11, listen: tcp 53}, b: {address: 192.168.10.12, listen: udp 53}}\n    nat: port-forwarding",
  );
  const at = `at: "203.0.113.10:53"`;
  const { publications } = resolved(`${text}publish:
  - {machine: shop.test-a/a, port: 53, ${at}}
  - {machine: shop.test-a/b, port: 53, protocol: udp, ${at}}
`);
  assert.deepEqual(
    publications.map(({ steps }) => steps[1]!.to.ip),
    ["192.168.10.11", "192.168.10.12"],
  );
});
