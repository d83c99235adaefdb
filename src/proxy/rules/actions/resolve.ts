// `do-resolve`: the request waits until nameservers have said where a host is. This process asks nobody: the
// master does, for all workers.
import { parseIpAddress } from "../../../base/address.ts";
import type { ResolveAction } from "../../../model/rule.ts";
import { encodeName } from "../../../protocol/dns/name.ts";
import type { RuleEnvironment } from "../environment.ts";
import type { PendingAnswer } from "../programs.ts";
import { compileSample } from "../sample.ts";
import { compileVariableWrite } from "../variables.ts";
import type { ActionPlace, RunAction } from "./action.ts";

/** Longer than the master takes to give up. */
const SLACK_MS = 1000;

/** The variable stays as it is without an answer. */
export function compileResolve(
  action: ResolveAction,
  place: ActionPlace,
  environment: RuleEnvironment,
): RunAction {
  const { resolve, clock } = environment;
  const section = environment.configuration.resolvers?.find(({ name }) => name === action.resolvers);
  const { readText } = compileSample(action.value, environment);
  const write = compileVariableWrite(action.variable, environment);
  if (resolve === undefined || section === undefined) return () => null;
  const waitMs = 2 * section.attempts * section.retryMs + SLACK_MS;
  return (stream) => {
    const host = readText(stream);
    if (host === undefined || host === "" || encodeName(host) === null) return null;
    const pending: PendingAnswer = { isHere: false, onArrival: null };
    resolve(action.resolvers, host, action.family, (text) => {
      const address = text === null ? null : parseIpAddress(text);
      if (address !== null) write(stream, address);
      pending.isHere = true;
      pending.onArrival?.();
    });
    if (pending.isHere) return null;
    return { kind: "wait", resumeAt: place.next, deadlineMs: clock.nowMs + waitMs, pending };
  };
}
