// TLS: which certificate is shown, who is let in, what is known of a handshake afterwards.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type {
  CertificateMaterial,
  ListenOptions,
  TlsClientContext,
  TlsClientSpec,
  TlsServerContext,
  TlsServerSpec,
} from "../../transport/contract.ts";
import { seededRandom } from "../memory/seeded-random.ts";
import { createTestAuthority, type TestAuthority } from "../test-certificates.ts";
import { behaviour, type ContractHarness, type Recorder, type Scenario } from "./scenario.ts";

const SETTINGS = {
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  ciphers: null,
  ciphersuites: null,
  curves: null,
  alpn: [],
} as const;

/** One set for the whole process: making keys takes a while. */
interface Material {
  readonly authority: TestAuthority;
  readonly stranger: TestAuthority;
  readonly main: CertificateMaterial;
  readonly other: CertificateMaterial;
  readonly client: CertificateMaterial;
  readonly foreign: CertificateMaterial;
}

let cachedMaterial: Material | null = null;

function material(): Material {
  if (cachedMaterial !== null) return cachedMaterial;
  const authority = createTestAuthority("Contract Authority");
  const stranger = createTestAuthority("Another Authority");
  cachedMaterial = {
    authority,
    stranger,
    main: authority.issue({ commonName: "main.example" }),
    other: authority.issue({ commonName: "other.example", names: ["other.example", "*.wild.example"] }),
    client: authority.issue({ commonName: "client.example" }),
    foreign: stranger.issue({ commonName: "foreign.example" }),
  };
  return cachedMaterial;
}

function serverContext(scenario: Scenario, spec: Partial<TlsServerSpec> = {}): TlsServerContext {
  const result = scenario.engine.createTlsServerContext({
    ...SETTINGS,
    certificates: [material().main],
    strictSni: false,
    clientVerify: null,
    ticketKeys: Uint8Array.from({ length: 80 }, (_, i) => i),
    ...spec,
  });
  assert(result.ok, result.ok ? "" : result.error.message);
  return result.value;
}

function clientContext(scenario: Scenario, spec: Partial<TlsClientSpec> = {}): TlsClientContext {
  const result = scenario.peer.createTlsClientContext({
    ...SETTINGS,
    verify: null,
    certificate: null,
    ...spec,
  });
  assert(result.ok, result.ok ? "" : result.error.message);
  return result.value;
}

interface Ends {
  readonly server?: Partial<TlsServerSpec>;
  readonly client?: Partial<TlsClientSpec>;
  readonly serverName?: string;
  readonly listen?: Partial<ListenOptions>;
  readonly preamble?: Uint8Array;
}

/** One connection, open at both ends. */
function tlsPair(scenario: Scenario, ends: Ends): Promise<{ client: Recorder; server: Recorder }> {
  return scenario.pair(
    { ...ends.listen, tls: serverContext(scenario, ends.server) },
    {
      tls: { context: clientContext(scenario, ends.client), serverName: ends.serverName ?? "main.example" },
      preamble: ends.preamble ?? null,
    },
  );
}

/**
 * One connection, tried until the server's or the client's end has closed; which one depends on who refuses.
 */
async function refused(scenario: Scenario, ends: Ends, who: "client" | "server"): Promise<Recorder> {
  const { listener, accepted } = await scenario.listenRecording({
    tls: serverContext(scenario, ends.server),
  });
  const context = clientContext(scenario, ends.client);
  const client = scenario.connect(listener, {
    tls: { context, serverName: ends.serverName ?? "main.example" },
  });
  // With TLS 1.3 a client learns of its refusal only after its own handshake is done.
  await scenario.pump(() => accepted[0]?.isClosed === true && (client.isClosed || client.hasEnded));
  return who === "client" ? client : accepted[0]!;
}

const shownName = (recorder: Recorder): string =>
  new X509Certificate(recorder.connection!.tls!.peerCertificate!).subject.replace("CN=", "");

export function tlsBehaviour(create: () => ContractHarness): void {
  factsBehaviour(create);
  choiceBehaviour(create);
  verificationBehaviour(create);
  sessionBehaviour(create);
  streamBehaviour(create);
}

