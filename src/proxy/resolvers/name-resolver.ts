// All names that are followed by `resolvers` sections: which servers have them, what nameservers say, and
// what changes by it. Sans I/O: somebody else sends the questions and hands in what comes back; the engine's
// clock is the time.
import type { Timer, TimerWheel } from "../../base/timer-wheel.ts";
import type { Nameserver, ResolversSection } from "../../model/resolvers.ts";
import type { DnsMessage, QuestionType } from "../../protocol/dns/message.ts";
import { canonicalName } from "../../protocol/dns/name.ts";
import { type Answer, type KnownAddress, type KnownService, readAnswer } from "./answer.ts";
import { chooseAddress } from "./choose-address.ts";
import { FollowedName, type NameOwner } from "./followed-name.ts";
import type { FollowedServer, ResolutionEvent } from "./followed-server.ts";
import type { LookupOutcome, NameLookup } from "./name-lookup.ts";
import { COUNTER_OF_FAULT, type NameserverCounters, newNameserverCounters } from "./nameserver-counters.ts";
import { assignRecords, weightOf } from "./service-records.ts";
import { TakenAddresses } from "./taken-addresses.ts";

/** Names that rules ask for at the same time, or have asked for a while ago; those of servers not counted. */
const ONCE_NAMES_MAX = 4096;

export interface ResolverClock {
  readonly nowMs: number;
  readonly timers: TimerWheel;
}

/** One question to one nameserver. It is answered once, in time or not at all. */
export interface NameserverQuestion {
  readonly nameserver: Nameserver;
  readonly name: string;
  readonly type: QuestionType;
  readonly payloadBytes: number;
  readonly timeoutMs: number;
  receive(reply: NameserverReply): void;
}

export type NameserverReply =
  | { readonly kind: "message"; readonly message: DnsMessage }
  /** Another reply follows, from the same nameserver over TCP. */
  | { readonly kind: "truncated" }
  /** Something that is no answer to the question; another reply may follow. */
  | { readonly kind: "invalid" }
  /** It cannot be reached now: the next attempt may find it again. */
  | { readonly kind: "unreachable" };

export interface ResolverEvents {
  ask(question: NameserverQuestion): void;
  handle(event: ResolutionEvent): void;
}

const CAUSES: Readonly<Record<Extract<LookupOutcome, { kind: "failed" }>["fault"], string>> = {
  nx: "DNS NX status",
  refused: "DNS refused status",
  timeout: "DNS timeout status",
  alias: "unspecified DNS error",
  empty: "unspecified DNS error",
  invalid: "unspecified DNS error",
  other: "unspecified DNS error",
  truncated: "unspecified DNS error",
};

const FROM_CACHE = "DNS cache";

export class NameResolver implements NameOwner {
  readonly #clock: ResolverClock;
  readonly #events: ResolverEvents;
  readonly #sections: Map<string, ResolversSection> = new Map();
  /** By section and nameserver. */
  readonly #counters: Map<string, NameserverCounters> = new Map();
  readonly #names: Map<string, FollowedName> = new Map();
  #servers: readonly FollowedServer[] = [];
  #releaseCount = 0;

  constructor(clock: ResolverClock, events: ResolverEvents) {
    this.#clock = clock;
    this.#events = events;
  }

