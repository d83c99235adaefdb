// `option ldap-check`: an anonymous simple bind of LDAPv3 has to succeed (RFC 4511 section 4.2).
import {
  type CheckInput,
  type CheckStep,
  type Expectation,
  type ExpectOutcome,
  MATCH,
  sendStep,
  WAIT,
} from "../check-step.ts";

const BIND_REQUEST = "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0";
const RESPONSE_BYTES_MIN = 14;
const NOT_LDAP: ExpectOutcome = { kind: "fail", status: "L7RSP", description: "Not LDAPv3 protocol" };

export function ldapSteps(): CheckStep[] {
  const expectation: Expectation = {
    label: " (expect custom function)",
    okStatus: null,
    errorStatus: "L7RSP",
    timeoutStatus: null,
    evaluate: judgeBindResponse,
    describeSuccess: () => "Success",
  };
  return [sendStep(BIND_REQUEST), { kind: "expect", expectation, comment: null }];
}

function judgeBindResponse({ text, isFinal }: CheckInput): ExpectOutcome {
  if (!isFinal && text.length < RESPONSE_BYTES_MIN) return WAIT;
  if (text.charCodeAt(0) !== 0x30) return NOT_LDAP;
  const message = readLength(text, 1);
  if (message === null) return NOT_LDAP;
  if (text.length < message.end + message.length)
    return isFinal ? { kind: "fail", status: "L7RSP", description: "" } : WAIT;
  if (!text.startsWith("\x02\x01\x01\x61", message.end)) return NOT_LDAP;
  const response = readLength(text, message.end + 4);
  if (response === null || !text.startsWith("\x0a\x01", response.end)) return NOT_LDAP;
  const code = text.charCodeAt(response.end + 2);
  if (code === 0) return MATCH;
  return {
    kind: "fail",
    status: "L7STS",
    code,
    description: "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9",
  };
}

/** BER length in one byte, or in 2 or 4 behind a count. */
function readLength(text: string, at: number): { readonly length: number; readonly end: number } | null {
  const first = text.charCodeAt(at);
  if (first < 0x80) return { length: first, end: at + 1 };
  const count = first & 0x7f;
  if (count !== 2 && count !== 4) return null;
  let length = 0;
  for (let i = 1; i <= count; i++) length = length * 256 + text.charCodeAt(at + i);
  return { length, end: at + 1 + count };
}
