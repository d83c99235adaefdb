// Sections of resolvers, and a resolver on a clock of its own whose nameservers a test plays.
import { TimerWheel } from "../../base/timer-wheel.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { ResolversSection, ServerResolution } from "../../model/resolvers.ts";
import type { DnsRecord } from "../../protocol/dns/message.ts";
import { wishesOf } from "./choose-address.ts";
import type { FollowedServer, ResolutionEvent } from "./followed-server.ts";
import { NameResolver, type NameserverQuestion } from "./name-resolver.ts";

export function makeSection(
  settings: Partial<Omit<ResolversSection, "nameservers" | "holdMs">> & {
    nameservers?: readonly string[];
    holdMs?: Partial<ResolversSection["holdMs"]>;
  } = {},
): ResolversSection {
  const { nameservers = ["one"], holdMs, ...rest } = settings;
  const hosts = nameservers.map((name) => ({
    name,
    host: "192.0.2.53",
    port: 53,
    transport: "udp" as const,
  }));
  const hold = { nx: 0, obsolete: 0, other: 0, refused: 0, timeout: 0, valid: 10_000, ...holdMs };
  const times = { payloadBytes: 512, attempts: 3, resolveMs: 1000, retryMs: 200 };
  return { name: "dns", span: NO_SPAN, ...times, ...rest, nameservers: hosts, holdMs: hold };
}

export function makeServer(
  name: string,
  host: string,
  settings: Partial<ServerResolution> & { backend?: string; address?: string } = {},
): FollowedServer {
  const { backend = "b", address = "", ...rest } = settings;
  const resolution: ServerResolution = {
    resolvers: "dns",
    family: 4,
    networks: [],
    allowsDuplicates: false,
    ignoresWeight: false,
    ...rest,
  };
  const isService = host.startsWith("_");
  return {
    backend,
    name,
    settings: resolution,
    wishes: wishesOf(resolution),
    service: isService ? host : null,
    hostName: isService ? null : host,
    port: null,
    freeSince: 0,
    address,
    replacedAddress: null,
  };
}

export interface PlayedReply {
  readonly records?: readonly DnsRecord[];
  readonly additional?: readonly DnsRecord[];
  readonly code?: number;
}

export class ResolverStage {
  nowMs = 0;
  readonly timers: TimerWheel = new TimerWheel(0);
  readonly resolver: NameResolver;
  /** By "A web.test"; what is not here is answered by silence. */
  readonly replies: Map<string, PlayedReply> = new Map();
  /** "A web.test at 0". */
  asked: string[] = [];
  events: string[] = [];

  constructor() {
    this.resolver = new NameResolver(this, {
      ask: (question) => this.#ask(question),
      handle: (event) => this.events.push(describeEvent(event)),
    });
  }

  /** Lets time go by, and nameservers answer. */
  pass(durationMs: number): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs; ) {
      this.nowMs = Math.min(endMs, this.nowMs + 8);
      this.timers.advance(this.nowMs);
      for (const reply of this.#replies.splice(0)) reply();
    }
  }

  takeAsked(): string[] {
    return this.asked.splice(0);
  }

  takeEvents(): string[] {
    return this.events.splice(0);
  }

  #replies: (() => void)[] = [];

  #ask({ name, type, receive }: NameserverQuestion): void {
    this.asked.push(`${type} ${name} at ${this.nowMs}`);
    const reply = this.replies.get(`${type} ${name}`);
    if (reply === undefined) return;
    const { records = [], additional = [], code = 0 } = reply;
    const question = { name, type };
    const message = {
      id: 1,
      isResponse: true,
      isTruncated: false,
      code,
      question,
      answers: records,
      additional,
    };
    this.#replies.push(() => receive({ kind: "message", message }));
  }
}

function describeEvent(event: ResolutionEvent): string {
  const { name, address, hostName, port } = event.server;
  switch (event.kind) {
    case "address":
      return `${name} at ${address} by ${event.by}`;
    case "target":
      return `${name} is ${hostName}:${port}`;
    case "weight":
      return `${name} weighs ${event.weight}`;
    case "available":
      return `${name} available${event.isAnswer ? "" : " without a question"}`;
    case "unavailable":
      return `${name} unavailable: ${event.cause}`;
  }
}

export function addressRecord(name: string, address: string): DnsRecord {
  return { kind: "address", name, family: address.includes(":") ? 6 : 4, address };
}

export function serviceRecord(name: string, target: string, port: number, weight = 0): DnsRecord {
  return { kind: "service", name, priority: 0, weight, port, target };
}
