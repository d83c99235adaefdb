// `option pgsql-check`: a StartupMessage of protocol 3.0 has to be answered with an authentication request
// (PostgreSQL manual, "Message Formats").
import { type CheckStep, expectText, sendStep } from "../check-step.ts";

export function pgsqlSteps(user: string): CheckStep[] {
  const body = `\0\x03\0\0user\0${user}\0\0`;
  return [
    { kind: "connect", connection: null, isImplicit: false, comment: null },
    sendStep(`\0\0\0${String.fromCharCode(body.length + 4)}${body}`),
    expectText({
      pattern: /^E/,
      isNegated: true,
      minRecv: 5,
      errorStatus: "L7RSP",
      describeError: (text) => text.slice(6),
      describeSuccess: () => "",
    }),
    expectText({
      pattern: /^R\0\0\0[\x08\x0a\x0c]\0\0\0[\0\x02-\x06]/,
      minRecv: 9,
      errorStatus: "L7STS",
      describeError: () => "PostgreSQL unknown error",
      describeSuccess: () => "PostgreSQL server is ok",
    }),
  ];
}
