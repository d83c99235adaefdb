// Which rule a compiled piece belongs to: a recorder is handed conditions and actions, and has to say whose
// they are.
import type { Span } from "../../diagnostic/span.ts";
import type { ProxyConfiguration } from "../../model/proxy.ts";
import type { Action, Rule } from "../../model/rule.ts";
import type { AclTest, Condition } from "../../model/sample.ts";
import { describeAction, describeCondition, nameText } from "./describe-rule.ts";

export type RulePlace = "connection" | "request" | "response" | "backend choice" | "persistence" | "other";

export interface IndexedRule {
  readonly place: RulePlace;
  /** The line in its present-day form. */
  readonly text: string;
  /** Without the condition: whom an edit is attributed to. */
  readonly what: string;
  readonly span: Span;
}

export class RuleIndex {
  readonly #rules: Map<Action | Condition, IndexedRule> = new Map();
  readonly #aclNames: Map<AclTest, string> = new Map();

  constructor(configuration: ProxyConfiguration) {
    for (const proxy of configuration.proxies) {
      this.#addAll("connection", "tcp-request connection", proxy.tcpRequestConnection);
      this.#addAll("connection", "tcp-request session", proxy.tcpRequestSession);
      this.#addAll("connection", "tcp-request content", proxy.tcpRequestContent);
      this.#addAll("response", "tcp-response content", proxy.tcpResponseContent);
      this.#addAll("request", "http-request", proxy.httpRequest);
      this.#addAll("response", "http-response", proxy.httpResponse);
      this.#addAll("response", "http-after-response", proxy.httpAfterResponse);
      this.#addAll("request", "stats http-request", proxy.stats?.httpRequest ?? []);
      for (const rule of proxy.options.monitorFail) this.#add("other", "monitor fail", rule);
      for (const rule of proxy.stats?.adminRules ?? []) this.#add("other", "stats admin", rule);
      for (const rule of proxy.frontend?.useBackend ?? [])
        this.#add("backend choice", `use_backend ${nameText(rule.backend)}`, rule);
      for (const rule of proxy.backend?.useServer ?? [])
        this.#add("persistence", `use-server ${nameText(rule.server)}`, rule);
      for (const rule of proxy.backend?.persistRules ?? [])
        this.#add("persistence", `${rule.kind}-persist`, rule);
    }
  }

  find(key: Action | Condition): IndexedRule | null {
    return this.#rules.get(key) ?? null;
  }

  /** "" for an anonymous test. */
  aclNameOf(test: AclTest): string {
    return this.#aclNames.get(test) ?? "";
  }

  #addAll(place: RulePlace, keyword: string, rules: readonly Rule[]): void {
    for (const rule of rules)
      this.#add(place, `${keyword} ${describeAction(rule.action)}`, rule, rule.action);
  }

  #add(
    place: RulePlace,
    what: string,
    { condition, span }: { readonly condition: Condition | null; readonly span: Span },
    action: Action | null = null,
  ): void {
    const indexed = { place, what, text: what + describeCondition(condition), span };
    if (action !== null) this.#rules.set(action, indexed);
    if (condition === null) return;
    this.#rules.set(condition, indexed);
    for (const { acl } of condition.anyOf.flat())
      for (const test of acl.tests) this.#aclNames.set(test, acl.name);
  }
}
