// The question in the words of `sallyport explain FILE FROM to TO [tcp PORT]`, as a value.
import { type Ip, parseIp } from "../../base/ip.ts";
import type { IpProtocol, Reference } from "../../model/datacenter.ts";
import type { TraceQuestion } from "../../model/trace.ts";

export type PacketWords =
  /** "web-001 to web-002 tcp 80" */
  | { readonly kind: "packet"; readonly question: TraceQuestion }
  /** "web-001 and web-002": do these two need a router? */
  | { readonly kind: "pair"; readonly first: Reference; readonly second: Reference }
  | { readonly kind: "wrong"; readonly message: string; readonly help: string | null };

const USAGE = "sallyport explain FILE FROM to TO [tcp|udp|icmp] [PORT]";

/**
 * `words`: those behind the file. A port may also stand at the address, as in "203.0.113.10:8001"; without a
 * protocol it is tcp with a port and icmp without.
 */
export function readPacketWords(words: readonly string[]): PacketWords {
  const [from, preposition, to, ...rest] = words;
  if (from === undefined) return wrong("who sends?", USAGE);
  if (preposition === undefined || to === undefined)
    return wrong(`${from} to whom?`, `sallyport explain FILE ${from} to TO`);
  if (preposition === "and") {
    if (rest.length > 0) return wrong(`two names: what is ${rest[0]}?`, null);
    return { kind: "pair", first: readReference(from), second: readReference(to) };
  }
  if (preposition !== "to") return wrong(`'to' is expected before ${to}, not '${preposition}'`, USAGE);
  const target = splitPort(to);
  let port = target.port;
  let protocol: IpProtocol | null = null;
  for (const word of rest) {
    if (word === "tcp" || word === "udp" || word === "icmp" || word === "ping") {
      if (protocol !== null) return wrong(`one protocol, not ${protocol} and ${word}`, null);
      protocol = word === "ping" ? "icmp" : word;
    } else {
      if (port !== null) return wrong(`one port, not ${port} and ${word}`, null);
      port = readPort(word);
      if (port === null) return wrong(`${word} is neither a protocol nor a port`, "A port is 1 to 65535.");
    }
  }
  if (protocol === "icmp" && port !== null) return wrong("icmp has no ports", null);
  if ((protocol === "tcp" || protocol === "udp") && port === null)
    return wrong(`which ${protocol} port?`, `sallyport explain FILE ${from} to ${to} ${protocol} 80`);
  protocol ??= port === null ? "icmp" : "tcp";
  return {
    kind: "packet",
    question: { from: readReference(from), to: target.to, protocol, port, sourcePort: null },
  };
}

/** "web-001", "shop.test-a", "shop.test-a/web". Whether there is such a thing is for the network to say. */
export function readReference(text: string): Reference {
  const [path = "", machine = null] = text.split("/", 2);
  const dot = path.indexOf(".");
  if (dot < 0) return { text, vapp: null, copy: null, name: text };
  return { text, vapp: path.slice(0, dot), copy: path.slice(dot + 1), name: machine };
}

function splitPort(text: string): { readonly to: Ip | Reference; readonly port: number | null } {
  const whole = parseIp(text);
  if (whole !== null) return { to: whole, port: null };
  const match = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) return { to: readReference(text), port: null };
  const host = (match[1] ?? match[2])!;
  return { to: parseIp(host) ?? readReference(host), port: readPort(match[3]!) };
}

function readPort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}

function wrong(message: string, help: string | null): PacketWords {
  return { kind: "wrong", message, help };
}
