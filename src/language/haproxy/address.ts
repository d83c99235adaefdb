// Addresses as haproxy.cfg writes them (manual 4.2 bind, server, log, source): with family prefixes, ports,
// port ranges and offsets, unix and abstract sockets, inherited file descriptors. Names are accepted where
// HAProxy resolves them; what looks like an IP address and is none is said to be none.
import { parseIpAddress } from "../../base/address.ts";
import type { ListenAddress } from "../../transport/contract.ts";
import { displayText, type VariableLookup } from "./lexer.ts";
import type { Report } from "./report.ts";
import { spanInside, type Word } from "./word.ts";

export type Endpoint =
  | {
      readonly kind: "ip" /** "" for all addresses */;
      readonly host: string;
      readonly family: 4 | 6 | null;
      readonly port: PortText | null;
    }
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "abstract"; readonly name: string }
  | { readonly kind: "fd"; readonly fd: number };

/** What stands behind the last colon. */
export type PortText =
  | { readonly kind: "range"; readonly low: number; readonly high: number }
  | { readonly kind: "offset"; readonly offset: number };

export interface AddressRules {
  readonly port: "needed" | "allowed" | "forbidden";
  readonly range?: boolean;
  readonly offset?: boolean;
  readonly datagram?: boolean;
}

const PREFIXES: Readonly<
  Record<string, "unix" | "abstract" | "fd" | "ip" | "ipv4" | "ipv6" | "udp" | "quic" | "sockpair">
> = {
  "unix@": "unix",
  "uxst@": "unix",
  "uxdg@": "unix",
  "abns@": "abstract",
  "fd@": "fd",
  "ip@": "ip",
  "tcp@": "ip",
  "ipv4@": "ipv4",
  "tcp4@": "ipv4",
  "ipv6@": "ipv6",
  "tcp6@": "ipv6",
  "udp@": "udp",
  "udp4@": "udp",
  "udp6@": "udp",
  "quic4@": "quic",
  "quic6@": "quic",
  "sockpair@": "sockpair",
};

/** Reads one address. Null after an error, which points at the wrong part of the word. */
export function parseEndpoint(
  word: Word,
  rules: AddressRules,
  report: Report,
  lookup: VariableLookup,
): Endpoint | null {
  const text = expandVariables(word.text, lookup);
  const bare = text.replace(/^(?:stream|dgram)\+/, "");
  const prefix = /^[a-z0-9]+@/.exec(bare)?.[0] ?? "";
  const kind = prefix === "" ? (bare.startsWith("/") ? "unix" : "ip") : PREFIXES[prefix];
  const rest = bare.slice(prefix.length);
  const fail = (message: string, help: string | null = null): null => {
    report.error("bad-address", word.span, message, help);
    return null;
  };
  if (text === "") return fail("the address is empty", "Is an environment variable missing?");
  if (kind === undefined)
    return fail(`\`${prefix}\` is no kind of address`, `Possible: ${Object.keys(PREFIXES).join(" ")}`);
  if (kind === "quic") return fail("QUIC is not supported", "Listen with TCP; HTTP/3 comes later.");
  if (kind === "sockpair")
    return fail("`sockpair@` is not supported", "Use `fd@` for an inherited listening socket.");
  if (kind === "unix")
    return rest === "" ? fail("the path of the unix socket is missing") : { kind: "unix", path: rest };
  if (kind === "abstract") return { kind: "abstract", name: rest };
  if (kind === "fd") {
    return /^\d{1,9}$/.test(rest)
      ? { kind: "fd", fd: Number(rest) }
      : fail(`\`${displayText(rest)}\` is no number of a file descriptor`);
  }
  if (kind === "udp" && rules.datagram !== true)
    return fail("UDP is not possible here", "Use `ipv4@` or `ipv6@`.");
  const family = kind === "ipv4" || prefix === "udp4@" ? 4 : kind === "ipv6" || prefix === "udp6@" ? 6 : null;
  return parseIpEndpoint(
    rest,
    family,
    word,
    text === word.text ? word.text.length - rest.length : null,
    rules,
    report,
  );
}

/** `offset` is where `text` begins in the word, null when it does not stand there as such. */
function parseIpEndpoint(
  text: string,
  family: 4 | 6 | null,
  word: Word,
  offset: number | null,
  rules: AddressRules,
  report: Report,
): Endpoint | null {
  const place = (start: number, end: number) =>
    offset === null ? word.span : spanInside(word, offset + start, offset + end);
  const colon = text.endsWith("]") ? -1 : text.lastIndexOf(":");
  const hostText = colon < 0 ? text : text.slice(0, colon);
  const portText = colon < 0 ? "" : text.slice(colon + 1);
  const host = hostText.startsWith("[") && hostText.endsWith("]") ? hostText.slice(1, -1) : hostText;
  const fault = explainBadHost(host, family);
  if (fault !== null)
    report.error("bad-address", place(0, Math.max(1, hostText.length)), fault.message, fault.help);
  if (fault !== null && colon < 0) return null;
  const port = readPort(portText, rules);
  if (typeof port === "string")
    report.error("bad-port", place(Math.max(0, colon), text.length), port, portHelp(rules, text));
  if (fault !== null || typeof port === "string") return null;
  return { kind: "ip", host: host === "*" ? "" : host, family, port };
}

