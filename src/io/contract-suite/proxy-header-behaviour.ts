// PROXY headers (HAProxy's proxy-protocol.txt, versions 1 and 2): read before everything else where a
// listener accepts them, written before everything else as a preamble.
import assert from "node:assert/strict";
import { behaviour, type ContractHarness } from "./scenario.ts";

const VERSION_1 = "PROXY TCP4 192.0.2.10 198.51.100.1 4000 443\r\n";
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
/** PROXY, TCP over IPv6, 2001:db8::1 port 4000 to 2001:db8::2 port 443, and a NOOP of 3 + 1 bytes. */
const VERSION_2: Uint8Array = Uint8Array.from([
  ...SIGNATURE,
  ...[0x21, 0x21, 0, 40],
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  ...[0x0f, 0xa0, 0x01, 0xbb],
  ...[0x04, 0, 1, 0],
]);
/** From 127.0.0.1 port 42 to 127.0.0.1 port 1337, with the authority "shop" and the unique id "12345". */
const VERSION_2_FACTS: Uint8Array = Uint8Array.from([
  ...SIGNATURE,
  ...[0x21, 0x11, 0, 27],
  ...[127, 0, 0, 1, 127, 0, 0, 1, 0, 42, 0x05, 0x39],
  ...[0x02, 0, 4, ...Buffer.from("shop")],
  ...[0x05, 0, 5, ...Buffer.from("12345")],
]);
/** LOCAL: the sender speaks for itself. */
const VERSION_2_LOCAL: Uint8Array = Uint8Array.from([...SIGNATURE, 0x20, 0, 0, 0]);

export function proxyHeaderBehaviour(create: () => ContractHarness): void {
  behaviour("takes the addresses of a version 1 header", create, async (scenario) => {
    const { server } = await scenario.pair({ acceptProxy: true }, { preamble: Buffer.from(VERSION_1) });
    const source = { family: 4, host: "192.0.2.10", port: 4000 };
    const destination = { family: 4, host: "198.51.100.1", port: 443 };
    assert.deepEqual(server.connection!.proxied, { source, destination });
    assert.deepEqual(server.connection!.remote, source);
  });

  behaviour("takes the addresses of a version 2 header", create, async (scenario) => {
    const { server } = await scenario.pair({ acceptProxy: true }, { preamble: VERSION_2 });
    const source = { family: 6, host: "2001:db8::1", port: 4000 };
    const destination = { family: 6, host: "2001:db8::2", port: 443 };
    assert.deepEqual(server.connection!.proxied, { source, destination });
    assert.deepEqual(server.connection!.remote, source);
  });

  behaviour("takes what a version 2 header says of the request", create, async (scenario) => {
    const { server } = await scenario.pair({ acceptProxy: true }, { preamble: VERSION_2_FACTS });
    const { authority, uniqueId } = server.connection!.proxied!;
    assert.deepEqual([authority, uniqueId], ["shop", "12345"]);
  });

  for (const [name, preamble] of [
    ["PROXY UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n")],
    ["a LOCAL header", VERSION_2_LOCAL],
  ] as const) {
    behaviour(`keeps the socket's own addresses after ${name}`, create, async (scenario) => {
      const { client, server } = await scenario.pair({ acceptProxy: true }, { preamble });
      assert.equal(server.connection!.proxied, null);
      assert.deepEqual(server.connection!.remote, client.connection!.local);
    });
  }

  behaviour("takes what follows the header as data, however it is cut", create, async (scenario) => {
    const options = { acceptProxy: true, handshakeTimeoutMs: 60_000 };
    const { listener, accepted } = await scenario.listenRecording(options);
    const whole = scenario.connect(listener);
    whole.send(`${VERSION_1}GET / HTTP/1.1\r\n`);
    await scenario.pump(() => accepted[0]?.receivedBytes === 16);
    assert.equal(accepted[0]!.text, "GET / HTTP/1.1\r\n");
    const cut = scenario.connect(listener);
    await scenario.pump(() => cut.isOpen);
    for (const byte of Buffer.concat([VERSION_2, Buffer.from("GET")])) {
      assert.equal(accepted[1]?.isOpen ?? false, false, "open before the header was whole");
      cut.send(Uint8Array.of(byte));
      await scenario.harness.settle();
      if (accepted[1]?.isOpen) break;
    }
    await scenario.pump(() => accepted[1]?.isOpen === true);
    assert.equal(accepted[1]!.connection!.remote.host, "2001:db8::1");
    cut.send("after");
    await scenario.pump(() => accepted[1]!.text.endsWith("after"));
    assert.equal(accepted[1]!.text, "after");
  });

  behaviour("closes a connection that starts with something else", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({ acceptProxy: true });
    const client = scenario.connect(listener);
    client.send("GET / HTTP/1.1\r\n\r\n");
    await scenario.pump(() => accepted[0]?.isClosed === true && (client.hasEnded || client.isClosed));
    assert.deepEqual(accepted[0]!.events, ["close"]);
    assert.equal(accepted[0]!.failure?.kind, "protocol");
    assert.equal(accepted[0]!.failure?.side, "client");
  });

  behaviour("gives up on a header that does not come", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({
      acceptProxy: true,
      handshakeTimeoutMs: 60,
    });
    scenario.connect(listener).send("PROXY TCP4 ");
    await scenario.pump(() => accepted[0]?.isClosed === true);
    assert.deepEqual(accepted[0]!.events, ["close"]);
    assert.equal(accepted[0]!.failure?.kind, "timeout");
  });

  behaviour("says so when the peer hangs up within the header", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({ acceptProxy: true });
    const client = scenario.connect(listener);
    client.send("PROXY TCP4 ");
    client.shutdown();
    await scenario.pump(() => accepted[0]?.isClosed === true);
    assert.deepEqual(accepted[0]!.events, ["close"]);
    assert.equal(accepted[0]!.failure?.kind, "closed");
  });
}
