// The values that a datacentre file has, each with what people write instead and what to say then.
import {
  compareIps,
  familyOfIp,
  formatSubnet,
  type Ip,
  type IpRange,
  parseIp,
  parseSubnet,
  type Subnet,
} from "../../base/ip.ts";
import { type Mac, parseMac } from "../../base/mac.ts";
import type {
  Endpoint,
  InterfaceAddress,
  Located,
  PortRange,
  Reference,
  Service,
  VlanId,
  VlanRange,
} from "../../model/datacenter.ts";
import { type Complaint, complaint, type Parsed, scalar, type ValueType } from "./value-type.ts";

const STRING = { type: "string" } as const;
const NUMBER_OR_STRING = { type: ["integer", "string"] } as const;

export const text: ValueType<Located<string>> = scalar("a text", STRING, (value) => ({ value }));

/** The name of something that is defined elsewhere. */
export const nameOf = (what: string): ValueType<Located<string>> =>
  scalar(`the name of ${what}`, NUMBER_OR_STRING, (value) => ({ value }));

export const boolean: ValueType<Located<boolean>> = scalar(
  "true or false",
  { type: "boolean" },
  (value, { isQuoted }) => {
    if (!isQuoted && value === "true") return { value: true };
    if (!isQuoted && value === "false") return { value: false };
    const meant = /^(yes|on|true)$/i.test(value) ? "true" : /^(no|off|false)$/i.test(value) ? "false" : null;
    return complaint(
      "bad-boolean",
      `\`${value}\` is neither true nor false`,
      meant && `Write ${meant}, without quotes.`,
    );
  },
);

/** A whole number of `first` to `last`. */
export function integer(words: string, first: number, last: number): ValueType<Located<number>> {
  return scalar(words, { type: "integer", minimum: first, maximum: last }, (value) => {
    if (!/^-?\d+$/.test(value)) return complaint("bad-number", `\`${value}\` is no whole number: ${words}`);
    const number = Number(value);
    if (number >= first && number <= last) return { value: number };
    return complaint("out-of-range", `${value} is not ${words}`, `It is ${first} to ${last}.`);
  });
}

export const ip: ValueType<Located<Ip>> = scalar("an address", STRING, parseIpWord);

export const subnet: ValueType<Located<Subnet>> = scalar(
  "a subnet such as 192.168.10.0/24",
  STRING,
  (value) => {
    const parsed = parseSubnet(value);
    if (parsed === null) return ipComplaint(value, "a subnet");
    if (!parsed.hasHostBits) return { value: parsed.subnet };
    const fix = formatSubnet(parsed.subnet);
    return complaint("host-bits", `\`${value}\` is an address in ${fix}, not a subnet`, `Write ${fix}.`);
  },
);

/** `default` or a subnet. */
export const routeTarget: ValueType<Located<Subnet | "default">> = scalar<Subnet | "default">(
  "a subnet, an address or `default`",
  STRING,
  (value) => {
    if (value === "default") return { value: "default" };
    const parsed = parseSubnet(value);
    if (parsed !== null) {
      if (!parsed.hasHostBits) return { value: parsed.subnet };
      const fix = formatSubnet(parsed.subnet);
      return complaint("host-bits", `\`${value}\` is an address in ${fix}, not a subnet`, `Write ${fix}.`);
    }
    const address = parseIp(value);
    if (address === null) return ipComplaint(value, "a subnet");
    const family = familyOfIp(address);
    return { value: { family, first: address, prefix: family === 4 ? 32 : 128 } };
  },
);

/** An address with the prefix length of its subnet. */
export const interfaceAddress: ValueType<Located<InterfaceAddress>> = scalar(
  "an address with prefix length such as 192.168.10.1/24",
  STRING,
  (value) => {
    const parsed = parseSubnet(value);
    if (parsed !== null) return { value: { ip: parsed.ip, prefix: parsed.subnet.prefix } };
    return parseIp(value) === null
      ? ipComplaint(value, "an address with prefix length")
      : complaint(
          "missing-prefix",
          `the prefix length of ${value} is missing`,
          `Write ${value}/24 if it is that.`,
        );
  },
);

