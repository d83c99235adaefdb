// Everything that a seed decides before a run begins: network, configuration generations, what clients do,
// and what happens to the servers when. Plain data.
import type { MemoryFaults } from "../src/io/memory/memory-network.ts";
import type { ConnectionScript } from "./client.ts";
import { type ConfigurationBase, drawBase, drawGeneration } from "./configuration.ts";
import { Draw } from "./draw.ts";
import { drawRequest, type PlanTemper } from "./plan.ts";
import type { TcpScript } from "./tcp-client.ts";

export type ServerEventKind = "refuse" | "silent" | "unreachable" | "unwell" | "reset-all" | "recover";

/** What somebody may do by the runtime API. `share` says to which of those that there are. */
export interface OperatorEvent {
  readonly atMs: number;
  readonly kind: "kill-session" | "maintenance" | "drain" | "ready" | "weight" | "maxconn";
  readonly share: number;
}

export interface Scenario {
  readonly seed: number;
  /** Nothing breaks and nobody misbehaves: then every answer has to be exact. */
  readonly isClean: boolean;
  readonly hasStale: boolean;
  readonly base: ConfigurationBase;
  /** Texts; the first is there from the start. */
  readonly generations: readonly { readonly atMs: number; readonly text: string }[];
  readonly networkFaults: Readonly<
    Record<"proxy" | "clients" | "slowClients" | "origins", Partial<MemoryFaults>>
  >;
  readonly clients: readonly {
    readonly startMs: number;
    readonly isSlow: boolean;
    readonly scripts: readonly ConnectionScript[];
  }[];
  readonly tcpClients: readonly {
    readonly startMs: number;
    readonly isSlow: boolean;
    readonly script: TcpScript;
  }[];
  readonly serverEvents: readonly {
    readonly atMs: number;
    readonly server: number;
    readonly kind: ServerEventKind;
  }[];
  readonly operatorEvents: readonly OperatorEvent[];
  /** Soft stop in the middle of the traffic; null: when all clients are done. */
  readonly stopAtMs: number | null;
}

const TRAFFIC_MS = 20_000;
/** The least that any scenario's connections need on their way, far below all timeouts. */
const CLEAN_NETWORK: Partial<MemoryFaults> = { latencyMs: [0.05, 5] };

export function drawScenario(seed: number): Scenario {
  const draw = new Draw(seed);
  const isClean = draw.chance(0.4);
  const hasChecks = draw.chance(0.5);
  const hasStale = draw.chance(isClean ? 0.3 : 0.5);
  const base = drawBase(draw.fork(), {
    isClean,
    hasChecks,
    serverCount: draw.integer(1, 4),
    hasCookies: draw.chance(0.4),
  });
  return {
    seed,
    isClean,
    hasStale,
    base,
    generations: drawGenerations(draw.fork(), base),
    networkFaults: drawNetworkFaults(draw.fork(), isClean),
    clients: drawClients(draw.fork(), isClean, hasStale),
    tcpClients: drawTcpClients(draw.fork(), isClean),
    serverEvents: isClean ? [] : drawServerEvents(draw.fork(), base.temper.serverCount),
    operatorEvents: isClean || draw.chance(0.6) ? [] : drawOperatorEvents(draw.fork()),
    stopAtMs: draw.chance(0.25) ? draw.integer(500, TRAFFIC_MS) : null,
  };
}

function drawGenerations(draw: Draw, base: ConfigurationBase): Scenario["generations"] {
  const count = draw.chance(0.4) ? draw.integer(1, 3) : 0;
  const times = Array.from({ length: count }, () => draw.integer(100, TRAFFIC_MS)).sort((a, b) => a - b);
  return [0, ...times].map((atMs) => ({ atMs, text: drawGeneration(draw, base) }));
}

function drawNetworkFaults(draw: Draw, isClean: boolean): Scenario["networkFaults"] {
  if (isClean)
    return {
      proxy: CLEAN_NETWORK,
      clients: CLEAN_NETWORK,
      slowClients: slowReader(draw),
      origins: CLEAN_NETWORK,
    };
  const side = (): Partial<MemoryFaults> => ({
    latencyMs: draw.chance(0.5) ? [0.05, 5] : [1, draw.integer(5, 150)],
    resetProbability: draw.chance(0.5) ? 0 : draw.pick([0.001, 0.01, 0.05]),
    refuseProbability: draw.chance(0.6) ? 0 : draw.pick([0.02, 0.3]),
    silentProbability: draw.chance(0.7) ? 0 : draw.pick([0.02, 0.2]),
    oneByteProbability: draw.pick([0, 0.05, 0.3]),
    windowBytes: draw.chance(0.3) ? [500, 5000] : [32_768, 262_144],
    bandwidthBytesPerMs: draw.chance(0.8) ? Number.POSITIVE_INFINITY : draw.integer(20, 500),
  });
  // A client's connect is answered or not before the proxy hears of it: that tests nothing but the client.
  const client = { refuseProbability: 0, silentProbability: 0 };
  return {
    proxy: side(),
    clients: { ...side(), ...client },
    slowClients: { ...slowReader(draw), ...client },
    origins: side(),
  };
}

