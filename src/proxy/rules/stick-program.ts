// `stick` rules of a backend: which server a key of the request was with before, and the keys that are kept
// with the server that answers. A table that one rule has used in a stream is left alone by those behind it.
import type { StickRule } from "../../model/stick-table.ts";
import type { Backend, Server } from "../runtime.ts";
import type { ReadEntry, SetEntry } from "../stick-table/entry-data.ts";
import type { StickTable } from "../stick-table/stick-table.ts";
import type { Stream } from "../stream.ts";
import { compileCondition } from "./condition.ts";
import type { RuleEnvironment } from "./environment.ts";
import { compileSample } from "./sample.ts";
import type { SampleValue } from "./sample-value.ts";

export interface StickProgram {
  /** The server that a key was kept with, if it can be used; null for a stream that has one already. */
  chooseServer(stream: Stream, backend: Backend): Server | null;
  /** Keeps what is to be kept with the server that answers. */
  store(stream: Stream): void;
}

/** What a stream keeps once it is known which server answers. */
export interface KeptKey {
  readonly servers: ServerCells;
  readonly key: SampleValue;
}

/** Where a table keeps servers. */
interface ServerCells {
  readonly table: StickTable;
  readonly readId: ReadEntry | null;
  readonly readName: ReadEntry | null;
  readonly setId: SetEntry | null;
  readonly setName: SetEntry | null;
}

interface Step {
  readonly rule: StickRule;
  readonly servers: ServerCells;
  readonly condition: (stream: Stream) => boolean;
  readonly readKey: (stream: Stream) => SampleValue | undefined;
}

/** Null: there are none. */
export function compileStickRules(
  rules: readonly StickRule[],
  environment: RuleEnvironment,
): StickProgram | null {
  const steps = rules.flatMap((rule) => compileStep(rule, environment));
  if (steps.length === 0) return null;
  const { clock } = environment;
  const ofRequest = steps.filter(({ rule }) => rule.stores !== "response");
  const ofResponse = steps.filter(({ rule }) => rule.stores === "response");
  return {
    chooseServer: (stream, backend) => {
      let chosen: Server | null = null;
      for (const step of ofRequest) {
        const key = keyFor(step, stream);
        if (key === undefined) continue;
        if (step.rule.matches) {
          const found = serverOf(step.servers, key, backend, clock.nowMs);
          if (chosen === null && stream.server === null && found !== null && mayUse(found, stream))
            chosen = found;
        }
        if (step.rule.stores === "request") keep(stream, step.servers, key);
      }
      return chosen;
    },
    store: (stream) => {
      for (const step of ofResponse) {
        const key = keyFor(step, stream);
        if (key !== undefined) keep(stream, step.servers, key);
      }
      const { keptKeys, server } = stream;
      stream.keptKeys = null;
      if (keptKeys === null || server === null || server.isDispatch || server.definition.isNonStick) return;
      for (const { servers, key } of keptKeys) keepServer(servers, key, server, clock.nowMs);
    },
  };
}

function compileStep(rule: StickRule, environment: RuleEnvironment): Step[] {
  const table = environment.stickTables?.get(rule.table);
  if (table === undefined) return [];
  const condition = compileCondition(rule.condition, environment);
  return [{ rule, servers: cellsOf(table), condition, readKey: compileSample(rule.key, environment).read }];
}

function cellsOf(table: StickTable): ServerCells {
  const { data } = table;
  return {
    table,
    readId: data.reader("server_id"),
    readName: data.reader("server_key"),
    setId: data.setter("server_id"),
    setName: data.setter("server_key"),
  };
}

function keyFor({ servers, condition, readKey }: Step, stream: Stream): SampleValue | undefined {
  if (stream.keptKeys?.some((kept) => kept.servers.table === servers.table) === true) return undefined;
  const key = condition(stream) ? readKey(stream) : undefined;
  // An empty text is none: who is new at TLS shows the number of no session.
  return key !== undefined && servers.table.takes(key) ? key : undefined;
}

function keep(stream: Stream, servers: ServerCells, key: SampleValue): void {
  stream.keptKeys ??= [];
  stream.keptKeys.push({ servers, key });
}

/** By the name, or address, that was kept, or else by its number. */
function serverOf(
  { table, readId, readName }: ServerCells,
  key: SampleValue,
  backend: Backend,
  nowMs: number,
): Server | null {
  let name: string | null = null;
  const id = table.refresh(key, nowMs, (entry, time) => {
    if (readName !== null) name = table.data.nameOf(readName(entry, time));
    return readId === null ? 0 : readId(entry, time);
  });
  if (id === undefined) return null;
  const isByName = table.definition.serverKey === "name";
  const named =
    name === null
      ? undefined
      : isByName
        ? backend.serversByName.get(name)
        : backend.servers.find((server) => addressOf(server) === name);
  return named ?? backend.servers.find((server) => server.definition.id === id) ?? null;
}

function mayUse(server: Server, stream: Stream): boolean {
  return server.isUsable || server.backend.definition.options.persist || stream.persistence === "force";
}

function keepServer(
  { table, setId, setName }: ServerCells,
  key: SampleValue,
  server: Server,
  nowMs: number,
): void {
  const { data, definition } = table;
  const name = definition.serverKey === "name" ? server.name : addressOf(server);
  table.update(key, nowMs, (entry, time) => {
    setId?.(entry, time, server.definition.id);
    setName?.(entry, time, data.internName(name));
    return 0;
  });
}

function addressOf({ host, port }: Server): string {
  return port === null ? host : `${host}:${port}`;
}
