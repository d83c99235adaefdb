// A compiled log format as a row of steps that one loop carries out. It looks as it does because a line is
// written for every request: with a function per variable, each calling another to read its value, an httplog
// line costs 1.37 µs of a request's 3.4; as cases of one switch, which V8 compiles as a whole, with names
// encoded beforehand, 0.85 µs (bench/micro/exchange.ts). Variables without a case of their own are made as
// text, which costs more.
//
// A case may write STEP_BYTES_MAX bytes without asking for room; LineBuffer has that much behind its limit.
import { COUNTER } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { WriteText } from "./aliases.ts";
import { putLogDate } from "./dates.ts";
import { EncodedText, type LineBuffer, putEncoded, putText } from "./line-buffer.ts";
import {
  putBackend,
  putFlags,
  putFrontend,
  putGrowing,
  putHost,
  putInteger,
  putLoad,
  putOptional,
  putOutcome,
  putParties,
  putPort,
  putQuotedRequestLine,
  putRequestLine,
  putRetries,
  putServer,
  putStatus,
  putTimes,
} from "./line-fields.ts";
import { activeConnections, backendConnections, serverConnections } from "./readings.ts";
import { acceptDateMs, activeMs, requestDateMs, totalMs } from "./timing.ts";

/** What a step writes before its constant text. The names are those of the log-format variables. */
export const STEP = {
  nothing: 0,
  text: 1,
  captures: 2,
  ci: 3,
  cp: 4,
  t: 5,
  tr: 6,
  f: 7,
  ft: 8,
  b: 9,
  s: 10,
  TR: 11,
  Tw: 12,
  Tc: 13,
  Tr: 14,
  Ta: 15,
  Tt: 16,
  ST: 17,
  B: 18,
  U: 19,
  CC: 20,
  CS: 21,
  ts: 22,
  tsc: 23,
  ac: 24,
  fc: 25,
  bc: 26,
  sc: 27,
  rc: 28,
  sq: 29,
  bq: 30,
  r: 31,
  quotedR: 32,
  // Runs of variables, see RUNS.
  parties: 33,
  times: 34,
  outcome: 35,
  load: 36,
} as const;
export type StepKind = (typeof STEP)[keyof typeof STEP];

export interface LineStep {
  readonly kind: StepKind;
  readonly write: WriteText;
  /** Constant text behind the variable. */
  readonly after: EncodedText;
  /** The same if it is one byte, as it mostly is; else -1. */
  readonly separator: number;
}

/** Steps that follow each other in nearly every format, and the one that stands for them. */
const RUNS: readonly { readonly kind: StepKind; readonly of: readonly (readonly [StepKind, string])[] }[] = [
  {
    kind: STEP.parties,
    of: [
      [STEP.ci, ":"],
      [STEP.cp, " ["],
      [STEP.tr, "] "],
      [STEP.ft, " "],
      [STEP.b, "/"],
      [STEP.s, " "],
    ],
  },
  {
    kind: STEP.times,
    of: [
      [STEP.TR, "/"],
      [STEP.Tw, "/"],
      [STEP.Tc, "/"],
      [STEP.Tr, "/"],
      [STEP.Ta, " "],
    ],
  },
  {
    kind: STEP.outcome,
    of: [
      [STEP.ST, " "],
      [STEP.B, " "],
      [STEP.CC, " "],
      [STEP.CS, " "],
      [STEP.tsc, " "],
    ],
  },
  {
    kind: STEP.load,
    of: [
      [STEP.ac, "/"],
      [STEP.fc, "/"],
      [STEP.bc, "/"],
      [STEP.sc, "/"],
      [STEP.rc, " "],
      [STEP.sq, "/"],
      [STEP.bq, " "],
    ],
  },
];

const writeNothing: WriteText = Object.assign(() => "", { step: STEP.nothing });

/** `parts` as `compileFormatParts` gives them: constant texts and variables. */
export function compileSteps(parts: readonly (string | WriteText)[]): readonly LineStep[] {
  const steps: LineStep[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    const next = parts[i + 1];
    if (typeof part === "string") steps.push(stepOf(writeNothing, part));
    else if (typeof next !== "string") steps.push(stepOf(part, ""));
    else {
      steps.push(stepOf(part, next));
      i++;
    }
  }
  return joinRuns(steps);
}

function joinRuns(steps: readonly LineStep[]): readonly LineStep[] {
  const joined: LineStep[] = [];
  for (let i = 0; i < steps.length; ) {
    const run = RUNS.find(({ of }) => of.every(([kind, after], k) => isStep(steps[i + k], kind, after)));
    const length = run === undefined ? 1 : run.of.length;
    const last = steps[i + length - 1]!;
    joined.push(run === undefined ? last : { ...last, kind: run.kind });
    i += length;
  }
  return joined;
}

