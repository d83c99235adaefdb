import assert from "node:assert/strict";
import { test } from "node:test";
import { compareTrace, type LiveCapture } from "../../src/network/explain/compare-trace.ts";
import { changeEthernet } from "../../src/wire/ethernet.ts";
import { ask } from "./ask.ts";

const trace = ask(
  `
networks:
  left: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
  right: {subnet: 10.2.0.0/24, gateway: 10.2.0.1}
edges:
  edge:
    interfaces: {left: 10.1.0.1, right: 10.2.0.1}
    firewall: {default: allow}
machines:
  a: {network: left, address: 10.1.0.11}
  b: {network: right, address: 10.2.0.11}
`,
  "a to b tcp 80",
);

const captures: LiveCapture[] = trace.there.hops.flatMap(({ node, captures: own }) =>
  own.map(({ port, direction, frame }) => ({ node: node.name, port, direction, frame })),
);

test("a trace agrees with its own frames, whatever the MAC addresses are", () => {
  assert.deepEqual(compareTrace(trace.there, captures), []);
  const others = captures.map((one) => ({
    ...one,
    frame: changeEthernet(one.frame, { source: "02:00:00:00:00:01" as never }),
  }));
  assert.deepEqual(compareTrace(trace.there, others), []);
});

test("only places that were listened at are compared", () => {
  assert.deepEqual(
    compareTrace(
      trace.there,
      captures.filter(({ node }) => node === "edge"),
    ),
    [],
  );
});

test("where somebody listened and heard nothing, what was explained is missing", () => {
  const [last] = captures.filter(({ node, direction }) => node === "b" && direction === "in");
  const others = captures.filter((one) => one !== last);
  const told = compareTrace(trace.there, others, captures);
  assert.deepEqual(
    told.map(({ node, captured }) => [node, captured]),
    [["b", null]],
  );
});

test("a packet that came and was not explained, one that did not come, and another one are told", () => {
  const [first] = captures.filter(({ node, direction }) => node === "edge" && direction === "out");
  assert.equal(first?.port, "right");
  const again = compareTrace(trace.there, [...captures, first!]);
  assert.deepEqual(
    again.map(({ node, explained }) => [node, explained]),
    [["edge", null]],
  );
  const other = captures.map((one) => (one === first ? { ...one, frame: captures[0]!.frame } : one));
  const [difference] = compareTrace(trace.there, other);
  assert.match(difference!.explained!, /^tcp 10\.1\.0\.11:40000 > 10\.2\.0\.11:80 SYN ttl 63$/);
  assert.match(difference!.captured!, /ttl 64$/);
});

test("a packet that is not marked as was explained is another one", () => {
  const marked = captures.map((one) => {
    const frame = Uint8Array.from(one.frame);
    // DSCP 46 in the IP header behind the 14 bytes of Ethernet.
    frame[15] = 46 << 2;
    return { ...one, frame };
  });
  const [first] = compareTrace(trace.there, marked);
  assert.match(first?.captured ?? "", / ttl 64 dscp 46$/);
  assert.doesNotMatch(first?.explained ?? "", /dscp/);
});
