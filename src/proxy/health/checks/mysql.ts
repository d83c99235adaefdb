// `option mysql-check`: the server's greeting has to be a handshake packet, not an error; with a user name, a
// client authentication packet (of 4.1 and later) has to be answered with something that is no error either.
import {
  type CheckInput,
  type CheckStep,
  type Expectation,
  type ExpectOutcome,
  WAIT,
} from "../check-step.ts";

const PACKET_HEADER_BYTES = 4;
const CAPABILITIES = "\0\x82\0\0";
const MAX_PACKET = "\0\x80\0\x01";
const CHARSET_UTF8 = "\x21";
const COM_QUIT = "\x01\0\0\0\x01";

export function mysqlSteps(user: string | null): CheckStep[] {
  const connect: CheckStep = { kind: "connect", connection: null, isImplicit: false, comment: null };
  if (user === null) return [connect, expectPacket(0)];
  const body = `${CAPABILITIES}${MAX_PACKET}${CHARSET_UTF8}${"\0".repeat(23)}${user}\0\0`;
  const header = `${String.fromCharCode(body.length & 0xff)}${String.fromCharCode(body.length >> 8)}\0\x01`;
  return [
    connect,
    { kind: "send", make: () => header + body + COM_QUIT, comment: null },
    expectPacket(0),
    expectPacket(1),
  ];
}

/** The packet with that number among those received. */
function expectPacket(number: number): CheckStep {
  const expectation: Expectation = {
    label: " (expect custom function)",
    okStatus: null,
    errorStatus: null,
    timeoutStatus: null,
    evaluate: (input) => judgePacket(input, number),
    // The greeting names the server's version behind the protocol number.
    describeSuccess: ({ text }) => text.slice(PACKET_HEADER_BYTES + 1).split("\0")[0] ?? "",
  };
  return { kind: "expect", expectation, comment: null };
}

function judgePacket({ text, isFinal }: CheckInput, number: number): ExpectOutcome {
  const truncated: ExpectOutcome = isFinal ? { kind: "fail", status: "L7RSP", description: "" } : WAIT;
  let at = 0;
  for (let i = 0; i <= number; i++) {
    if (text.length < at + PACKET_HEADER_BYTES) return truncated;
    const length = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8) | (text.charCodeAt(at + 2) << 16);
    const next = at + PACKET_HEADER_BYTES + length;
    if (text.length < next) return truncated;
    if (i < number) at = next;
  }
  const payload = at + PACKET_HEADER_BYTES;
  if (text.charCodeAt(payload) !== 0xff) return { kind: "match" };
  const code = text.charCodeAt(payload + 1) | (text.charCodeAt(payload + 2) << 8);
  return { kind: "fail", status: "L7STS", code, description: text.slice(payload + 3) };
}
