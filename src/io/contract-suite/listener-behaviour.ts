// Listening: addresses of every kind, and how a listener pauses, goes on and ends.
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { behaviour, type ContractHarness } from "./scenario.ts";

export function listenerBehaviour(create: () => ContractHarness): void {
  addressBehaviour(create);
  endBehaviour(create);
}

function addressBehaviour(create: () => ContractHarness): void {
  behaviour("tells the port that was chosen for port 0", create, async (scenario) => {
    const first = await scenario.listenRecording();
    const second = await scenario.listenRecording();
    assert(first.listener.address.port > 0);
    assert.notEqual(first.listener.address.port, second.listener.address.port);
    assert.equal(first.listener.address.host, "127.0.0.1");
  });

  behaviour("does not listen twice on one address", create, async (scenario) => {
    const { listener } = await scenario.listenRecording();
    const address = { kind: "tcp", host: "127.0.0.1", port: listener.address.port } as const;
    const second = await scenario.tryListen({ address }, { accept: () => null });
    assert.equal(second.listener, null);
    assert.equal(second.failure?.kind, "address-in-use");
  });

  behaviour("shares an address between listeners that ask for it", create, async (scenario) => {
    const { listener } = await scenario.listenRecording({ reusePort: true });
    const address = { kind: "tcp", host: "127.0.0.1", port: listener.address.port } as const;
    const second = await scenario.tryListen({ address, reusePort: true }, { accept: () => null });
    assert.equal(second.failure, null);
    assert.equal(second.listener?.address.port, listener.address.port);
  });

  behaviour("listens on all addresses when no host is given", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({
      address: { kind: "tcp", host: null, port: 0 },
    });
    const { port } = listener.address;
    const client = scenario.connect(listener, { address: { kind: "tcp", host: "127.0.0.1", port } });
    await scenario.pump(() => client.isOpen && accepted.length === 1);
    assert.deepEqual(accepted[0]!.connection!.local, { family: 4, host: "127.0.0.1", port });
  });

  behaviour("carries connections over unix sockets, with the mode asked for", create, async (scenario) => {
    const path = join(scenario.harness.directory, "front.sock");
    const address = { kind: "unix", path, mode: 0o600, uid: null, gid: null } as const;
    const { listener, client, server } = await scenario.pair({ address });
    assert.deepEqual(listener.address, { family: "unix", host: path, port: 0 });
    assert.deepEqual(server.connection!.local, { family: "unix", host: path, port: 0 });
    assert.equal(server.connection!.remote.family, "unix");
    if (existsSync(path)) assert.equal(statSync(path).mode & 0o777, 0o600);
    client.send("over the file system");
    client.shutdown();
    await scenario.pump(() => server.hasEnded);
    assert.equal(server.text, "over the file system");
    server.close();
    await scenario.pump(() => client.isClosed);
    assert.equal(client.failure, null);
  });

  behaviour("takes the place of a unix socket that was left behind", create, async (scenario) => {
    const path = join(scenario.harness.directory, "again.sock");
    const address = { kind: "unix", path, mode: null, uid: null, gid: null } as const;
    const first = await scenario.listenRecording({ address });
    const second = await scenario.listenRecording({ address });
    first.listener.close();
    await scenario.harness.settle();
    const client = scenario.connect(second.listener);
    await scenario.pump(() => client.isOpen && second.accepted.length === 1);
    assert.equal(first.accepted.length, 0);
  });

  behaviour("refuses to connect to a unix socket that is not there", create, async (scenario) => {
    const { listener } = await scenario.listenRecording();
    const path = join(scenario.harness.directory, "nobody.sock");
    const client = scenario.connect(listener, { address: { kind: "unix", path } });
    await scenario.pump(() => client.isClosed);
    assert.deepEqual(client.events, ["close"]);
    assert.equal(client.failure?.kind, "refused");
  });

  behaviour("listens on a name in the abstract namespace", create, async (scenario) => {
    const name = `sallyport-contract-${process.pid}-${Math.floor(scenario.engine.random() * 1e12)}`;
    const { listener } = await scenario.listenRecording({ address: { kind: "abstract", name } });
    assert.equal(listener.address.family, "unix");
    const second = await scenario.tryListen({ address: { kind: "abstract", name } }, { accept: () => null });
    assert.equal(second.failure?.kind, "address-in-use");
  });
}

function endBehaviour(create: () => ContractHarness): void {
  behaviour("accepts nothing before it is resumed when it was opened paused", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording({ isPaused: true });
    const client = scenario.connect(listener);
    await scenario.harness.settle();
    assert.equal(accepted.length, 0);
    scenario.operate(() => listener.resume());
    await scenario.pump(() => accepted.length === 1 && client.isOpen);
  });

  behaviour("accepts nothing while paused and everything afterwards", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording();
    scenario.operate(() => listener.pause());
    const clients = [scenario.connect(listener), scenario.connect(listener)];
    await scenario.pump(() => clients.every((client) => client.isOpen));
    await scenario.harness.settle();
    assert.equal(accepted.length, 0);
    clients[0]!.send("patient");
    scenario.operate(() => listener.resume());
    await scenario.pump(() => accepted.length === 2 && accepted.some((server) => server.text === "patient"));
  });

  behaviour("accepts what is queued when it is closed, and nothing later", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording();
    scenario.operate(() => listener.pause());
    const queued = scenario.connect(listener);
    await scenario.pump(() => queued.isOpen);
    scenario.operate(() => listener.close());
    await scenario.pump(() => accepted[0]?.isOpen === true);
    await scenario.harness.settle();
    const late = scenario.connect(listener);
    await scenario.pump(() => late.isClosed);
    assert.equal(late.failure?.kind, "refused");
    assert.equal(accepted.length, 1);
  });

  behaviour("leaves open connections alone when it is closed", create, async (scenario) => {
    const { listener, client, server } = await scenario.pair();
    listener.close();
    await scenario.harness.settle();
    client.send("still here");
    await scenario.pump(() => server.text === "still here");
    server.send("me too");
    await scenario.pump(() => client.text === "me too");
  });

  behaviour("frees its address when it is closed", create, async (scenario) => {
    const { listener } = await scenario.listenRecording();
    listener.close();
    await scenario.harness.settle();
    const address = { kind: "tcp", host: "127.0.0.1", port: listener.address.port } as const;
    const second = await scenario.tryListen({ address }, { accept: () => null });
    assert.equal(second.failure, null);
  });
}