function factsBehaviour(create: () => ContractHarness): void {
  behaviour("tells both ends what was agreed on", create, async (scenario) => {
    const { client, server } = await tlsPair(scenario, {
      server: { alpn: ["http/1.1"] },
      client: { alpn: ["http/1.1"] },
    });
    const expected = {
      version: "TLSv1.3",
      serverName: "main.example",
      alpn: "http/1.1",
      isResumed: false,
      verifyResult: 0,
    };
    for (const { connection } of [client, server]) {
      const { cipher, peerCertificate: _, peerChain: __, ownCertificate: ___, ...facts } = connection!.tls!;
      assert.deepEqual(facts, expected);
      assert.match(cipher, /^TLS_[A-Z0-9_]+_SHA(256|384)$/);
    }
    assert.equal(shownName(client), "main.example");
    assert.equal(server.connection!.tls!.peerCertificate, null);
    assert.equal(server.connection!.tls!.peerChain, null);
    assert.equal(client.connection!.tls!.ownCertificate, null);
    const shown = Buffer.from(client.connection!.tls!.peerCertificate!);
    assert.deepEqual(Buffer.from(server.connection!.tls!.ownCertificate!), shown);
    assert.deepEqual(Buffer.from(client.connection!.tls!.peerChain!).subarray(0, shown.length), shown);
  });

  behaviour("keeps to the versions it is given", create, async (scenario) => {
    const { client, server } = await tlsPair(scenario, {
      server: { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES256-GCM-SHA384" },
    });
    for (const { connection } of [client, server]) {
      assert.equal(connection!.tls!.version, "TLSv1.2");
      assert.equal(connection!.tls!.cipher, "ECDHE-RSA-AES256-GCM-SHA384");
    }
  });

  behaviour("refuses when the versions of both ends have nothing in common", create, async (scenario) => {
    const ends: Ends = { server: { maxVersion: "TLSv1.2" }, client: { minVersion: "TLSv1.3" } };
    const server = await refused(scenario, ends, "server");
    assert.deepEqual(server.events, ["close"]);
    assert.equal(server.failure?.kind, "tls");
  });

  behaviour("chooses the server's first protocol that the client offers", create, async (scenario) => {
    const { client, server } = await tlsPair(scenario, {
      server: { alpn: ["h2", "http/1.1"] },
      client: { alpn: ["spdy/1", "http/1.1", "h2"] },
    });
    assert.equal(client.connection!.tls!.alpn, "h2");
    assert.equal(server.connection!.tls!.alpn, "h2");
  });

  behaviour("negotiates no protocol with a client that offers none", create, async (scenario) => {
    const { client, server } = await tlsPair(scenario, { server: { alpn: ["h2"] } });
    assert.equal(client.connection!.tls!.alpn, "");
    assert.equal(server.connection!.tls!.alpn, "");
  });

  behaviour("reports material that cannot be used as a failure", create, async ({ engine }) => {
    const broken = { ...material().main, keyPem: material().other.keyPem };
    const result = engine.createTlsServerContext({
      ...SETTINGS,
      certificates: [broken],
      strictSni: false,
      clientVerify: null,
      ticketKeys: null,
    });
    assert.equal(result.ok, false);
  });
}

function choiceBehaviour(create: () => ContractHarness): void {
  const cases = [
    { serverName: "other.example", shown: "other.example", why: "its exact name" },
    { serverName: "OTHER.example", shown: "other.example", why: "its name in capitals" },
    { serverName: "a.wild.example", shown: "other.example", why: "a name under its wildcard" },
    {
      serverName: "a.b.wild.example",
      shown: "main.example",
      why: "a name two labels under a wildcard: the default",
    },
    { serverName: "unknown.example", shown: "main.example", why: "an unknown name: the default" },
    { serverName: "", shown: "main.example", why: "no name: the default" },
  ];
  for (const { serverName, shown, why } of cases) {
    behaviour(`shows the certificate for ${why}`, create, async (scenario) => {
      const server = { certificates: [material().main, material().other] };
      const pair = await tlsPair(scenario, { server, serverName });
      assert.equal(shownName(pair.client), shown);
      assert.equal(pair.server.connection!.tls!.serverName.toLowerCase(), serverName.toLowerCase());
    });
  }

  for (const serverName of ["unknown.example", ""]) {
    behaviour(
      `refuses ${serverName === "" ? "a missing" : "an unknown"} name under strict SNI`,
      create,
      async (scenario) => {
        const server = await refused(scenario, { server: { strictSni: true }, serverName }, "server");
        assert.deepEqual(server.events, ["close"]);
        assert.equal(server.failure?.kind, "tls");
      },
    );
  }

  behaviour("accepts a known name under strict SNI", create, async (scenario) => {
    const { client } = await tlsPair(scenario, { server: { strictSni: true } });
    assert.equal(shownName(client), "main.example");
  });

  behaviour("shows a certificate for names that are given instead of its own", create, async (scenario) => {
    const listed = { ...material().other, names: ["*.list.example", "!not.list.example"] };
    const server = { certificates: [material().main, listed] };
    for (const [serverName, shown] of [
      ["a.list.example", "other.example"],
      ["not.list.example", "main.example"],
      ["other.example", "main.example"],
    ] as const) {
      const { client } = await tlsPair(scenario, { server, serverName });
      assert.equal(shownName(client), shown);
    }
  });

  behaviour("uses a replaced context for new connections", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({ tls: serverContext(scenario) });
    const tls = { context: clientContext(scenario), serverName: "main.example" };
    const before = scenario.connect(listener, { tls });
    await scenario.pump(() => before.isOpen && accepted[0]?.isOpen === true);
    listener.replaceTls(serverContext(scenario, { certificates: [material().other] }));
    const after = scenario.connect(listener, { tls: { ...tls, context: clientContext(scenario) } });
    await scenario.pump(() => after.isOpen && accepted[1]?.isOpen === true);
    assert.equal(shownName(before), "main.example");
    assert.equal(shownName(after), "other.example");
    before.send("still good");
    await scenario.pump(() => accepted[0]!.text === "still good");
  });
}

