// From a `balance` line to the algorithm that carries it out.
import type { BalanceDefinition, HashType } from "../../model/proxy.ts";
import type { Backend } from "../runtime.ts";
import type { Balancer } from "./balancer.ts";
import { ConsistentHash } from "./consistent-hash.ts";
import { Dispatch } from "./dispatch.ts";
import type { BalanceEnvironment } from "./environment.ts";
import { First } from "./first.ts";
import { LeastConnections } from "./least-connections.ts";
import { MapHash } from "./map-hash.ts";
import { Random } from "./random.ts";
import { RoundRobin } from "./round-robin.ts";
import { StaticRoundRobin } from "./static-round-robin.ts";

/** Call it when the backend has all its servers. The balancer follows their states from then on. */
export function createBalancer(
  definition: BalanceDefinition,
  hashType: HashType,
  backend: Backend,
  environment: BalanceEnvironment,
): Balancer {
  if (backend.dispatch !== null) return new Dispatch(backend.dispatch);
  switch (definition.algorithm) {
    case "roundrobin":
      return new RoundRobin(backend, environment);
    case "static-rr":
      return new StaticRoundRobin(backend, environment);
    case "leastconn":
      return new LeastConnections(backend, environment);
    case "first":
      return new First(backend, environment);
    case "random":
      return new Random(definition.draws, backend, environment);
    case "source":
      return createHash({ algorithm: "source" }, hashType, backend, environment);
    default:
      return createHash(definition, hashType, backend, environment);
  }
}

function createHash(...parameters: ConstructorParameters<typeof MapHash>): Balancer {
  return parameters[1].method === "consistent"
    ? new ConsistentHash(...parameters)
    : new MapHash(...parameters);
}
