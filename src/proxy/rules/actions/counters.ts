// Actions on stick tables: `track-sc0` and its like begin to track a key, the others change what is stored
// with a key that is tracked.
import type { CounterAction } from "../../../model/stick-table.ts";
import type { TableEvent } from "../../stick-table/table-events.ts";
import { eventOfStatus, startTracking, trackedIn } from "../../stick-table/tracking.ts";
import type { Stream } from "../../stream.ts";
import type { RuleEnvironment } from "../environment.ts";
import { perTable } from "../per-table.ts";
import { compileSample } from "../sample.ts";
import { toInteger } from "../sample-cast.ts";
import type { ActionPlace, MessageSide, RunAction } from "./action.ts";

export function compileCounterAction(
  action: CounterAction,
  place: ActionPlace,
  environment: RuleEnvironment,
): RunAction {
  switch (action.kind) {
    case "track-sc":
      return compileTrack(action, place, environment);
    case "sc-inc-gpc":
      return compileIncrement(action, environment);
    case "sc-set-gpt":
      return compileSetTag(action, environment);
  }
}

/** The first rule that finds a key decides; where there is one already, nothing happens. */
function compileTrack(
  { slot, key, table: name }: Extract<CounterAction, { kind: "track-sc" }>,
  { scope, side }: ActionPlace,
  environment: RuleEnvironment,
): RunAction {
  const { read } = compileSample(key, environment);
  const table = environment.stickTables?.get(name);
  const { clock } = environment;
  return (stream) => {
    const value = table === undefined || trackedIn(stream, slot) !== null ? undefined : read(stream);
    if (value === undefined) return null;
    const holder = scope === "stream" ? stream : stream.session;
    startTracking(holder, slot, table!, value, clock.nowMs, missedOf(stream, side));
    return null;
  };
}

/** The request has been counted before this key was there, and maybe the status of its response. */
function missedOf({ request, status }: Stream, side: MessageSide): readonly TableEvent[] {
  if (request === null) return NOTHING;
  const event = side === "response" ? eventOfStatus(status) : null;
  return event === null ? REQUEST : [...REQUEST, event];
}

const NOTHING: readonly TableEvent[] = [];
const REQUEST: readonly TableEvent[] = ["request"];

function compileIncrement(
  { slot, name, index }: Extract<CounterAction, { kind: "sc-inc-gpc" }>,
  { clock }: RuleEnvironment,
): RunAction {
  const rate = name === "gpc" ? "gpc_rate" : (`${name}_rate` as const);
  const adderOf = perTable(({ data }) => data.adder(name, rate, index));
  return effectOn(slot, ({ table, entry }) => {
    const add = adderOf(table);
    if (add !== null) table.change(entry, clock.nowMs, (one, time) => add(one, time, 1));
  });
}

function compileSetTag(
  { slot, name, index, value }: Extract<CounterAction, { kind: "sc-set-gpt" }>,
  environment: RuleEnvironment,
): RunAction {
  const { clock } = environment;
  const read = typeof value === "number" ? () => value : compileSample(value, environment).read;
  const setterOf = perTable(({ data }) => data.setter(name, index));
  return effectOn(slot, ({ table, entry }, stream) => {
    const set = setterOf(table);
    const sample = read(stream);
    const integer = sample === undefined ? undefined : toInteger(sample);
    if (set === null || integer === undefined) return;
    table.change(entry, clock.nowMs, (one, time) => set(one, time, integer >>> 0));
  });
}

type Tracked = NonNullable<ReturnType<typeof trackedIn>>;

function effectOn(slot: number, run: (key: Tracked, stream: Stream) => void): RunAction {
  return (stream) => {
    const key = trackedIn(stream, slot);
    if (key !== null) run(key, stream);
    return null;
  };
}