  get sections(): readonly ResolversSection[] {
    return [...this.#sections.values()];
  }

  countersOf(section: string, nameserver: string): NameserverCounters {
    const key = `${section}\n${nameserver}`;
    const counters = this.#counters.get(key) ?? newNameserverCounters();
    this.#counters.set(key, counters);
    return counters;
  }

  clearCounters(): void {
    this.#counters.clear();
  }

  /** From now on these are followed, and no others. Names that both have go on as they are. */
  follow(sections: readonly ResolversSection[], servers: readonly FollowedServer[]): void {
    this.#sections.clear();
    for (const section of sections) this.#sections.set(section.name, section);
    const gone = new Set(this.#servers);
    for (const server of servers) gone.delete(server);
    for (const server of gone) this.#leaveAll(server);
    for (const name of [...this.#names.values()]) {
      const section = this.#sections.get(name.section.name);
      if (section === undefined) this.#drop(name);
      else name.setSection(section);
    }
    this.#servers = servers;
    for (const server of servers) this.#join(server);
  }

  stop(): void {
    for (const name of [...this.#names.values()]) this.#drop(name);
  }

  /** The runtime API has given it another address. */
  moveServer(server: FollowedServer, address: string): void {
    server.replacedAddress ??= server.address;
    server.address = address;
  }

  /** It is asked for now, and not only when its time comes. */
  hurryServer(server: FollowedServer): void {
    for (const name of this.#names.values()) if (name.servers.has(server)) name.start();
  }

  /** The runtime API names another host. */
  renameServer(server: FollowedServer, hostName: string): void {
    this.#leaveAll(server);
    server.hostName = hostName;
    server.replacedAddress = null;
    this.#join(server);
  }

  /**
   * For `do-resolve`: `done` gets an address, or null. It is called at once when there is an answer that is
   * fresh enough, or when too much is asked for.
   */
  resolveOnce(section: string, host: string, family: 4 | 6, done: (address: string | null) => void): void {
    const found = this.#sections.get(section);
    const name = found === undefined ? null : this.#nameForRule(found, host, family === 4 ? "A" : "AAAA");
    if (name === null) {
      done(null);
      return;
    }
    const wishes = { family, networks: [], allowsDuplicates: true };
    const choose = () => done(chooseAddress(name.addresses.values, wishes, "", () => false));
    if (name.isFresh) choose();
    else {
      name.waiters.push(() => (name.isFresh ? choose() : done(null)));
      name.start();
    }
  }

  // --- of a name

  get nowMs(): number {
    return this.#clock.nowMs;
  }

  arm(timer: Timer, deadlineMs: number): void {
    if (deadlineMs === Number.POSITIVE_INFINITY) this.#clock.timers.remove(timer);
    else this.#clock.timers.arm(timer, deadlineMs);
  }

  handleQuestion(name: FollowedName): void {
    const { lookup, section } = name;
    const question = lookup?.takeQuestion() ?? null;
    if (lookup === null || question === null) return;
    const { type } = question;
    for (const [index, nameserver] of section.nameservers.entries()) {
      const counters = this.countersOf(section.name, nameserver.name);
      counters.sent++;
      this.#events.ask({
        nameserver,
        name: question.name,
        type,
        payloadBytes: section.payloadBytes,
        timeoutMs: section.retryMs,
        receive: (reply) => {
          if (reply.kind === "truncated" || reply.kind === "invalid") counters[reply.kind]++;
          else if (reply.kind === "unreachable") {
            counters.snd_error++;
            this.#skip(name, lookup, index, type);
          } else if (name.lookup !== lookup || !lookup.isAwaited(index, type)) counters.outdated++;
          else this.#receive(name, index, type, reply.message, counters);
        },
      });
    }
  }

  #skip(name: FollowedName, lookup: NameLookup, index: number, type: QuestionType): void {
    if (name.lookup !== lookup) return;
    lookup.receiveNothing(index, type, this.nowMs);
    name.proceed();
  }

  #receive(
    name: FollowedName,
    index: number,
    type: QuestionType,
    message: DnsMessage,
    counters: NameserverCounters,
  ): void {
    const answer = readAnswer(message, canonicalName(name.name), type);
    countAnswer(counters, answer);
    name.lookup?.receiveAnswer(index, type, answer, this.nowMs);
    name.proceed();
  }

  countTimeouts(section: ResolversSection, nameservers: Iterable<number>): void {
    for (const index of nameservers) {
      const nameserver = section.nameservers[index];
      if (nameserver !== undefined) this.countersOf(section.name, nameserver.name).timeout++;
    }
  }

  handleStale(name: FollowedName): void {
    this.#drop(name);
  }

  handleOutcome(name: FollowedName, outcome: LookupOutcome): void {
    if (outcome.kind === "failed") this.#handleFailure(name, outcome.fault);
    else {
      const { obsolete } = name.section.holdMs;
      const { answer } = outcome;
      name.lastValidMs = this.nowMs;
      name.hasAnswer = true;
      if (answer.kind === "addresses") name.addresses.receive(answer.addresses, obsolete, this.nowMs);
      else name.services.receive(answer.services, obsolete, this.nowMs);
      if (answer.kind === "services") this.#applyServices(name);
      else this.#applyAddresses(name, outcome.nameserver);
    }
    for (const wake of name.waiters.splice(0)) wake();
  }

  #handleFailure(name: FollowedName, fault: Extract<LookupOutcome, { kind: "failed" }>["fault"]): void {
    const { holdMs } = name.section;
    const holdStatus = fault === "nx" || fault === "refused" || fault === "timeout" ? fault : "other";
    if (this.nowMs - name.lastValidMs < holdMs[holdStatus]) return;
    name.hasAnswer = false;
    name.addresses.clear();
    name.services.clear();
    if (name.type === "SRV") this.#applyServices(name);
    else for (const server of name.servers) this.#lose(server, CAUSES[fault]);
  }

  /**
   * HAProxy names the nameserver for the first one only: the others have it from what it keeps of the answer.
   */
  #applyAddresses(name: FollowedName, nameserver: number): void {
    const { section, servers } = name;
    const teller = section.nameservers[nameserver]?.name ?? "";
    const candidates = name.addresses.values;
    const taken = new TakenAddresses(servers);
    let by = `${section.name}/${teller}`;
    for (const server of servers) {
      if (keepsReplacement(server, candidates)) continue;
      taken.add(server, -1);
      const isTaken = (address: string) => taken.has(server, address);
      const chosen = chooseAddress(candidates, server.wishes, server.address, isTaken);
      if (chosen === null) this.#lose(server, "No IP for server ");
      else {
        if (chosen !== server.address) {
          server.address = chosen;
          if (by !== FROM_CACHE) this.countersOf(section.name, teller).update++;
          this.#events.handle({ kind: "address", server, by });
        }
        this.#events.handle({ kind: "available", server, isAnswer: true });
      }
      taken.add(server, 1);
      by = FROM_CACHE;
    }
  }

