// Values that are addresses: IP, subnets, ranges and MACs, each with what people write instead and what to
// say then.
import {
  compareIps,
  familyOfIp,
  formatSubnet,
  type Ip,
  type IpRange,
  lastOfSubnet,
  parseIp,
  parseSubnet,
  type Subnet,
  subnetOf,
  valueOfIp,
} from "../../base/ip.ts";
import { type Mac, parseMac } from "../../base/mac.ts";
import { nearestWord } from "../../diagnostic/nearest-word.ts";
import type { InterfaceAddress, Located } from "../../model/datacenter.ts";
import { type Complaint, complaint, type Parsed, scalar, type ValueType } from "./value-type.ts";

const STRING = { type: "string" } as const;

export const ip: ValueType<Located<Ip>> = scalar("an address", STRING, parseIpWord);

/** An address, or one word in its place. */
export function ipOr<const W extends string>(word: W): ValueType<Located<Ip | W>> {
  return scalar<Ip | W>(`an address or \`${word}\``, STRING, (text) =>
    text === word
      ? { value: word }
      : nearestWord(text, [word]) === word
        ? complaint("bad-address", `\`${text}\` is not an address`, `Did you mean \`${word}\`?`)
        : parseIpWord(text),
  );
}

export const subnet: ValueType<Located<Subnet>> = scalar(
  "a subnet such as 192.168.10.0/24",
  STRING,
  (text) => {
    const parsed = parseSubnetWord(text);
    if (parsed !== null) return parsed;
    const address = parseIp(text);
    if (address === null) return addressComplaint(text, "a subnet");
    const guess = formatSubnet(subnetOf(address, familyOfIp(address) === 4 ? 24 : 64));
    return complaint(
      "missing-prefix",
      `the prefix length of ${text} is missing`,
      `Write ${guess}, if it is that.`,
    );
  },
);

/** `default`, a subnet, or a single address. */
export const routeTarget: ValueType<Located<Subnet | "default">> = scalar<Subnet | "default">(
  "a subnet, an address or `default`",
  STRING,
  (text) => {
    if (text === "default") return { value: "default" };
    const parsed = parseSubnetWord(text);
    if (parsed !== null) return parsed;
    const address = parseIp(text);
    if (address === null) return addressComplaint(text, "a subnet");
    return { value: subnetOf(address, familyOfIp(address) === 4 ? 32 : 128) };
  },
);

/** An address with the prefix length of its subnet, as `ip address` has it. */
export const interfaceAddress: ValueType<Located<InterfaceAddress>> = scalar(
  "an address with prefix length such as 192.168.10.1/24",
  STRING,
  (text) => {
    const parsed = parseSubnet(text);
    if (parsed !== null) return { value: { ip: parsed.ip, prefix: parsed.subnet.prefix } };
    const address = parseIp(text);
    if (address === null) return addressComplaint(text, "an address with prefix length");
    const guess = `${text}/${familyOfIp(address) === 4 ? 24 : 64}`;
    return complaint(
      "missing-prefix",
      `the prefix length of ${text} is missing`,
      `Write ${guess}, if it is that.`,
    );
  },
);

export const ipRange: ValueType<Located<IpRange>> = scalar(
  "addresses such as 192.168.10.50-192.168.10.99",
  STRING,
  parseRangeWord,
);

export const mac: ValueType<Located<Mac>> = scalar(
  'a MAC address such as "00:50:56:00:00:11"',
  STRING,
  (text) => {
    const parsed = parseMac(text);
    if (parsed === null) {
      const help = 'It is six bytes in hexadecimal: "00:50:56:00:00:11".';
      return complaint("bad-mac", `\`${text}\` is no MAC address`, help);
    }
    // An interface's own address is never one of a group (IEEE 802-2014, 8.2.2).
    if ((Number.parseInt(parsed.slice(0, 2), 16) & 1) === 0) return { value: parsed };
    return complaint(
      "bad-mac",
      `${text} is a group address: its first byte is odd`,
      "Take one with an even first byte.",
    );
  },
);

export const ipAndPort: ValueType<Located<{ readonly ip: Ip; readonly port: number }>> = scalar(
  "an address and port such as 203.0.113.10:443",
  STRING,
  (text): Parsed<{ readonly ip: Ip; readonly port: number }> => {
    const parsed = parseIpAndPort(text);
    if (!("value" in parsed)) return parsed;
    const { ip: address, port } = parsed.value;
    if (port !== null) return { value: { ip: address, port } };
    const shown = text.includes(":") ? `"[${text}]:443"` : `"${text}:443"`;
    return complaint("missing-port", `the port of ${text} is missing`, `Write ${shown}, if it is that.`);
  },
);

export const ipAndMaybePort: ValueType<Located<{ readonly ip: Ip; readonly port: number | null }>> = scalar(
  "an address, or an address and port",
  STRING,
  parseIpAndPort,
);

