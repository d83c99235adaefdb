// `option ssl-hello-chk`: an SSLv3 ClientHello has to be answered with a handshake record or an alert. For
// servers where no TLS handshake is wanted; `check-ssl` makes a real one.
import { type CheckStep, expectText } from "../check-step.ts";

const RANDOM = "HAPROXYSSLCHK\nHAPROXYSSLCHK\n";
/** The 39 cipher suites of SSLv3 and TLS 1.0 with RSA or DH: 0x0001..0x001B and 0x002F..0x003A. */
const CIPHERS: string = [...range(0x01, 0x1b), ...range(0x2f, 0x3a)]
  .map((cipher) => `\0${String.fromCharCode(cipher)}`)
  .join("");

export function sslHelloSteps(): CheckStep[] {
  return [
    { kind: "send", make: ({ nowSeconds }) => clientHello(nowSeconds), comment: null },
    expectText({
      pattern: /^[\x15\x16]/,
      minRecv: 5,
      okStatus: "L6OK",
      errorStatus: "L6RSP",
      timeoutStatus: "L6TOUT",
      describeError: () => "",
      describeSuccess: () => "",
    }),
  ];
}

function clientHello(nowSeconds: number): string {
  const body = `\x03\0${uint(nowSeconds, 4)}${RANDOM}\0${uint(CIPHERS.length, 2)}${CIPHERS}\x01\0`;
  const handshake = `\x01${uint(body.length, 3)}${body}`;
  return `\x16\x03\0${uint(handshake.length, 2)}${handshake}`;
}

function uint(value: number, byteCount: number): string {
  let text = "";
  for (let i = 0; i < byteCount; i++) text = String.fromCharCode(Math.floor(value / 256 ** i) & 0xff) + text;
  return text;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
