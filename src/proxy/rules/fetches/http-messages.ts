// Fetches that requests and responses have alike: headers and cookies (HAProxy manual 7.3.6). In ACLs they
// give all values one by one; elsewhere the last one, unless an occurrence is asked for.
import { type IpAddress, parseIpAddress } from "../../../base/address.ts";
import type { MessageHead } from "../../../protocol/http1/message-head.ts";
import type { Stream } from "../../stream.ts";
import { noteChangeable } from "../content-state.ts";
import {
  type FetchCompiler,
  integerParameter,
  type ManyValued,
  type TestSample,
  textParameter,
} from "../fetch.ts";
import {
  countValues,
  lastValue,
  nextHeader,
  type SomeText,
  someCookie,
  someValue,
  someWholeValue,
  valueAtOccurrence,
} from "../header-values.ts";
import { parseHeaderInteger } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";

type Names =
  | "req.hdr"
  | "req.fhdr"
  | "req.hdr_cnt"
  | "req.fhdr_cnt"
  | "req.hdr_ip"
  | "req.hdr_val"
  | "req.hdrs"
  | "req.hdrs_bin"
  | "req.hdr_names"
  | "req.cook"
  | "req.cook_cnt"
  | "req.cook_val"
  | "res.hdr"
  | "res.fhdr"
  | "res.hdr_cnt"
  | "res.fhdr_cnt"
  | "res.hdr_ip"
  | "res.hdr_val"
  | "res.hdrs"
  | "res.hdrs_bin"
  | "res.hdr_names"
  | "res.cook"
  | "res.cook_cnt"
  | "res.cook_val";

type Side = "request" | "response";
/** `undefined` skips the value: an ACL then tries the next one. */
type Convert = (value: string) => SampleValue | undefined;

export const MESSAGE_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  "req.hdr": headerFetch("request", someValue, asIs),
  "req.fhdr": headerFetch("request", someWholeValue, asIs),
  "req.hdr_cnt": countFetch("request", someValue),
  "req.fhdr_cnt": countFetch("request", someWholeValue),
  "req.hdr_ip": headerFetch("request", someValue, toIp),
  "req.hdr_val": headerFetch("request", someValue, toNumber),
  "req.hdrs": allHeadersFetch("request"),
  "req.hdrs_bin": binaryHeadersFetch("request"),
  "req.hdr_names": namesFetch("request"),
  "req.cook": cookieFetch("request", asIs),
  "req.cook_cnt": cookieCountFetch("request"),
  "req.cook_val": cookieFetch("request", toNumber),
  "res.hdr": headerFetch("response", someValue, asIs),
  "res.fhdr": headerFetch("response", someWholeValue, asIs),
  "res.hdr_cnt": countFetch("response", someValue),
  "res.fhdr_cnt": countFetch("response", someWholeValue),
  "res.hdr_ip": headerFetch("response", someValue, toIp),
  "res.hdr_val": headerFetch("response", someValue, toNumber),
  "res.hdrs": allHeadersFetch("response"),
  "res.hdrs_bin": binaryHeadersFetch("response"),
  "res.hdr_names": namesFetch("response"),
  "res.cook": cookieFetch("response", asIs),
  "res.cook_cnt": cookieCountFetch("response"),
  "res.cook_val": cookieFetch("response", toNumber),
};

function headOf(stream: Stream, side: Side): MessageHead | null {
  const head = side === "request" ? stream.request : stream.response;
  if (head === null) noteChangeable(stream);
  return head;
}

function asIs(value: string): string {
  return value;
}

function toNumber(value: string): number {
  return parseHeaderInteger(value);
}

/** "192.0.2.1", "192.0.2.1:80", or an IPv6 address. */
function toIp(value: string): IpAddress | undefined {
  const plain = parseIpAddress(value);
  if (plain !== null) return plain;
  const withPort = /^([\d.]+):(\d{1,5})$/.exec(value);
  if (withPort === null || Number(withPort[2]) > 65535) return undefined;
  return parseIpAddress(withPort[1]!) ?? undefined;
}

