// What every engine must do, as tests that know only the contract of src/transport/contract.ts. An engine's
// own test file calls `contractSuite` with a way to make a harness; each test gets a fresh one. Nothing here
// depends on how long something takes: a test pumps until a condition holds.
import { describe } from "node:test";
import { chunkBehaviour } from "./contract-suite/chunk-behaviour.ts";
import { clockBehaviour } from "./contract-suite/clock-behaviour.ts";
import { connectionBehaviour } from "./contract-suite/connection-behaviour.ts";
import { listenerBehaviour } from "./contract-suite/listener-behaviour.ts";
import { proxyHeaderBehaviour } from "./contract-suite/proxy-header-behaviour.ts";
import type { ContractHarness } from "./contract-suite/scenario.ts";
import { streamBehaviour } from "./contract-suite/stream-behaviour.ts";
import { tlsBehaviour } from "./contract-suite/tls-behaviour.ts";

export type { ContractHarness } from "./contract-suite/scenario.ts";

/**
 * Registers the suite with node:test under `name`. `create` is called once per test and `dispose` after it.
 */
export function contractSuite(name: string, create: () => ContractHarness): void {
  describe(`${name} keeps the engine contract`, () => {
    connectionBehaviour(create);
    streamBehaviour(create);
    chunkBehaviour(create);
    clockBehaviour(create);
    listenerBehaviour(create);
    tlsBehaviour(create);
    proxyHeaderBehaviour(create);
  });
}