export const ipRange: ValueType<Located<IpRange>> = scalar(
  "addresses such as 192.168.10.50-192.168.10.99",
  STRING,
  parseRange,
);

export const ipOrDhcp: ValueType<Located<Ip | "dhcp">> = scalar<Ip | "dhcp">(
  "an address or `dhcp`",
  STRING,
  (value) => (value === "dhcp" ? { value } : parseIpWord(value)),
);

export const ipOrNone: ValueType<Located<Ip | "none">> = scalar<Ip | "none">(
  "an address or `none`",
  STRING,
  (value) => (value === "none" ? { value } : parseIpWord(value)),
);

export const ipAndPort: ValueType<Located<{ readonly ip: Ip; readonly port: number }>> = scalar(
  "an address and port such as 203.0.113.10:443",
  STRING,
  (value) => {
    const parsed = parseIpAndPort(value);
    if ("value" in parsed && parsed.value.port === null)
      return complaint(
        "missing-port",
        `the port of ${value} is missing`,
        `Write "${value}:443" if it is that.`,
      );
    return parsed as Parsed<{ ip: Ip; port: number }>;
  },
);

export const ipAndMaybePort: ValueType<Located<{ readonly ip: Ip; readonly port: number | null }>> = scalar(
  "an address, or an address and port",
  STRING,
  parseIpAndPort,
);

export const mac: ValueType<Located<Mac>> = scalar(
  'a MAC address such as "00:50:56:00:00:11"',
  STRING,
  (value) => {
    const parsed = parseMac(value);
    if (parsed !== null) return { value: parsed };
    return complaint(
      "bad-mac",
      `\`${value}\` is no MAC address`,
      'It is six bytes in hex: "00:50:56:00:00:11".',
    );
  },
);

export const vlanId: ValueType<Located<VlanId>> = scalar(
  "a VLAN of 1 to 4094",
  { type: "integer", minimum: 1, maximum: 4094 },
  (value) => {
    const id = parseVlanId(value);
    return typeof id === "number" ? { value: id } : id;
  },
);

export const vlanRange: ValueType<Located<VlanRange>> = scalar(
  "a VLAN or several such as 30-39",
  NUMBER_OR_STRING,
  (value) => {
    const [from = "", to = from, ...rest] = value.split("-");
    if (rest.length > 0) return complaint("bad-vlan", `\`${value}\` is no range of VLANs`);
    const first = parseVlanId(from.trim());
    if (typeof first !== "number") return first;
    const last = parseVlanId(to.trim());
    if (typeof last !== "number") return last;
    if (first > last)
      return complaint("bad-range", `${value} ends before it begins`, `Write ${last}-${first}.`);
    return { value: { first, last } };
  },
);

export const portRange: ValueType<Located<PortRange>> = scalar(
  "a port or several such as 8000-8009",
  NUMBER_OR_STRING,
  (value) => {
    const match = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(value);
    if (match === null) return complaint("bad-port", `\`${value}\` is no port`, "A port is 1 to 65535.");
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    for (const port of [first, last]) {
      if (port < 1 || port > 65535)
        return complaint("bad-port", `${port} is no port`, "A port is 1 to 65535.");
    }
    if (first > last)
      return complaint("bad-range", `${value} ends before it begins`, `Write ${last}-${first}.`);
    return { value: { first, last } };
  },
);

export const port: ValueType<Located<number>> = integer("a port of 1 to 65535", 1, 65535);

/** `80`, `tcp 443`, `udp 53`. */
export const service: ValueType<Located<Service>> = scalar(
  "a port, or `udp` and a port",
  NUMBER_OR_STRING,
  (value) => {
    const match = /^(?:(tcp|udp)[ /])?(\d+)$/.exec(value);
    const number = Number(match?.[2] ?? 0);
    if (match === null || number < 1 || number > 65535)
      return complaint("bad-port", `\`${value}\` is no port`, "Write 80, tcp 443 or udp 53.");
    return { value: { protocol: match[1] === "udp" ? "udp" : "tcp", port: number } };
  },
);