function slowReader(draw: Draw): Partial<MemoryFaults> {
  return {
    latencyMs: [1, 20],
    windowBytes: [2000, 20_000],
    segmentBytesMax: 4000,
    readDelayMs: [0, draw.integer(5, 60)],
  };
}

function drawClients(draw: Draw, isClean: boolean, hasStale: boolean): Scenario["clients"] {
  let requestNumber = 0;
  const mayBeLarge = draw.chance(0.2);
  const isCrowd = draw.chance(0.15);
  return Array.from({ length: isCrowd ? draw.integer(20, 50) : draw.integer(2, 14) }, (_, client) => {
    const isSlow = draw.chance(0.1);
    const temper: PlanTemper = { isClean, hasStale, mayBeLarge };
    return {
      startMs: draw.integer(0, isCrowd ? TRAFFIC_MS / 20 : TRAFFIC_MS / 2),
      isSlow,
      scripts: Array.from({ length: draw.integer(1, 4) }, () =>
        drawConnection(draw, isClean, () => drawRequest(draw, `${client}-${++requestNumber}`, temper)),
      ),
    };
  });
}

function drawConnection(
  draw: Draw,
  isClean: boolean,
  next: () => ReturnType<typeof drawRequest>,
): ConnectionScript {
  const manner = isClean
    ? "usual"
    : draw.weighted({ usual: 20, silent: 0.5, "partial-head": 0.5, garbage: 0.5, "never-reads": 0.5 });
  return {
    requests: Array.from({ length: draw.chance(0.3) ? 1 : draw.integer(2, 8) }, next),
    pipelineDepth: draw.chance(0.7) ? 1 : draw.integer(2, 6),
    transport: draw.weighted({ clear: 6, tls: 2, proxied: 2 }),
    proxiedSource: { family: 4, host: `192.0.2.${draw.integer(1, 250)}`, port: draw.integer(1024, 65_535) },
    manner,
    thinkMs: draw.chance(0.6) ? 0 : draw.integer(1, isClean ? 1000 : 4000),
    ending: draw.weighted({ close: 4, "half-close": 2, "early-half-close": 2, wait: 2, reset: 1 }),
  };
}

function drawTcpClients(draw: Draw, isClean: boolean): Scenario["tcpClients"] {
  const count = draw.chance(0.5) ? 0 : draw.integer(1, 6);
  return Array.from({ length: count }, (_, i) => ({
    startMs: draw.integer(0, TRAFFIC_MS / 2),
    isSlow: draw.chance(0.3),
    script: {
      name: `t${i}`,
      upLength: draw.chance(0.1) ? draw.integer(100_000, 2_000_000) : draw.integer(0, 50_000),
      downLength: draw.chance(0.1) ? draw.integer(100_000, 2_000_000) : draw.integer(0, 50_000),
      pieceCount: draw.integer(1, 5),
      pauseMs: draw.integer(0, isClean ? 500 : 3000),
      resetShare: isClean || draw.chance(0.8) ? null : draw.fraction(),
    },
  }));
}

function drawServerEvents(draw: Draw, serverCount: number): Scenario["serverEvents"] {
  const count = draw.chance(0.3) ? 0 : draw.integer(1, 6);
  const events: { atMs: number; server: number; kind: ServerEventKind }[] = [];
  for (let i = 0; i < count; i++) {
    const server = draw.integer(0, serverCount - 1);
    const atMs = draw.integer(0, TRAFFIC_MS);
    events.push({
      atMs,
      server,
      kind: draw.pick(["refuse", "silent", "unreachable", "unwell", "reset-all"] as const),
    });
    events.push({ atMs: atMs + draw.integer(500, 8000), server, kind: "recover" });
  }
  return events.sort((a, b) => a.atMs - b.atMs);
}

function drawOperatorEvents(draw: Draw): readonly OperatorEvent[] {
  return Array.from({ length: draw.integer(1, 10) }, () => ({
    atMs: draw.integer(0, TRAFFIC_MS),
    kind: draw.pick(["kill-session", "maintenance", "drain", "ready", "weight", "maxconn"] as const),
    share: draw.fraction(),
  }));
}