function verificationBehaviour(create: () => ContractHarness): void {
  const required = () => ({
    clientVerify: { mode: "required", caPem: material().authority.certificatePem, crlPem: null } as const,
  });
  const optional = () => ({ clientVerify: { ...required().clientVerify, mode: "optional" } as const });

  behaviour("refuses a client without the certificate that is required", create, async (scenario) => {
    const server = await refused(scenario, { server: required() }, "server");
    assert.deepEqual(server.events, ["close"]);
    assert.equal(server.failure?.kind, "tls");
    assert.equal(server.failure?.side, "client");
  });

  for (const [mode, clientVerify] of [
    ["required", required],
    ["optional", optional],
  ] as const) {
    behaviour(`accepts a good client certificate where it is ${mode}`, create, async (scenario) => {
      const { server } = await tlsPair(scenario, {
        server: clientVerify(),
        client: { certificate: material().client },
      });
      assert.equal(shownName(server), "client.example");
      assert.equal(server.connection!.tls!.verifyResult, 0);
    });

    behaviour(
      `refuses a client certificate of another authority where it is ${mode}`,
      create,
      async (scenario) => {
        const ends: Ends = { server: clientVerify(), client: { certificate: material().foreign } };
        const server = await refused(scenario, ends, "server");
        assert.deepEqual(server.events, ["close"]);
        assert.equal(server.failure?.kind, "tls");
      },
    );
  }

  behaviour("accepts a client without certificate where it is optional", create, async (scenario) => {
    const { server } = await tlsPair(scenario, { server: optional() });
    assert.equal(server.connection!.tls!.peerCertificate, null);
  });

  behaviour("refuses a revoked client certificate and accepts another", create, async (scenario) => {
    const { authority, client, other } = material();
    const crlPem = authority.revoke([client]);
    const server = { clientVerify: { mode: "required", caPem: authority.certificatePem, crlPem } as const };
    const revoked = await refused(scenario, { server, client: { certificate: client } }, "server");
    assert.equal(revoked.failure?.kind, "tls");
    const good = await tlsPair(scenario, { server, client: { certificate: other } });
    assert.equal(shownName(good.server), "other.example");
  });

  behaviour("verifies the server's authority", create, async (scenario) => {
    const verify = (authority: TestAuthority) => ({
      verify: { caPem: authority.certificatePem, crlPem: null, host: null },
    });
    await tlsPair(scenario, { client: verify(material().authority) });
    const client = await refused(scenario, { client: verify(material().stranger) }, "client");
    assert.deepEqual(client.events, ["close"]);
    assert.equal(client.failure?.kind, "tls");
    assert.equal(client.failure?.side, "server");
  });

  behaviour("verifies the server's name: the one given, else the one sent", create, async (scenario) => {
    const verify = (host: string | null) => ({
      verify: { caPem: material().authority.certificatePem, crlPem: null, host },
    });
    await tlsPair(scenario, { client: verify("main.example"), serverName: "unknown.example" });
    for (const ends of [
      { client: verify("wrong.example") },
      { client: verify(null), serverName: "unknown.example" },
    ]) {
      const client = await refused(scenario, ends, "client");
      assert.deepEqual(client.events, ["close"]);
      assert.equal(client.failure?.kind, "tls");
    }
  });
}

