// Actions that end a rule set. Verdicts that are the same for every stream are made once.
import type { FinalAction, RedirectDefinition } from "../../../model/rule.ts";
import type { MessageHead } from "../../../protocol/http1/message-head.ts";
import type { RuleEnvironment } from "../environment.ts";
import { compileFormat, constantFormat } from "../format.ts";
import { someValue } from "../header-values.ts";
import type { Verdict } from "../programs.ts";
import { pathAndQueryOf, pathOf } from "../target.ts";
import { DONE, type RunAction } from "./action.ts";

export function compileFinal(action: FinalAction, environment: RuleEnvironment): RunAction {
  switch (action.kind) {
    case "allow":
    case "accept":
      return always(DONE);
    case "deny":
      return always({ kind: "deny", reply: action.reply, isTarpit: false });
    case "tarpit":
      return always({ kind: "deny", reply: action.reply, isTarpit: true });
    case "return":
      return always({ kind: "return", reply: action.reply });
    case "reject":
      return always({ kind: "reject" });
    case "silent-drop":
      return always({ kind: "silent-drop" });
    case "close":
      return always({ kind: "close" });
    case "switch-mode":
      return (stream) => (stream.request === null ? action : DONE);
    case "use-service":
      return always({ kind: "use-service", service: action.service });
    case "auth": {
      const realm = action.realm === null ? null : compileFormat(action.realm, environment, "http");
      // HAProxy's realm is by default the proxy's name.
      return (stream) => ({
        kind: "auth",
        realm: realm?.(stream) ?? stream.backend?.name ?? stream.frontend.name,
      });
    }
    case "redirect":
      return compileRedirect(action, environment);
  }
}

function always(verdict: Verdict): RunAction {
  return () => verdict;
}

function compileRedirect(action: RedirectDefinition, environment: RuleEnvironment): RunAction {
  const write = compileFormat(action.value, environment, "http");
  // A constant prefix "/" adds nothing, so that a redirection to the same place can be written.
  const isBarePrefix = action.to === "prefix" && constantFormat(action.value) === "/";
  const setCookie = redirectCookie(action);
  return (stream) => {
    const { request } = stream;
    const value = isBarePrefix ? "" : write(stream);
    if (action.to === "location" && value === "" && action.ignoreEmpty) return null;
    const location = request === null ? value : locationOf(action, value, request);
    return { kind: "redirect", status: action.code, location, setCookie };
  };
}

function locationOf(
  { to, dropQuery, appendSlash }: RedirectDefinition,
  value: string,
  request: MessageHead,
): string {
  if (to === "location") return value;
  const path = (dropQuery ? pathOf(request.target) : pathAndQueryOf(request.target)) ?? "/";
  const location = to === "prefix" ? value + path : `${value}://${hostOf(request)}${path}`;
  return appendSlash && !location.endsWith("/") ? `${location}/` : location;
}

function hostOf(request: MessageHead): string {
  let host = "";
  someValue(request, "host", (value) => {
    host = value;
    return true;
  });
  return host;
}

function redirectCookie({ setCookie, clearCookie }: RedirectDefinition): string | null {
  if (setCookie !== null) return `${setCookie}; path=/;`;
  return clearCookie === null ? null : `${clearCookie}; path=/; Max-Age=0;`;
}