  #applyServices(name: FollowedName): void {
    const records = name.services.values;
    const byBackend = Map.groupBy(name.servers, ({ backend }) => backend);
    for (const servers of byBackend.values()) {
      const { kept, taken, released, retaken } = assignRecords(servers, records);
      for (const { server, record } of [...kept, ...taken]) this.#assign(server, record);
      for (const server of released) this.#release(server);
      for (const { server, record } of retaken) this.#assign(server, record);
    }
  }

  #release(server: FollowedServer): void {
    this.#leaveHost(server);
    server.hostName = null;
    server.port = null;
    server.freeSince = ++this.#releaseCount;
    this.#lose(server, "entry removed from SRV record");
    this.#events.handle({ kind: "target", server });
  }

  #assign(server: FollowedServer, record: KnownService): void {
    const { target, port } = record;
    if (server.hostName !== target) this.#leaveHost(server);
    server.hostName = target;
    server.port = port;
    this.#events.handle({ kind: "target", server });
    this.#takeAddress(server, record.addresses);
    // Last, as HAProxy does: a weight of 0 is then told as what takes the server away.
    if (!server.settings.ignoresWeight)
      this.#events.handle({ kind: "weight", server, weight: weightOf(record) });
  }

  /** Of those that came with the record of its service; without any its host is asked for. */
  #takeAddress(server: FollowedServer, addresses: readonly KnownAddress[]): void {
    if (keepsReplacement(server, addresses)) return;
    // Two records with the same host and other ports are two servers, so nothing is taken here.
    const chosen = chooseAddress(addresses, server.wishes, server.address, () => false);
    if (chosen === null) {
      this.#joinHost(server);
      return;
    }
    this.#leaveHost(server);
    if (chosen !== server.address) {
      server.address = chosen;
      this.#events.handle({ kind: "address", server, by: "DNS additional record" });
    }
    this.#events.handle({ kind: "available", server, isAnswer: false });
  }

  #lose(server: FollowedServer, cause: string): void {
    server.replacedAddress = null;
    server.address = "";
    this.#events.handle({ kind: "unavailable", server, cause });
  }

  // --- who has which name

  #join(server: FollowedServer): void {
    if (server.service !== null) this.#joinName(server, server.service, "SRV");
    else this.#joinHost(server);
  }

  #joinHost(server: FollowedServer): void {
    if (server.hostName !== null) this.#joinName(server, server.hostName, hostType(server));
  }

  #joinName(server: FollowedServer, text: string, type: QuestionType): void {
    const section = this.#sections.get(server.settings.resolvers);
    if (section === undefined) return;
    const name = this.#nameOf(section, text, type);
    if (name.servers.has(server)) return;
    if (name.servers.size === 0 && !name.isFresh) name.lastValidMs = this.nowMs;
    name.servers.add(server);
    name.start();
  }

  #leaveHost(server: FollowedServer): void {
    if (server.hostName === null) return;
    const name = this.#names.get(keyOf(server.settings.resolvers, server.hostName, hostType(server)));
    if (name !== undefined) this.#leave(name, server);
  }

  #leaveAll(server: FollowedServer): void {
    for (const name of [...this.#names.values()]) this.#leave(name, server);
  }

  #leave(name: FollowedName, server: FollowedServer): void {
    if (name.servers.delete(server) && name.servers.size === 0 && name.waiters.length === 0) this.#drop(name);
  }

  /** What clients make rules ask for may not take the room of servers: null when too much is asked for. */
  #nameForRule(section: ResolversSection, text: string, type: QuestionType): FollowedName | null {
    // A server has a name, or that of a service and of its host.
    const isFull = this.#names.size >= ONCE_NAMES_MAX + this.#servers.length * 2;
    if (isFull && !this.#names.has(keyOf(section.name, text, type))) {
      const oldest = this.#names
        .values()
        .find(({ servers, lookup }) => servers.size === 0 && lookup === null);
      if (oldest === undefined) return null;
      this.#drop(oldest);
    }
    return this.#nameOf(section, text, type);
  }

  #nameOf(section: ResolversSection, text: string, type: QuestionType): FollowedName {
    const key = keyOf(section.name, text, type);
    const present = this.#names.get(key);
    if (present !== undefined) return present;
    const name = new FollowedName(section, canonicalName(text), type, this);
    this.#names.set(key, name);
    return name;
  }

  #drop(name: FollowedName): void {
    this.#names.delete(keyOf(name.section.name, name.name, name.type));
    name.stop();
    for (const wake of name.waiters.splice(0)) wake();
  }
}

/** Servers that wish for another family first are no siblings, as in HAProxy: they ask another question. */
function hostType({ wishes }: FollowedServer): QuestionType {
  return wishes.family === 4 ? "A" : "AAAA";
}

/** What the runtime API has said goes on until nameservers say something else than they did then. */
function keepsReplacement(server: FollowedServer, candidates: readonly KnownAddress[]): boolean {
  const { replacedAddress } = server;
  if (replacedAddress === null) return false;
  if (candidates.some(({ address }) => address === replacedAddress)) return true;
  server.replacedAddress = null;
  return false;
}

function countAnswer(counters: NameserverCounters, answer: Answer): void {
  if (answer.kind === "fault") {
    counters[COUNTER_OF_FAULT[answer.fault]]++;
    return;
  }
  counters.valid++;
  if (answer.kind === "addresses" && answer.hasAlias) counters.cname++;
}

function keyOf(section: string, name: string, type: QuestionType): string {
  return `${section}\n${canonicalName(name)}\n${type}`;
}
