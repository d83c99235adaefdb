// `option redis-check`: PING has to be answered with +PONG.
import { type CheckStep, expectText, firstLine, sendStep } from "../check-step.ts";

export function redisSteps(): CheckStep[] {
  return [
    sendStep("*1\r\n$4\r\nPING\r\n"),
    expectText({
      pattern: /\+PONG\r\n/,
      minRecv: 7,
      errorStatus: "L7STS",
      describeError: firstLine,
      describeSuccess: () => "Redis server is ok",
    }),
  ];
}
