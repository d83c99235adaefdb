// Compiles an action of any kind.
import type { Action } from "../../../model/rule.ts";
import type { RuleEnvironment } from "../environment.ts";
import type { ActionPlace, RunAction } from "./action.ts";
import { compileCacheAction } from "./cache.ts";
import { compileCounterAction } from "./counters.ts";
import { compileEdit } from "./edits.ts";
import { compileFinal } from "./final.ts";
import { compileLegacy } from "./legacy.ts";
import { compileRequestLineAction } from "./request-line.ts";
import { compileResolve } from "./resolve.ts";
import { compileState } from "./state.ts";

export function compileAction(action: Action, place: ActionPlace, environment: RuleEnvironment): RunAction {
  const compiled = compileKind(action, place, environment);
  return environment.recorder?.action(action, compiled) ?? compiled;
}

function compileKind(action: Action, place: ActionPlace, environment: RuleEnvironment): RunAction {
  switch (action.kind) {
    case "add-header":
    case "set-header":
    case "del-header":
    case "replace-header":
    case "replace-value":
      return compileEdit(action, place.side, environment);
    case "set-method":
    case "set-path":
    case "set-pathq":
    case "set-query":
    case "set-uri":
    case "replace-path":
    case "replace-pathq":
    case "replace-uri":
    case "normalize-uri":
      return compileRequestLineAction(action, environment);
    case "replace-line":
    case "delete-line":
      return compileLegacy(action, place.side);
    case "allow":
    case "accept":
    case "deny":
    case "tarpit":
    case "return":
    case "auth":
    case "reject":
    case "silent-drop":
    case "close":
    case "switch-mode":
    case "use-service":
    case "redirect":
      return compileFinal(action, environment);
    case "set-var":
    case "unset-var":
    case "add-acl":
    case "del-acl":
    case "set-map":
    case "del-map":
    case "set-log-level":
    case "set-src":
    case "set-src-port":
    case "set-dst":
    case "set-dst-port":
    case "set-timeout":
    case "capture":
    case "set-status":
    case "strict-mode":
    case "disable-l7-retry":
    case "set-nice":
    case "wait-for-handshake":
    case "wait-for-body":
      return compileState(action, place.side, place.scope, place.next, environment);
    case "do-resolve":
      return compileResolve(action, place, environment);
    case "cache-use":
    case "cache-store":
      return compileCacheAction(action, environment);
    case "track-sc":
    case "sc-inc-gpc":
    case "sc-set-gpt":
      return compileCounterAction(action, place, environment);
  }
}
