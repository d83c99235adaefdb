// `agent-check`: connects to the agent, sends `agent-send` if there is any, and takes one line.
import { parseAgentReply } from "../agent-reply.ts";
import {
  type CheckPlan,
  type CheckStep,
  type Expectation,
  IMPLICIT_CONNECT,
  MATCH,
  sendStep,
  WAIT,
} from "../check-step.ts";

export const INCOMPLETE_LINE = "Ignoring incomplete line from agent";

export function createAgentPlan(send: string): CheckPlan {
  const expectation: Expectation = {
    label: "",
    okStatus: "CHECKED",
    errorStatus: null,
    timeoutStatus: null,
    evaluate({ text, isFinal }) {
      if (parseAgentReply(text) !== null) return MATCH;
      return isFinal ? { kind: "fail", status: "CHECKED", description: INCOMPLETE_LINE } : WAIT;
    },
    describeSuccess: () => "",
  };
  const expect: CheckStep = { kind: "expect", expectation, comment: null };
  const steps = send === "" ? [IMPLICIT_CONNECT, expect] : [IMPLICIT_CONNECT, sendStep(send), expect];
  return { flavour: "protocol", steps, disableOn404: false };
}
