// `option smtpchk`: greeting, HELO or EHLO, QUIT, each answered with a 2xx reply. HAProxy 2.6 takes the last
// for missing in some of its versions and not in others; a server that hangs up when it is told to is no bad
// one.
import { type CheckStep, expectText, firstLine, sendStep, type TextExpectation } from "../check-step.ts";

export function smtpSteps(hello: string, domain: string): CheckStep[] {
  const code = (text: string) => Number.parseInt(text.slice(0, 3), 10) || 0;
  const reply = (text: string) => firstLine(text.slice(4).replace(/^ +/, ""));
  return [
    { kind: "connect", connection: null, isImplicit: false, comment: null },
    expectText({
      pattern: /^[0-9]{3}[ \r]/,
      minRecv: 4,
      errorStatus: "L7RSP",
      describeError: firstLine,
      describeSuccess: () => "",
    }),
    expectText({
      pattern: /^2[0-9]{2}[ \r]/,
      minRecv: 4,
      errorStatus: "L7STS",
      code,
      describeError: reply,
      describeSuccess: () => "",
    }),
    sendStep(`${hello} ${domain}\r\n`),
    expectText({
      pattern: /^(2[0-9]{2}-[^\r]*\r\n)*2[0-9]{2}[ \r]/,
      minRecv: null,
      errorStatus: "L7STS",
      code,
      describeError: reply,
      describeSuccess: reply,
    }),
    sendStep("QUIT\r\n"),
    farewell({
      pattern: /^2[0-9]{2}[- \r]/,
      minRecv: 4,
      errorStatus: "L7STS",
      code,
      describeError: reply,
      describeSuccess: reply,
    }),
  ];
}

function farewell(definition: TextExpectation): CheckStep {
  const step = expectText(definition);
  return step.kind === "expect" ? { ...step, isFarewell: true } : step;
}
