// Actions that change what is known of the stream or of its connection: variables, addresses, captures,
// timeouts.
import { formatIpAddress, type SocketAddress } from "../../../base/address.ts";
import type { StateAction } from "../../../model/rule.ts";
import type { LogFormat, SampleExpression } from "../../../model/sample.ts";
import { FRAMING_NONE } from "../../../protocol/http1/message-head.ts";
import type { Stream } from "../../stream.ts";
import { keepCapture } from "../captures.ts";
import type { RuleEnvironment } from "../environment.ts";
import { compileFormat } from "../format.ts";
import type { PatternChange } from "../patterns/pattern-change.ts";
import { compileSample } from "../sample.ts";
import { toAddress, toInteger } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";
import { compileConditionalWrite, compileVariableWrite } from "../variables.ts";
import type { AddressScope, MessageSide, RunAction } from "./action.ts";
import { REASONS } from "./reasons.ts";

/** `next` is the number of the rule behind this one. */
export function compileState(
  action: StateAction,
  side: MessageSide,
  scope: AddressScope,
  next: number,
  environment: RuleEnvironment,
): RunAction {
  switch (action.kind) {
    case "set-var": {
      const read = action.isFormat
        ? compileFormat(action.value as LogFormat, environment, "http")
        : compileSample(action.value as SampleExpression, environment).read;
      const write = compileConditionalWrite(action.variable, action.conditions, environment);
      return effect((stream) => {
        const value = read(stream);
        // HAProxy leaves the variable alone when there is no value.
        if (value !== undefined) write(stream, value);
      });
    }
    case "unset-var": {
      const write = compileVariableWrite(action.variable, environment);
      return effect((stream) => write(stream, undefined));
    }
    case "add-acl":
    case "del-acl":
    case "set-map":
    case "del-map":
      return compilePatternChange(action, environment);
    case "disable-l7-retry":
      return effect((stream) => {
        stream.isRetryDisabled = true;
      });
    case "set-log-level":
      return effect((stream) => {
        stream.logLevel = action.level;
      });
    case "set-src":
    case "set-src-port":
    case "set-dst":
    case "set-dst-port":
      return compileAddress(action, scope, environment);
    case "set-timeout":
      return compileTimeout(action, environment);
    case "capture":
      return compileCapture(action, side, environment);
    case "set-status":
      return effect((stream) => {
        if (stream.response === null) return;
        stream.response.status = action.status;
        stream.response.reason = action.reason ?? REASONS[action.status] ?? "Unknown";
        if (stream.status > 0) stream.status = action.status;
      });
    case "strict-mode":
    case "set-nice":
    case "wait-for-handshake":
      // Heads are written anew, as long as they get to be: there is no rewrite that could fail.
      return effect(() => {});
    case "wait-for-body":
      return (stream) => {
        const [head, body] =
          side === "request" ? [stream.request, stream.body] : [stream.response, stream.responseBody];
        if (head === null || head.framing === FRAMING_NONE || body !== null) return null;
        const deadlineMs = environment.clock.nowMs + action.timeoutMs;
        return { kind: "wait", resumeAt: next, deadlineMs, body: { atLeastBytes: action.atLeastBytes } };
      };
  }
}

type PatternAction = Extract<StateAction, { kind: "add-acl" | "del-acl" | "set-map" | "del-map" }>;

/** A file that neither an acl nor a map uses is nobody's, as in HAProxy. */
function compilePatternChange(action: PatternAction, environment: RuleEnvironment): RunAction {
  const { patterns, share } = environment;
  const list = patterns.ofFile(action.path);
  if (list === null) return effect(() => {});
  const place = patterns.indexOf(list);
  const readKey = compileFormat(action.key, environment, "http");
  const readValue = action.value === null ? null : compileFormat(action.value, environment, "http");
  const isDeleting = action.kind === "del-acl" || action.kind === "del-map";
  return effect((stream) => {
    const key = readKey(stream);
    const change: PatternChange = isDeleting
      ? { kind: "delete", key, occurrence: null }
      : { kind: "ensure", key, value: readValue?.(stream) ?? null };
    if (list.apply(change)) share?.({ kind: "pattern", list: place, change });
  });
}

function effect(run: (stream: Stream) => void): RunAction {
  return (stream) => {
    run(stream);
    return null;
  };
}

type AddressAction = Extract<StateAction, { kind: "set-src" | "set-src-port" | "set-dst" | "set-dst-port" }>;

function compileAddress(
  { kind, value }: AddressAction,
  scope: AddressScope,
  environment: RuleEnvironment,
): RunAction {
  const { read } = compileSample(value, environment);
  const isPort = kind.endsWith("-port");
  const isSource = kind.startsWith("set-src");
  return effect((stream) => {
    const { session } = stream;
    const sample = read(stream);
    const present = isSource ? session.source : session.destination;
    const changed =
      sample === undefined ? null : isPort ? withPort(present, sample) : withHost(present, sample);
    if (changed === null) return;
    if (isSource) {
      if (scope === "stream") session.connectionSource ??= session.source;
      else if (scope === "session") session.originalSource ??= session.source;
      session.source = changed;
    } else {
      if (scope === "stream") session.connectionDestination ??= session.destination;
      else if (scope === "session") session.originalDestination ??= session.destination;
      session.destination = changed;
      stream.destination = changed;
    }
  });
}

function withHost(present: SocketAddress, sample: SampleValue): SocketAddress | null {
  const address = toAddress(sample);
  if (address === undefined) return null;
  return { family: address.family, host: formatIpAddress(address), port: present.port };
}

/** A unix socket turns into 0.0.0.0 when it is given a port, as in HAProxy. */
function withPort(present: SocketAddress, sample: SampleValue): SocketAddress | null {
  const port = toInteger(sample);
  if (port === undefined || port < 0 || port > 65535) return null;
  return present.family === "unix" ? { family: 4, host: "0.0.0.0", port } : { ...present, port };
}

function compileTimeout(
  action: Extract<StateAction, { kind: "set-timeout" }>,
  environment: RuleEnvironment,
): RunAction {
  const { timeout, value } = action;
  const read = typeof value === "number" ? () => value : compileSample(value, environment).read;
  return effect((stream) => {
    const sample = read(stream);
    const timeoutMs = sample === undefined ? undefined : toInteger(sample);
    if (timeoutMs === undefined) return;
    if (timeout === "server") stream.serverTimeoutMs = timeoutMs;
    else stream.tunnelTimeoutMs = timeoutMs;
  });
}

function compileCapture(
  action: Extract<StateAction, { kind: "capture" }>,
  side: MessageSide,
  environment: RuleEnvironment,
): RunAction {
  const { readText } = compileSample(action.sample, environment);
  return effect((stream) => {
    const text = readText(stream);
    if (text !== undefined) keepCapture(stream, side, action.slot, text);
  });
}