const TIME_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time with its unit, in milliseconds. */
export const duration: ValueType<Located<number>> = scalar(
  "a time such as 100ms, 30s or 1h",
  STRING,
  (value) => {
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(value);
    const unit = match === null ? undefined : TIME_UNITS[match[2]!.toLowerCase()];
    if (match !== null && match[2] === "")
      return complaint(
        "missing-unit",
        `the unit of ${value} is missing`,
        `Write ${value}ms, ${value}s or ${value}h.`,
      );
    if (match === null || unit === undefined)
      return complaint("bad-time", `\`${value}\` is no time`, "Units are ms, s, m, h and d.");
    return { value: Math.round(Number(match[1]) * unit) };
  },
);

const SIZE_UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** A size in bytes. */
export const size: ValueType<Located<number>> = scalar("a size such as 512M or 4G", STRING, (value) => {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT])(?:i?B)?$/i.exec(value);
  if (match === null)
    return /^\d+$/.test(value)
      ? complaint("missing-unit", `the unit of ${value} is missing`, `Write ${value}M if it is that.`)
      : complaint("bad-size", `\`${value}\` is no size`, "Units are K, M, G and T.");
  return { value: Number(match[1]) * SIZE_UNITS[match[2]!.toUpperCase()]! };
});

/** A speed in Mbit/s. */
export const speed: ValueType<Located<number>> = scalar("a speed such as 10G or 100M", STRING, (value) => {
  const match = /^(\d+(?:\.\d+)?)\s*([MG])(?:bit(?:\/s)?|bps|b)?$/i.exec(value);
  if (match === null)
    return /^\d+$/.test(value)
      ? complaint("missing-unit", `the unit of ${value} is missing`, `Write ${value}G or ${value}M.`)
      : complaint("bad-speed", `\`${value}\` is no speed`, "Units are M and G, for Mbit/s and Gbit/s.");
  return { value: Number(match[1]) * (match[2]!.toUpperCase() === "G" ? 1000 : 1) };
});

export const mtu: ValueType<Located<number>> = integer("an MTU of 68 to 65535 bytes", 68, 65535);

/** "web-001", "shop.test-a", "shop.test-a/web". */
export const reference: ValueType<Located<Reference>> = scalar("the name of a machine", STRING, (value) => {
  const parsed = parseReference(value);
  return parsed === null ? complaint("bad-name", `\`${value}\` is no name`) : { value: parsed };
});

export const endpoint: ValueType<Located<Endpoint>> = scalar(
  "`any`, an address, a subnet, a range or a name",
  STRING,
  parseEndpoint,
);

export function parseEndpoint(value: string): Parsed<Endpoint> {
  if (value === "any") return { value: { kind: "any" } };
  const address = parseIp(value);
  if (address !== null) return { value: { kind: "address", ip: address } };
  const parsed = parseSubnet(value);
  if (parsed !== null) {
    if (!parsed.hasHostBits) return { value: { kind: "subnet", subnet: parsed.subnet } };
    const fix = formatSubnet(parsed.subnet);
    return complaint("host-bits", `\`${value}\` is an address in ${fix}, not a subnet`, `Write ${fix}.`);
  }
  if (/^[\d.:a-f]+-[\d.:a-f]+$/i.test(value) && /[.:]/.test(value)) {
    const range = parseRange(value);
    return "value" in range ? { value: { kind: "range", range: range.value } } : range;
  }
  if (/^\d+\.\d+(\.\d+)*(\/\d+)?$/.test(value)) return ipComplaint(value, "an address");
  const named = parseReference(value);
  return named === null
    ? complaint("bad-name", `\`${value}\` is neither an address nor a name`)
    : { value: { kind: "name", reference: named } };
}