function portHelp(rules: AddressRules, text: string): string | null {
  if (rules.port === "forbidden") return "Leave out the colon and what follows.";
  return text.includes(":")
    ? "A port is a number from 1 to 65535."
    : `Write \`${displayText(text)}:80\`, for example.`;
}

/** The port, null for none, or what is wrong with it. */
function readPort(text: string, rules: AddressRules): PortText | null | string {
  if (text === "") return rules.port === "needed" ? "the port is missing" : null;
  if (rules.port === "forbidden") return "no port is possible here";
  const relative = /^([+-])(\d{1,5})$/.exec(text);
  if (relative !== null) {
    if (rules.offset !== true) return "a port offset is not possible here";
    return { kind: "offset", offset: Number(relative[2]) * (relative[1] === "-" ? -1 : 1) };
  }
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text);
  if (match === null) return `\`${displayText(text)}\` is no port`;
  const low = Number(match[1]);
  const high = Number(match[2] ?? match[1]);
  if (match[2] !== undefined && rules.range !== true) return "a range of ports is not possible here";
  if (low > 65_535 || high > 65_535) return `there is no port ${Math.max(low, high)}`;
  if (low === 0 && rules.port === "needed" && match[2] !== undefined)
    return "a range cannot begin with port 0";
  if (low > high) return `the range ${low}-${high} runs backwards`;
  return { kind: "range", low, high };
}

/** Why `host` can be neither an address of that family nor a name; null when it can. */
function explainBadHost(host: string, family: 4 | 6 | null): { message: string; help: string | null } | null {
  if (host === "" || host === "*") return null;
  const address = parseIpAddress(host);
  if (address !== null) {
    if (family === null || address.family === family) return null;
    return { message: `\`${host}\` is no IPv${family} address`, help: null };
  }
  const shown = displayText(host);
  if (host.includes(":")) return { message: `\`${shown}\` is no IPv6 address`, help: null };
  const labels = host.split(".");
  // No name ends in a label of digits only (RFC 3696, section 2), so this was meant as an address.
  if (labels.length > 1 && /^\d+$/.test(labels.at(-1)!))
    return { message: `\`${shown}\` is no IP address`, help: explainBadIpv4(labels) };
  if (isPlaceholder(labels))
    return { message: `\`${shown}\` is no IP address`, help: explainBadIpv4(labels) };
  if (/^\d+$/.test(host))
    return {
      message: `\`${shown}\` is neither an address nor a name`,
      help: `For a port alone write \`:${shown}\`.`,
    };
  if (host.length > 253 || !labels.every((label) => /^[\w-]{1,63}$/.test(label) || label === "")) {
    return { message: `\`${shown}\` is neither an IP address nor a name`, help: null };
  }
  return null;
}

/** "10.0.0.x", as examples have it, could be a name, but never is one. */
function isPlaceholder(labels: readonly string[]): boolean {
  return (
    labels.length === 4 &&
    /^\d+$/.test(labels[0]!) &&
    labels.every((label) => /^(?:\d+|[xyzn]{1,3})$/i.test(label))
  );
}

function explainBadIpv4(labels: readonly string[]): string {
  if (labels.length !== 4) return `An IPv4 address has four numbers; this has ${labels.length}.`;
  const bad = labels.find((label) => !/^(0|[1-9]\d{0,2})$/.test(label) || Number(label) > 255);
  const reason = bad !== undefined && /^\d+$/.test(bad) ? "is not between 0 and 255" : "is no number";
  return `\`${displayText(bad ?? "")}\` ${reason}; write the server's real address, such as 192.168.1.10.`;
}

/** HAProxy resolves `$NAME` and `${NAME}` in addresses even outside quotes. */
export function expandVariables(text: string, lookup: VariableLookup): string {
  return text.replace(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (_, braced: string | undefined, plain: string | undefined) => lookup(braced ?? plain ?? "") ?? "",
  );
}

/** One listening address for each port of the range. */
export function toListenAddresses(endpoint: Endpoint): ListenAddress[] {
  if (endpoint.kind === "unix")
    return [{ kind: "unix", path: endpoint.path, mode: null, uid: null, gid: null }];
  if (endpoint.kind === "abstract") return [{ kind: "abstract", name: endpoint.name }];
  if (endpoint.kind === "fd") return [{ kind: "fd", fd: endpoint.fd }];
  const { low, high } = endpoint.port?.kind === "range" ? endpoint.port : { low: 0, high: 0 };
  // `*` and an empty host mean all IPv4 addresses, `::` all of both families (manual, bind).
  const host = endpoint.host !== "" ? endpoint.host : endpoint.family === 6 ? "::" : "0.0.0.0";
  return Array.from({ length: high - low + 1 }, (_, i) => ({ kind: "tcp", host, port: low + i }));
}
