// Converters on addresses, variables and captures, and those that ask for the state of a name.
import { formatIpAddress, type IpAddress, parseIpAddress, parseIpNetwork } from "../../../base/address.ts";
import type { VariableCondition } from "../../../model/rule.ts";
import { keepCapture } from "../captures.ts";
import { type ConverterCompiler, typed } from "../converter.ts";
import { integerParameter, textParameter } from "../fetch.ts";
import { serverOf, usableServersOf } from "../fetches/internal.ts";
import { compileConditionalWrite, compileVariableWrite } from "../variables.ts";

type Names =
  | "ipmask"
  | "debug"
  | "set-var"
  | "unset-var"
  | "capture-req"
  | "capture-res"
  | "nbsrv"
  | "srv_queue";

export const OTHER_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  ipmask: typed<IpAddress>((parameters) => {
    const mask4 = maskBytes(textParameter(parameters, 0), 4);
    const mask6 = parameters[1] === undefined ? null : maskBytes(textParameter(parameters, 1), 6);
    return (value) => {
      const address = mappedIpv4(value) ?? value;
      const mask = address.family === 4 ? mask4 : mask6;
      if (mask === null) return undefined;
      return { kind: "ip", family: address.family, bytes: address.bytes.map((byte, i) => byte & mask[i]!) };
    };
  }),
  debug: () => (value) => value,
  "set-var": (parameters, environment) => {
    const conditions = parameters.slice(1) as VariableCondition[];
    const write = compileConditionalWrite(textParameter(parameters, 0), conditions, environment);
    return (value, stream) => {
      write(stream, value);
      return value;
    };
  },
  "unset-var": (parameters, environment) => {
    const write = compileVariableWrite(textParameter(parameters, 0), environment);
    return (value, stream) => {
      write(stream, undefined);
      return value;
    };
  },
  "capture-req": captureConverter("request"),
  "capture-res": captureConverter("response"),
  nbsrv: typed<string>(() => (name, stream) => usableServersOf(stream, name)),
  srv_queue: typed<string>(() => (name, stream) => serverOf(stream, name)?.queued),
};

function captureConverter(side: "request" | "response"): ConverterCompiler {
  return typed<string>((parameters) => {
    const slot = integerParameter(parameters, 0) ?? 0;
    return (value, stream) => {
      keepCapture(stream, side, slot, value);
      return value;
    };
  });
}

/** A prefix length, or an address whose bits are the mask. */
function maskBytes(text: string, family: 4 | 6): Uint8Array | null {
  const length = family === 4 ? 4 : 16;
  if (!/^\d{1,3}$/.test(text)) {
    const address = parseIpAddress(text);
    return address !== null && address.family === family ? address.bytes : null;
  }
  const network = parseIpNetwork(
    `${formatIpAddress({ kind: "ip", family, bytes: new Uint8Array(length) })}/${text}`,
  );
  if (network === null) return null;
  return Uint8Array.from(
    { length },
    (_, i) => (0xff00 >> Math.max(0, Math.min(8, network.prefix - i * 8))) & 0xff,
  );
}

/** The IPv4 address inside ::ffff:a.b.c.d, ::a.b.c.d or 2002:ab:cd::. */
export function mappedIpv4(address: IpAddress): IpAddress | null {
  const { bytes, family } = address;
  if (family === 4) return null;
  const startsWithZeros = bytes.subarray(0, 10).every((byte) => byte === 0);
  const isMapped =
    startsWithZeros && ((bytes[10] === 0xff && bytes[11] === 0xff) || (bytes[10] === 0 && bytes[11] === 0));
  if (isMapped) return { kind: "ip", family: 4, bytes: bytes.slice(12) };
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return { kind: "ip", family: 4, bytes: bytes.slice(2, 6) };
  return null;
}