function sessionBehaviour(create: () => ContractHarness): void {
  /**
   * Two connections one after another; whether the second resumed the session of the first, as both ends say.
   */
  const resumes = async (scenario: Scenario, server: Partial<TlsServerSpec>): Promise<boolean[]> => {
    const { listener, accepted } = await scenario.listenRecording({ tls: serverContext(scenario, server) });
    const tls = { context: clientContext(scenario), serverName: "main.example" };
    for (const index of [0, 1]) {
      const client = scenario.connect(listener, { tls });
      await scenario.pump(() => client.isOpen && accepted[index]?.isOpen === true);
      if (index === 1) return [client, accepted[1]!].map((end) => end.connection!.tls!.isResumed);
      // TLS 1.3 hands tickets over with the first data.
      accepted[0]!.send("ticket");
      await scenario.pump(() => client.receivedBytes === 6);
      client.shutdown();
      accepted[0]!.shutdown();
      await scenario.pump(() => client.isClosed && accepted[0]!.isClosed);
    }
    return [];
  };

  for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const) {
    behaviour(`resumes a session by ticket with ${maxVersion}`, create, async (scenario) => {
      assert.deepEqual(await resumes(scenario, { maxVersion }), [true, true]);
    });
  }

  behaviour("does not resume where tickets are switched off", create, async (scenario) => {
    assert.deepEqual(await resumes(scenario, { ticketKeys: null }), [false, false]);
  });

  behaviour("resumes a session at another context with the same ticket keys", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({ tls: serverContext(scenario) });
    const tls = { context: clientContext(scenario), serverName: "main.example" };
    const first = scenario.connect(listener, { tls });
    await scenario.pump(() => first.isOpen && accepted[0]?.isOpen === true);
    accepted[0]!.send("ticket");
    await scenario.pump(() => first.receivedBytes === 6);
    listener.replaceTls(serverContext(scenario));
    const second = scenario.connect(listener, { tls });
    await scenario.pump(() => second.isOpen && accepted[1]?.isOpen === true);
    assert.equal(accepted[1]!.connection!.tls!.isResumed, true);
  });
}