function isStep(step: LineStep | undefined, kind: StepKind, after: string): boolean {
  return step !== undefined && step.kind === kind && step.after.text === after;
}

function stepOf(write: WriteText, after: string): LineStep {
  const text = new EncodedText(after);
  return {
    kind: write.step ?? STEP.text,
    write,
    after: text,
    separator: text.length === 1 ? text.bytes[0]! : -1,
  };
}

/** Appends the line of a stream; what does not fit is cut off. */
export function runSteps(steps: readonly LineStep[], stream: Stream, line: LineBuffer): void {
  const { bytes, limit } = line;
  let at = line.length;
  for (let i = 0; i < steps.length && at < limit; i++) {
    const step = steps[i]!;
    const { write } = step;
    // V8 makes a jump table only of literal labels.
    switch (step.kind) {
      // nothing
      case 0:
        break;
      // captures
      case 2: {
        const { requestCaptures, responseCaptures } = stream.frontend.settings;
        if (requestCaptures.length === 0 && responseCaptures.length === 0) break;
        at = putText(write(stream), bytes, at, limit);
        break;
      }
      // ci
      case 3:
        at = putHost(stream, line, at, limit);
        break;
      // cp
      case 4:
        at = putPort(stream, bytes, at);
        break;
      // t
      case 5:
        at = putLogDate(acceptDateMs(stream), line, at);
        break;
      // tr
      case 6:
        at = putLogDate(requestDateMs(stream), line, at);
        break;
      // f
      case 7:
        at = putEncoded(stream.frontend.nameText, line, at, limit);
        break;
      // ft
      case 8:
        at = putFrontend(stream, line, at, limit);
        break;
      // b
      case 9:
        at = putBackend(stream, line, at, limit);
        break;
      // s
      case 10:
        at = putServer(stream, line, at, limit);
        break;
      // TR
      case 11:
        at = putInteger(stream.requestMs, bytes, at);
        break;
      // Tw
      case 12:
        at = putInteger(stream.queueMs, bytes, at);
        break;
      // Tc
      case 13:
        at = putInteger(stream.connectMs, bytes, at);
        break;
      // Tr
      case 14:
        at = putInteger(stream.responseMs, bytes, at);
        break;
      // Ta
      case 15:
        at = putGrowing(stream, activeMs(stream), bytes, at);
        break;
      // Tt
      case 16:
        at = putGrowing(stream, totalMs(stream), bytes, at);
        break;
      // ST
      case 17:
        at = putStatus(stream, bytes, at);
        break;
      // B
      case 18:
        at = putGrowing(stream, stream.bytesOut, bytes, at);
        break;
      // U
      case 19:
        at = putInteger(stream.bytesIn, bytes, at);
        break;
      // CC
      case 20:
        at = putOptional(stream.capturedCookie, bytes, at, limit);
        break;
      // CS
      case 21:
        at = putOptional(stream.capturedServerCookie, bytes, at, limit);
        break;
      // ts
      case 22:
        bytes[at++] = stream.cause.charCodeAt(0);
        bytes[at++] = stream.phase.charCodeAt(0);
        break;
      // tsc
      case 23:
        at = putFlags(stream, bytes, at);
        break;
      // ac
      case 24:
        at = putInteger(activeConnections(stream), bytes, at);
        break;
      // fc
      case 25:
        at = putInteger(stream.frontend.state.total(stream.frontend.slot, COUNTER.scur), bytes, at);
        break;
      // bc
      case 26:
        at = putInteger(backendConnections(stream), bytes, at);
        break;
      // sc
      case 27:
        at = putInteger(serverConnections(stream), bytes, at);
        break;
      // rc
      case 28:
        at = putRetries(stream, bytes, at);
        break;
      // sq
      case 29:
        at = putInteger(stream.serverQueuePosition, bytes, at);
        break;
      // bq
      case 30:
        at = putInteger(stream.backendQueuePosition, bytes, at);
        break;
      // r
      case 31: {
        const end = putRequestLine(stream, line, at, limit);
        at = end >= 0 ? end : putText(write(stream), bytes, at, limit);
        break;
      }
      // quotedR
      case 32: {
        const end = putQuotedRequestLine(stream, line, at, limit);
        at = end >= 0 ? end : putText(write(stream), bytes, at, limit);
        break;
      }
      // parties
      case 33:
        at = putParties(stream, line, at, limit);
        break;
      // times
      case 34:
        at = putTimes(stream, bytes, at);
        break;
      // outcome
      case 35:
        at = putOutcome(stream, bytes, at, limit);
        break;
      // load
      case 36:
        at = putLoad(stream, bytes, at);
        break;
      // text
      default:
        at = putText(write(stream), bytes, at, limit);
    }
    if (step.separator >= 0) bytes[at++] = step.separator;
    else at = putEncoded(step.after, line, at, limit);
  }
  line.length = at < limit ? at : limit;
}