function headerFetch(side: Side, some: SomeText, convert: Convert): FetchCompiler {
  return (parameters) => {
    const name = textParameter(parameters, 0).toLowerCase();
    const occurrence = integerParameter(parameters, 1) ?? 0;
    const converted = (text: string | undefined) => (text === undefined ? undefined : convert(text));
    if (occurrence !== 0) {
      return (stream) => {
        const head = headOf(stream, side);
        return head === null ? undefined : converted(valueAtOccurrence(some, head, name, occurrence));
      };
    }
    const isList = some === someValue;
    return {
      read: (stream: Stream) => {
        const head = headOf(stream, side);
        if (head === null) return undefined;
        return converted(isList ? lastValue(head, name) : valueAtOccurrence(some, head, name, -1));
      },
      some: (stream: Stream, test: TestSample) => {
        const head = headOf(stream, side);
        return head !== null && some(head, name, testConverted(convert, test));
      },
    } satisfies ManyValued;
  };
}

function testConverted(convert: Convert, test: TestSample): (text: string) => boolean {
  if (convert === asIs) return test;
  return (text) => {
    const value = convert(text);
    return value !== undefined && test(value);
  };
}

function countFetch(side: Side, some: SomeText): FetchCompiler {
  return (parameters) => {
    const name = textParameter(parameters, 0).toLowerCase();
    return (stream) => {
      const head = headOf(stream, side);
      return head === null ? undefined : countValues(some, head, name);
    };
  };
}

/** The whole header block with its empty line, names in lower case. */
function allHeadersFetch(side: Side): FetchCompiler {
  return () => (stream) => {
    const head = headOf(stream, side);
    if (head === null) return undefined;
    let text = "";
    for (let i = nextHeader(head, "", 0); i >= 0; i = nextHeader(head, "", i + 1)) {
      text += `${head.nameAt(i)}: ${head.valueAt(i)}\r\n`;
    }
    return `${text}\r\n`;
  };
}

/** Names and values, each behind its length, and an empty one of both at the end. */
function binaryHeadersFetch(side: Side): FetchCompiler {
  return () => (stream) => {
    const head = headOf(stream, side);
    if (head === null) return undefined;
    let text = "";
    for (let i = nextHeader(head, "", 0); i >= 0; i = nextHeader(head, "", i + 1)) {
      const [name, value] = [head.nameAt(i), head.valueAt(i)];
      text += `${lengthText(name.length)}${name}${lengthText(value.length)}${value}`;
    }
    return `${text}\0\0`;
  };
}

/** The variable-length integers of SPOE (its specification, section 3.1), least significant bits first. */
function lengthText(length: number): string {
  if (length < 240) return String.fromCharCode(length);
  let text = String.fromCharCode((length & 0xff) | 240);
  let rest = (length - 240) >> 4;
  for (; rest >= 128; rest = (rest - 128) >> 7) text += String.fromCharCode((rest & 0x7f) | 128);
  return text + String.fromCharCode(rest);
}

function namesFetch(side: Side): FetchCompiler {
  return (parameters) => {
    const delimiter = textParameter(parameters, 0)[0] ?? ",";
    return (stream) => {
      const head = headOf(stream, side);
      if (head === null) return undefined;
      const names: string[] = [];
      for (let i = nextHeader(head, "", 0); i >= 0; i = nextHeader(head, "", i + 1))
        names.push(head.nameAt(i));
      return names.join(delimiter);
    };
  };
}

/** With a name the last occurrence counts, without one the first cookie. */
function cookieFetch(side: Side, convert: Convert): FetchCompiler {
  return (parameters) => {
    const name = textParameter(parameters, 0);
    const isResponse = side === "response";
    return {
      read: (stream: Stream) => {
        const head = headOf(stream, side);
        if (head === null) return undefined;
        let found: string | undefined;
        someCookie(head, name, isResponse, (value) => {
          found = value;
          return name === "";
        });
        return found === undefined ? undefined : convert(found);
      },
      some: (stream: Stream, test: TestSample) => {
        const head = headOf(stream, side);
        return head !== null && someCookie(head, name, isResponse, testConverted(convert, test));
      },
    } satisfies ManyValued;
  };
}

function cookieCountFetch(side: Side): FetchCompiler {
  return (parameters) => {
    const name = textParameter(parameters, 0);
    return (stream) => {
      const head = headOf(stream, side);
      if (head === null) return undefined;
      let count = 0;
      someCookie(head, name, side === "response", () => {
        count++;
        return false;
      });
      return count;
    };
  };
}