function streamBehaviour(create: () => ContractHarness): void {
  for (const byteCount of [1, 16_385, 2_000_000]) {
    behaviour(`carries ${byteCount} bytes in both directions over TLS`, create, async (scenario) => {
      const { client, server } = await tlsPair(scenario, {});
      client.expectedSeed = 1;
      server.expectedSeed = 2;
      server.produce(byteCount, 1, seededRandom(byteCount), () => server.shutdown());
      client.produce(byteCount, 2, seededRandom(byteCount + 1), () => client.shutdown());
      await scenario.pump(() => client.isClosed && server.isClosed);
      assert.equal(client.receivedBytes, byteCount);
      assert.equal(server.receivedBytes, byteCount);
      assert.equal(client.failure, null);
      assert.equal(server.failure, null);
    });
  }

  behaviour("goes on in one direction after close_notify in the other", create, async (scenario) => {
    const { client, server } = await tlsPair(scenario, {});
    client.shutdown();
    await scenario.pump(() => server.hasEnded);
    client.expectedSeed = 3;
    server.produce(200_000, 3, seededRandom(3), () => server.shutdown());
    await scenario.pump(() => client.isClosed && server.isClosed);
    assert.equal(client.receivedBytes, 200_000);
    assert.equal(client.failure, null);
  });

  behaviour("flushes what is queued when it closes over TLS", create, async (scenario) => {
    const { client, server } = await tlsPair(scenario, {});
    client.expectedSeed = 4;
    client.pause();
    server.produce(250_000, 4, () => 0.9);
    server.close();
    client.resume();
    await scenario.pump(() => client.hasEnded && server.isClosed);
    assert.equal(client.receivedBytes, 250_000);
    assert.equal(server.failure, null);
  });

  behaviour("shows a reset over TLS as a reset", create, async (scenario) => {
    const { client, server } = await tlsPair(scenario, {});
    server.reset();
    await scenario.pump(() => client.isClosed && server.isClosed);
    assert.equal(client.failure?.kind, "reset");
  });

  behaviour("can reset in handleData over TLS", create, async (scenario) => {
    const { client, server } = await tlsPair(scenario, {});
    client.onData = () => client.reset();
    server.produce(1_000_000, 5, seededRandom(5));
    await scenario.pump(() => client.isClosed && server.isClosed);
    assert.deepEqual(client.events, ["open", "data", "close"]);
    assert.equal(server.failure?.kind, "reset");
  });

  behaviour("can close in handleOpen over TLS", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({ tls: serverContext(scenario) });
    const client = scenario.connect(listener, { tls: { context: clientContext(scenario), serverName: "" } });
    client.onOpen = () => {
      client.send("bye");
      client.close();
    };
    await scenario.pump(() => client.isClosed && accepted[0]?.hasEnded === true);
    assert.equal(accepted[0]!.text, "bye");
    assert.equal(client.failure, null);
  });

  behaviour("delivers what was sent before the handshake was done", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({ tls: serverContext(scenario) });
    const client = scenario.connect(listener, { tls: { context: clientContext(scenario), serverName: "" } });
    client.send("impatient");
    await scenario.pump(() => accepted[0]?.text === "impatient");
  });

  behaviour("closes a client that speaks no TLS", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({ tls: serverContext(scenario) });
    const client = scenario.connect(listener);
    client.send("GET / HTTP/1.1\r\nHost: main.example\r\n\r\n");
    await scenario.pump(() => accepted[0]?.isClosed === true && (client.hasEnded || client.isClosed));
    assert.deepEqual(accepted[0]!.events, ["close"]);
    assert.equal(accepted[0]!.failure?.kind, "tls");
  });

  behaviour("closes a client that does not finish its handshake in time", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({
      tls: serverContext(scenario),
      handshakeTimeoutMs: 60,
    });
    scenario.connect(listener);
    await scenario.pump(() => accepted[0]?.isClosed === true);
    assert.deepEqual(accepted[0]!.events, ["close"]);
    assert.equal(accepted[0]!.failure?.kind, "timeout");
  });

  behaviour("reads a PROXY header before the handshake", create, async (scenario) => {
    const preamble = Buffer.from("PROXY TCP4 192.0.2.10 198.51.100.1 4000 443\r\n");
    const { client, server } = await tlsPair(scenario, { listen: { acceptProxy: true }, preamble });
    assert.equal(server.connection!.remote.host, "192.0.2.10");
    assert.equal(server.connection!.tls!.serverName, "main.example");
    client.send("behind both");
    await scenario.pump(() => server.text === "behind both");
  });
}
