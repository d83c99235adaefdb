// From the check lines of a backend to the steps of a check.
import type { CheckDefinition, CheckRule } from "../../model/proxy.ts";
import type { CheckSamples } from "./check-samples.ts";
import { type CheckContext, type CheckPlan, type CheckStep, IMPLICIT_CONNECT } from "./check-step.ts";
import { DEFAULT_EXPECT, httpExpectStep, httpSendStep, type SendStateFacts } from "./checks/http.ts";
import { ldapSteps } from "./checks/ldap.ts";
import { mysqlSteps } from "./checks/mysql.ts";
import { pgsqlSteps } from "./checks/pgsql.ts";
import { redisSteps } from "./checks/redis.ts";
import { smtpSteps } from "./checks/smtp.ts";
import { sslHelloSteps } from "./checks/ssl-hello.ts";
import { tcpExpectStep, tcpSendStep } from "./checks/tcp.ts";

type HttpSend = Extract<CheckRule, { kind: "http-send" }>;

/** What connects somewhere; programs go by a way of their own. */
type ConnectingCheck = Exclude<CheckDefinition, { readonly kind: "external" }>;

/** One plan serves all servers of the backend. */
export function createCheckPlan(
  check: ConnectingCheck,
  samples: CheckSamples,
  facts: SendStateFacts,
): CheckPlan {
  switch (check.kind) {
    case "tcp-connect":
      return plan("connect", []);
    case "http":
      return httpPlan(check.rules, samples, facts);
    case "tcp":
      return plan(
        "tcp",
        check.rules.flatMap((rule) => toStep(rule, samples, null, false)),
      );
    case "ssl-hello":
      return plan("protocol", sslHelloSteps());
    case "smtp":
      return plan("protocol", smtpSteps(check.hello, check.domain));
    case "mysql":
      return plan("protocol", mysqlSteps(check.user));
    case "pgsql":
      return plan("protocol", pgsqlSteps(check.user));
    case "redis":
      return plan("protocol", redisSteps());
    case "ldap":
      return plan("protocol", ldapSteps());
  }
}

function plan(flavour: CheckPlan["flavour"], steps: readonly CheckStep[], disableOn404 = false): CheckPlan {
  const first = steps.find((step) => step.kind !== "action");
  return { flavour, steps: first?.kind === "connect" ? steps : [IMPLICIT_CONNECT, ...steps], disableOn404 };
}

function httpPlan(rules: readonly CheckRule[], samples: CheckSamples, facts: SendStateFacts): CheckPlan {
  const disableOn404 = rules.some((rule) => rule.kind === "disable-on-404");
  const sendState = rules.some((rule) => rule.kind === "send-state") ? facts : null;
  const hasRequest = rules.some((rule) => rule.kind === "http-send");
  const all = hasRequest ? rules : [DEFAULT_REQUEST, ...rules];
  const steps = all.flatMap((rule) => toStep(rule, samples, sendState, disableOn404));
  if (steps.findLast((step) => step.kind !== "action")?.kind === "send")
    steps.push(httpExpectStep(DEFAULT_EXPECT, samples, disableOn404));
  return plan("http", steps, disableOn404);
}

const DEFAULT_REQUEST: HttpSend = {
  kind: "http-send",
  method: "OPTIONS",
  uri: "/",
  version: "HTTP/1.0",
  headers: [],
  body: null,
  span: DEFAULT_EXPECT.span,
};

function toStep(
  rule: CheckRule,
  samples: CheckSamples,
  sendState: SendStateFacts | null,
  disableOn404: boolean,
): CheckStep[] {
  switch (rule.kind) {
    case "connect":
      return [{ kind: "connect", connection: rule, isImplicit: false, comment: rule.comment }];
    case "http-send":
      return [httpSendStep(rule, samples.format, sendState)];
    case "http-expect":
      return [httpExpectStep(rule, samples, disableOn404)];
    case "tcp-send":
      return [tcpSendStep(rule, samples.format)];
    case "tcp-expect":
      return [tcpExpectStep(rule, samples.format)];
    case "set-var": {
      const { value, variable } = rule;
      const run = (context: CheckContext) => {
        const read = "parts" in value ? samples.format(value, context) : samples.value(value, context);
        // As for traffic: no value changes nothing.
        if (read !== undefined) context.variables.set(variable, read);
      };
      return [{ kind: "action", run }];
    }
    case "unset-var":
      return [{ kind: "action", run: (context) => context.variables.delete(rule.variable) }];
    default:
      return [];
  }
}
