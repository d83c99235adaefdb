// Why balancing takes the server that it takes: who takes part, whose turn it is, or which key meets whom.
// The choice itself is the balancer's; this looks at the same facts before it is asked.
import type { Span } from "../../diagnostic/span.ts";
import type { BalanceDefinition } from "../../model/proxy.ts";
import { createKeyHash, type HashingDefinition, NO_KEY } from "../balance/hash-key.ts";
import { presentServers } from "../balance/server-group.ts";
import type { RuleEnvironment } from "../rules/environment.ts";
import { type CompiledSample, compileSample } from "../rules/sample.ts";
import type { Backend, Server } from "../runtime.ts";
import { CELL, MAINTENANCE_MASK, SERVER_STATE } from "../state.ts";
import type { Stream } from "../stream.ts";
import { describeBalance } from "./describe-rule.ts";

export interface ChoiceReason {
  readonly text: string;
  readonly span: Span | null;
  readonly level: "brief" | "normal" | "full";
}

/** Made once for each backend; `before` is called before its balancer is asked. */
export class ChoiceExplainer {
  readonly #backend: Backend;
  readonly #key: CompiledSample | null;

  constructor(backend: Backend, environment: RuleEnvironment) {
    this.#backend = backend;
    const { balance } = backend.settings;
    this.#key = balance.algorithm === "hash" ? compileSample(balance.sample, environment) : null;
  }

  /** Returns what to say once the server is known. */
  before(stream: Stream): (chosen: Server | null) => readonly ChoiceReason[] {
    const backend = this.#backend;
    const { servers, onlyBackup } = presentServers(backend);
    const absent = backend.servers.filter((server) => !servers.includes(server)).map(absence);
    const reason = servers.length === 1 ? null : this.#reason(stream, servers, onlyBackup);
    return (chosen) => {
      if (chosen?.isDispatch === true) return [dispatchReason(chosen)];
      if (chosen === null) return [...absent, this.#none(servers)];
      const why = onlyBackup !== null || servers.length === 1 ? loneReason(chosen) : (reason ?? "");
      const balance = `balance ${describeBalance(backend.settings.balance)}`;
      const span = backend.definition.places["balance"] ?? null;
      return [...absent, { text: `${balance}: ${chosen.name}, ${why}`, span, level: "brief" }];
    };
  }

  #none(servers: readonly Server[]): ChoiceReason {
    const { definition } = this.#backend;
    const text =
      this.#backend.servers.length === 0
        ? `${definition.name} has no server`
        : servers.length === 0
          ? `no server of ${definition.name} takes requests`
          : `all servers of ${definition.name} are full`;
    return { text, span: definition.span, level: "brief" };
  }

  #reason(stream: Stream, servers: readonly Server[], onlyBackup: Server | null): string | null {
    if (onlyBackup !== null) return null;
    const backend = this.#backend;
    const { balance } = backend.settings;
    switch (balance.algorithm) {
      case "roundrobin":
      case "static-rr":
        return this.#turnReason(servers);
      case "leastconn":
        return "with the fewest requests for its weight; among idle servers each takes its turn";
      case "first":
        return "the first one, by id, that has room";
      case "random":
        return `drawn by chance: the less loaded of ${balance.draws}; another request may meet another one`;
      default:
        return this.#keyReason(stream, balance, servers);
    }
  }

  #turnReason(servers: readonly Server[]): string {
    const backend = this.#backend;
    const position = backend.state.read(backend.slot, CELL.position) >>> 0;
    const turn = position === 0 ? "the first turn after a start" : `turn ${position + 1} since the start`;
    return `whose turn it is: ${turn} (${weightsText(servers)})`;
  }

  #keyReason(stream: Stream, balance: BalanceDefinition, servers: readonly Server[]): string {
    const { hashType } = this.#backend.settings;
    const key = this.#key;
    const hashOf = createKeyHash(
      balance as HashingDefinition,
      hashType,
      key === null ? null : (asked) => key.read(asked) ?? null,
    );
    const hash = hashOf(stream);
    if (hash === NO_KEY) return "whose turn it is: the request has no such key";
    const value = this.#keyText(stream, balance);
    const number = `0x${hash.toString(16).padStart(8, "0")}`;
    const how =
      hashType.method === "consistent"
        ? "nearest on the ring"
        : `of ${servers.length} servers by weight (${weightsText(servers)})`;
    const name =
      balance.algorithm === "source"
        ? "the address"
        : `${hashType.function}${hashType.avalanche ? " avalanche" : ""}`;
    return `whose share key ${value} is: ${name} gives ${number}, ${hashType.method}, ${how}`;
  }

  #keyText(stream: Stream, balance: BalanceDefinition): string {
    switch (balance.algorithm) {
      case "source":
        return stream.session.source.host;
      case "uri":
        return `from ${stream.request?.target ?? ""}`;
      case "url_param":
        return `${balance.name} of ${stream.request?.target ?? ""}`;
      case "hdr":
        return `"${stream.request?.firstValue(balance.name.toLowerCase()) ?? ""}"`;
      case "hash":
        return `"${this.#key?.readText(stream) ?? ""}"`;
      default:
        return "of the connection";
    }
  }
}

/** Without a word of the backend's servers: no balancing was asked. */
function dispatchReason({ definition, backend }: Server): ChoiceReason {
  const isTransparent = !("dispatch" in backend.definition.places);
  const text = isTransparent
    ? "option transparent: nothing binds this to a server, so it goes where the client wanted to go"
    : "dispatch: nothing binds this to a server";
  return { text, span: definition.span, level: "brief" };
}

function loneReason(server: Server): string {
  return server.definition.isBackup
    ? "the backup, since no other takes requests"
    : "the only one that takes requests";
}

function absence(server: Server): ChoiceReason {
  return {
    text: `${server.name} is left out: ${absenceReason(server)}`,
    span: server.definition.span,
    level: "normal",
  };
}

/** Why a server takes no balanced traffic. */
export function absenceReason(server: Server): string {
  const { admin, operational, state, slot, definition } = server;
  if ((admin & MAINTENANCE_MASK) !== 0) return definition.isDisabled ? "disabled" : "in maintenance";
  if (operational === SERVER_STATE.down) return "down";
  if (state.read(slot, CELL.effectiveWeight) === 0) return "its weight is 0";
  return definition.isBackup ? "a backup, and others are there" : "draining";
}

function weightsText(servers: readonly Server[]): string {
  const isEqual = servers.every(({ definition }) => definition.weight === servers[0]!.definition.weight);
  const names = servers.map(({ name, definition }) => (isEqual ? name : `${name} ${definition.weight}`));
  const shown = names.length > 6 ? [...names.slice(0, 5), `and ${names.length - 5} more`] : names;
  return `${shown.join(", ")}${isEqual ? ", equal weights" : ""}`;
}