/** "203.0.113.10", "203.0.113.10:443", "2001:db8::1", "[2001:db8::1]:443". */
function parseIpAndPort(text: string): Parsed<{ readonly ip: Ip; readonly port: number | null }> {
  const alone = parseIp(text.replace(/^\[(.*)\]$/, "$1"));
  if (alone !== null) return { value: { ip: alone, port: null } };
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  const address = match === null ? null : parseIp((match[1] ?? match[2])!);
  if (match === null || address === null)
    return addressComplaint(text.replace(/:\d+$/, ""), "an address and port");
  const digits = match[3]!;
  const port = Number(digits);
  if (port >= 1 && port <= 65_535) return { value: { ip: address, port } };
  return {
    ...complaint("bad-port", `${digits} is no port`, "A port is 1 to 65535."),
    from: text.length - digits.length,
  };
}

function parseIpWord(text: string): Parsed<Ip> {
  const parsed = parseIp(text);
  if (parsed !== null) return { value: parsed };
  const withPrefix = parseSubnet(text);
  if (withPrefix === null) return addressComplaint(text, "an address");
  return complaint(
    "bad-address",
    `\`${text}\` has a prefix length, which its network says already`,
    `Write ${withPrefix.ip}.`,
  );
}

/** Null when it is no address with a prefix length at all. */
export function parseSubnetWord(text: string): Parsed<Subnet> | null {
  const parsed = parseSubnet(text);
  if (parsed === null) return null;
  if (!parsed.hasHostBits) return { value: parsed.subnet };
  const fix = formatSubnet(parsed.subnet);
  return complaint("host-bits", `\`${text}\` is an address inside a subnet, not the subnet`, `Write ${fix}.`);
}

/** `a-b`, or a single address. */
export function parseRangeWord(text: string): Parsed<IpRange> {
  const single = parseIp(text);
  if (single !== null) return { value: { first: single, last: single } };
  const parts = text.split("-").map((part) => part.trim());
  const [from = "", to = ""] = parts;
  const [first, last] = [parseIp(from), parseIp(to)];
  if (parts.length !== 2 || first === null || last === null) return rangeComplaint(text, parts);
  const [family, other] = [familyOfIp(first), familyOfIp(last)];
  if (family !== other)
    return complaint("bad-range", `${text} begins with IPv${family} and ends with IPv${other}`);
  if (compareIps(first, last) > 0)
    return complaint("bad-range", `${text} ends before it begins`, `Write ${last}-${first}.`);
  return { value: { first, last } };
}

function rangeComplaint(text: string, [from = "", to = "", ...rest]: readonly string[]): Complaint {
  const words = `\`${text}\` is no range of addresses`;
  const subnetSaid = parseSubnet(text)?.subnet;
  if (subnetSaid !== undefined)
    return complaint(
      "bad-range",
      words,
      `Write ${subnetSaid.first}-${lastOfSubnet(subnetSaid)}, if it is all of them.`,
    );
  if (rest.length === 0 && parseIp(from) !== null && /^\d{1,3}$/.test(to))
    return complaint("bad-range", words, `Write ${from}-${from.replace(/\d+$/, to)}.`);
  const wrong = [from, to].find((part) => part !== "" && parseIp(part) === null);
  if (rest.length === 0 && to !== "" && wrong !== undefined)
    return {
      ...addressComplaint(wrong, "an address"),
      from: text.indexOf(wrong),
      to: text.indexOf(wrong) + wrong.length,
    };
  return complaint("bad-range", words, "Write first-last, such as 192.168.10.50-192.168.10.99.");
}

/** What is wrong with something that should have been an address, as exactly as can be said. */
export function addressComplaint(text: string, words: string): Complaint {
  const complain = (reason: string, help: string | null = null): Complaint =>
    complaint("bad-address", `\`${text}\` is not ${words}${reason}`, help);
  const slash = text.indexOf("/");
  const prefix = slash < 0 ? null : text.slice(slash + 1);
  if (prefix !== null && parseIp(text.slice(0, slash)) !== null) {
    const bits = prefixOfNetmask(prefix);
    if (bits !== null)
      return complain(": a prefix length is a number of bits", `Write ${text.slice(0, slash)}/${bits}.`);
    return complain(
      `: /${prefix} is no prefix length`,
      text.includes(":") ? "It is 0 to 128." : "It is 0 to 32.",
    );
  }
  const numbers = (slash < 0 ? text : text.slice(0, slash)).split(".");
  if (numbers.length !== 4 || text.includes(":"))
    return complain("", /^[\d.]+$/.test(text) ? "An IPv4 address has four numbers." : null);
  const high = numbers.find((number) => /^\d+$/.test(number) && Number(number) > 255);
  if (high !== undefined) return complain(`: ${high} is more than 255`);
  const padded = numbers.find((number) => /^0\d+$/.test(number));
  if (padded !== undefined)
    return complain(
      `: ${padded} has a leading zero`,
      `Write ${Number(padded)}: many programs read a leading zero as octal.`,
    );
  const letters = numbers.find((number) => !/^\d+$/.test(number));
  return complain(
    letters === undefined ? "" : letters === "" ? ": a number is missing" : `: \`${letters}\` is no number`,
  );
}

/** "255.255.255.0" has 24; null when it is no netmask. */
function prefixOfNetmask(text: string): number | null {
  const netmask = parseIp(text);
  if (netmask === null || familyOfIp(netmask) !== 4) return null;
  const match = /^(1*)0*$/.exec(valueOfIp(netmask).toString(2).padStart(32, "0"));
  return match === null ? null : match[1]!.length;
}