/** Null when it cannot be a name. */
export function parseReference(value: string): Reference | null {
  const match = /^(?:([\p{L}\p{N}_-]+)\.([\p{L}\p{N}_-]+)(?:\/([\p{L}\p{N}_-]+))?|([\p{L}\p{N}_-]+))$/u.exec(
    value,
  );
  if (match === null) return null;
  const [, vapp, copy, machine, alone] = match;
  return vapp === undefined
    ? { text: value, vapp: null, copy: null, name: alone! }
    : { text: value, vapp, copy: copy!, name: machine ?? null };
}

export function parseIpAndPort(value: string): Parsed<{ readonly ip: Ip; readonly port: number | null }> {
  const alone = parseIp(value);
  if (alone !== null) return { value: { ip: alone, port: null } };
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(value);
  const address = match === null ? null : parseIp((match[1] ?? match[2])!);
  if (match === null || address === null)
    return ipComplaint(value.replace(/:\d+$/, ""), "an address and port");
  const number = Number(match[3]);
  if (number < 1 || number > 65535)
    return {
      ...complaint("bad-port", `${match[3]} is no port`, "A port is 1 to 65535."),
      from: value.length - match[3]!.length,
    };
  return { value: { ip: address, port: number } };
}

function parseIpWord(value: string): Parsed<Ip> {
  const parsed = parseIp(value);
  return parsed === null ? ipComplaint(value, "an address") : { value: parsed };
}

function parseRange(value: string): Parsed<IpRange> {
  const single = parseIp(value);
  if (single !== null) return { value: { first: single, last: single } };
  const parts = value.split("-").map((part) => part.trim());
  const [from = "", to = ""] = parts;
  const [first, last] = [parseIp(from), parseIp(to)];
  if (parts.length !== 2 || first === null || last === null) {
    const short = /^\d+$/.test(to) && first !== null ? `${from}-${from.replace(/\d+$/, to)}` : null;
    return complaint("bad-range", `\`${value}\` is no range of addresses`, short && `Write ${short}.`);
  }
  if (familyOfIp(first) !== familyOfIp(last))
    return complaint(
      "bad-range",
      `${value} begins with IPv${familyOfIp(first)} and ends with IPv${familyOfIp(last)}`,
    );
  if (compareIps(first, last) > 0)
    return complaint("bad-range", `${value} ends before it begins`, `Write ${last}-${first}.`);
  return { value: { first, last } };
}

function parseVlanId(value: string): VlanId | Complaint {
  if (!/^\d+$/.test(value)) return complaint("bad-vlan", `\`${value}\` is no VLAN`, "A VLAN is 1 to 4094.");
  const id = Number(value);
  if (id >= 1 && id <= 4094) return id as VlanId;
  const why = id === 0 ? "0 is for frames with a priority only" : id === 4095 ? "4095 is reserved" : null;
  return complaint(
    "bad-vlan",
    `${value} is no VLAN${why === null ? "" : `: ${why}`}`,
    "A VLAN is 1 to 4094.",
  );
}

/** What is wrong with something that should have been an address. */
function ipComplaint(value: string, words: string): Complaint {
  const numbers = value.split("/")[0]!.split(".");
  const high = numbers.find((number) => /^\d+$/.test(number) && Number(number) > 255);
  if (high !== undefined && numbers.length === 4)
    return complaint("bad-address", `\`${value}\` is not ${words}: ${high} is more than 255`);
  const padded = numbers.find((number) => /^0\d+$/.test(number));
  if (padded !== undefined && numbers.length === 4) {
    const help = `Write ${Number(padded)} instead of ${padded}: some programs read a leading zero as octal.`;
    return complaint("bad-address", `\`${value}\` is not ${words}: ${padded} has a leading zero`, help);
  }
  const letter = numbers.length === 4 ? numbers.find((number) => !/^\d+$/.test(number)) : undefined;
  if (letter !== undefined)
    return complaint("bad-address", `\`${value}\` is not ${words}: \`${letter}\` is no number`);
  return complaint("bad-address", `\`${value}\` is not ${words}`);
}
