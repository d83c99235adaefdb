// Rules and what they decide, in words. What is written in the file is repeated, not paraphrased.
import type { BalanceDefinition, Proxy as ProxyDefinition } from "../../model/proxy.ts";
import type { Action } from "../../model/rule.ts";
import type { Condition, LogFormat, SampleExpression } from "../../model/sample.ts";
import type { Verdict } from "../rules/programs.ts";

/** "set-header X-Forwarded-Proto https". */
export function describeAction(action: Action): string {
  const { kind } = action;
  switch (action.kind) {
    case "add-header":
    case "set-header":
      return `${kind} ${action.name} ${action.value.text}`;
    case "del-header":
      return `${kind} ${action.name}${action.method === "str" ? "" : ` -m ${action.method}`}`;
    case "replace-header":
    case "replace-value":
      return `${kind} ${action.name} ${action.pattern} ${action.value.text}`;
    case "set-method":
    case "set-path":
    case "set-pathq":
    case "set-query":
    case "set-uri":
      return `${kind} ${action.value.text}`;
    case "replace-path":
    case "replace-pathq":
    case "replace-uri":
      return `${kind} ${action.pattern} ${action.value.text}`;
    case "normalize-uri": {
      const { name, isStrict, isFull } = action.normalizer;
      return `${kind} ${name}${isStrict ? " strict" : ""}${isFull ? " full" : ""}`;
    }
    case "replace-line":
      return `${kind} ${action.pattern} ${action.value}`;
    case "delete-line":
      return `${kind} ${action.pattern}`;
    case "deny":
    case "tarpit":
    case "return":
      return `${kind} status ${action.reply.status}`;
    case "auth":
      return action.realm === null ? kind : `${kind} realm ${action.realm.text}`;
    case "use-service":
      return `${kind} ${action.service}`;
    case "redirect":
      return `${kind} ${action.to} ${action.value.text} code ${action.code}`;
    case "set-var":
      return `${kind}(${action.variable}) ${action.value.text}`;
    case "unset-var":
      return `${kind}(${action.variable})`;
    case "add-acl":
    case "del-acl":
    case "set-map":
    case "del-map":
      return [`${kind}(${action.path})`, action.key.text, action.value?.text ?? ""].join(" ").trimEnd();
    case "set-log-level":
      return `${kind} ${action.level}`;
    case "set-src":
    case "set-src-port":
    case "set-dst":
    case "set-dst-port":
      return `${kind} ${action.value.text}`;
    case "set-timeout":
      return `${kind} ${action.timeout} ${typeof action.value === "number" ? `${action.value}ms` : action.value.text}`;
    case "capture":
      return `${kind} ${action.sample.text}`;
    case "set-status":
      return `${kind} ${action.status}`;
    case "strict-mode":
      return `${kind} ${action.isOn ? "on" : "off"}`;
    case "do-resolve":
      return `${kind}(${action.variable},${action.resolvers},ipv${action.family}) ${action.value.text}`;
    case "wait-for-body":
      return `${kind} time ${action.timeoutMs}ms`;
    case "cache-use":
    case "cache-store":
      return `${kind} ${action.cache}`;
    case "track-sc":
      return `${kind}${action.slot} ${action.key.text} table ${action.table}`;
    case "sc-inc-gpc":
      return `sc-inc-${action.name}(${placeOf(action)})`;
    case "sc-set-gpt": {
      const value = typeof action.value === "number" ? action.value : action.value.text;
      return `sc-set-${action.name}(${placeOf(action)}) ${value}`;
    }
    default:
      return kind;
  }
}

export function describeCondition(condition: Condition | null): string {
  if (condition === null) return "";
  return condition.text.startsWith(condition.keyword)
    ? ` ${condition.text}`
    : ` ${condition.keyword} ${condition.text}`;
}

/** What a verdict does, as an effect of its rule. */
export function describeVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case "done":
      return "ends these rules";
    case "wait":
      return verdict.pending === undefined ? "waits for the body" : "waits for nameservers";
    case "deny":
      return verdict.isTarpit
        ? `holds the client in the tarpit, then answers ${verdict.reply.status}`
        : `answers ${verdict.reply.status}`;
    case "return":
      return `answers ${verdict.reply.status}`;
    case "redirect":
      return `redirects with ${verdict.status} to ${verdict.location}`;
    case "auth":
      return `asks for a password (realm "${verdict.realm}")`;
    case "invalid":
      return "answers 400, for the target is malformed";
    case "reject":
      return "closes the connection";
    case "close":
      return "closes the server's connection";
    case "silent-drop":
      return "drops the connection without a word";
    case "switch-mode":
      return "goes on in mode http";
    case "cached":
      return "answers from the cache";
    case "use-service":
      return `answers as ${verdict.service}`;
  }
}

/** "balance uri depth 2" as it would be written. */
export function describeBalance(balance: BalanceDefinition): string {
  switch (balance.algorithm) {
    case "random":
      return `random(${balance.draws})`;
    case "uri": {
      const words = ["uri"];
      if (balance.length !== null) words.push(`len ${balance.length}`);
      if (balance.depth !== null) words.push(`depth ${balance.depth}`);
      if (balance.whole) words.push("whole");
      if (balance.pathOnly) words.push("path-only");
      return words.join(" ");
    }
    case "url_param":
      return `url_param ${balance.name}`;
    case "hdr":
      return `hdr(${balance.name})`;
    case "rdp-cookie":
      return `rdp-cookie(${balance.name})`;
    case "hash":
      return `hash ${balance.sample.text}`;
    default:
      return balance.algorithm;
  }
}

/** "frontend www", as the section is headed. */
export function describeProxy({ kind, name }: ProxyDefinition): string {
  return `${kind} ${name}`;
}

export function nameText(name: string | LogFormat | SampleExpression): string {
  return typeof name === "string" ? name : name.text;
}

/** "SLOT", and for a list "INDEX,SLOT". */
function placeOf({ name, index, slot }: Extract<Action, { kind: "sc-inc-gpc" | "sc-set-gpt" }>): string {
  return name === "gpc" || name === "gpt" ? `${index},${slot}` : `${slot}`;
}
