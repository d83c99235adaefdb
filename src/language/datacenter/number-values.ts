// Values that are numbers: counts, VLANs, ports, and times, sizes and speeds with their units.
import type { Located, PortRange, Service, VlanId, VlanRange } from "../../model/datacenter.ts";
import { type Complaint, complaint, type Parsed, scalar, type ValueType } from "./value-type.ts";

const NUMBER_OR_STRING = { type: ["integer", "string"] } as const;

/** A whole number of `first` to `last`. */
export function integer(words: string, first: number, last: number): ValueType<Located<number>> {
  return scalar(
    `${words}, ${first} to ${last}`,
    { type: "integer", minimum: first, maximum: last },
    (text) => {
      // A leading zero is octal to some: 010 is 8 or 10.
      if (!/^-?(0|[1-9]\d*)$/.test(text))
        return complaint(
          "bad-number",
          `\`${text}\` is not ${words}`,
          "Write a whole number, without leading zeros.",
        );
      const number = Number(text);
      if (number >= first && number <= last) return { value: number };
      return complaint("out-of-range", `${text} is not ${words}`, `It is ${first} to ${last}.`);
    },
  );
}

export const mtu: ValueType<Located<number>> = integer("an MTU in bytes", 68, 65_535);

export const vlanId: ValueType<Located<VlanId>> = scalar(
  "a VLAN, 1 to 4094",
  { type: "integer", minimum: 1, maximum: 4094 },
  parseVlanWord,
);

export const vlanRange: ValueType<Located<VlanRange>> = scalar(
  "a VLAN or several such as 30-39",
  NUMBER_OR_STRING,
  parseVlanRangeWord,
);

export function parseVlanRangeWord(text: string): Parsed<VlanRange> {
  const [from = "", to = from, ...rest] = text.split("-").map((part) => part.trim());
  if (rest.length > 0)
    return complaint("bad-vlan", `\`${text}\` is no range of VLANs`, "A range is written as 30-39.");
  const first = parseVlanWord(from);
  if (!("value" in first)) return first;
  const last = parseVlanWord(to);
  if (!("value" in last)) return last;
  if (first.value > last.value)
    return complaint("bad-range", `${text} ends before it begins`, `Write ${last.value}-${first.value}.`);
  return { value: { first: first.value, last: last.value } };
}

function parseVlanWord(text: string): Parsed<VlanId> {
  const id = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : null;
  if (id === null) return complaint("bad-vlan", `\`${text}\` is no VLAN`, "A VLAN is 1 to 4094.");
  if (id >= 1 && id <= 4094) return { value: id as VlanId };
  if (id === 0)
    return complaint(
      "bad-vlan",
      "0 is no VLAN: it marks frames that have a priority only",
      "A VLAN is 1 to 4094.",
    );
  if (id === 4095)
    return complaint("bad-vlan", "4095 is no VLAN: the standard keeps it", "A VLAN is 1 to 4094.");
  return complaint("bad-vlan", `${text} is no VLAN`, "A VLAN is 1 to 4094.");
}

export const port: ValueType<Located<number>> = scalar(
  "a port, 1 to 65535",
  { type: "integer", minimum: 1, maximum: 65_535 },
  (text) => parsePort(text),
);

export const portRange: ValueType<Located<PortRange>> = scalar(
  "a port or several such as 8000-8009",
  NUMBER_OR_STRING,
  (text) => {
    const [from = "", to = from, ...rest] = text.split("-").map((part) => part.trim());
    if (rest.length > 0) return badPort(text);
    const first = parsePort(from);
    if (!("value" in first)) return first;
    const last = parsePort(to);
    if (!("value" in last)) return last;
    if (first.value > last.value)
      return complaint("bad-range", `${text} ends before it begins`, `Write ${last.value}-${first.value}.`);
    return { value: { first: first.value, last: last.value } };
  },
);

/** `80`, `tcp 443`, `udp 53`. */
export const service: ValueType<Located<Service>> = scalar(
  "a port, or `udp` and a port",
  NUMBER_OR_STRING,
  (text) => {
    const match = /^(?:(\w+)(?:\s+|[/:]))?(\d+)$/.exec(text);
    const protocol = match?.[1] ?? "tcp";
    if (match === null || (protocol !== "tcp" && protocol !== "udp"))
      return complaint("bad-port", `\`${text}\` is no port`, "Write 80, tcp 443 or udp 53.");
    const number = parsePort(match[2]!);
    return "value" in number ? { value: { protocol, port: number.value } } : number;
  },
);

export function parsePort(text: string): Parsed<number> {
  const number = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= 65_535 ? { value: number } : badPort(text);
}

function badPort(text: string): Complaint {
  return complaint("bad-port", `\`${text}\` is no port`, "A port is 1 to 65535.");
}

const TIME_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time with its unit, in milliseconds. `usual` is the unit that a bare number was probably meant in. */
export function duration(usual: "ms" | "s"): ValueType<Located<number>> {
  return scalar("a time such as 100ms, 30s or 1h", { type: ["string", "integer"] }, (text) => {
    if (text === "0") return { value: 0 };
    const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
    if (match === null)
      return complaint("bad-time", `\`${text}\` is no time`, "Write 100ms, 30s, 5m, 12h or 1d.");
    const [, number, unit] = match;
    if (unit === "")
      return complaint(
        "missing-unit",
        `the unit of ${text} is missing`,
        `Write ${text}${usual}, if it is that.`,
      );
    const factor = Object.hasOwn(TIME_UNITS, unit!) ? TIME_UNITS[unit!] : undefined;
    if (factor === undefined)
      return complaint("bad-time", `\`${unit}\` is no unit of time`, "Units are ms, s, m, h and d.");
    const milliseconds = Number(number) * factor;
    if (!Number.isInteger(milliseconds) || milliseconds > Number.MAX_SAFE_INTEGER)
      return complaint("bad-time", `${text} is no whole number of milliseconds`);
    return { value: milliseconds };
  });
}

const SIZE_UNITS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** In bytes. */
export const size: ValueType<Located<number>> = scalar(
  "a size such as 512M or 4G",
  { type: ["string", "integer"] },
  (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*([KMGT])(?:i?B)?$/i.exec(text);
    if (match !== null) {
      const bytes = Number(match[1]) * SIZE_UNITS[match[2]!.toUpperCase()]!;
      return Number.isSafeInteger(bytes)
        ? { value: bytes }
        : complaint("bad-size", `${text} is no whole number of bytes`);
    }
    return /^\d+$/.test(text)
      ? complaint("missing-unit", `the unit of ${text} is missing`, `Write ${text}M, if it is that.`)
      : complaint("bad-size", `\`${text}\` is no size`, "Units are K, M, G and T.");
  },
);

const SPEED_UNITS: Readonly<Record<string, number>> = { M: 1, G: 1000, T: 1_000_000 };

/** In Mbit/s. */
export const speed: ValueType<Located<number>> = scalar(
  "a speed such as 10G or 100M",
  { type: ["string", "integer"] },
  (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*([MGT])(?:bit(?:\/s|ps)?|bps|b)?$/i.exec(text);
    if (match !== null) {
      const megabits = Number(match[1]) * SPEED_UNITS[match[2]!.toUpperCase()]!;
      if (Number.isSafeInteger(megabits) && megabits > 0) return { value: megabits };
      return complaint("bad-speed", `${text} is no whole number of Mbit/s`);
    }
    if (!/^\d+$/.test(text))
      return complaint("bad-speed", `\`${text}\` is no speed`, "Write 100M, 1G, 10G or 25G.");
    // `ethtool` and the kernel count in Mbit/s.
    const guess =
      Number(text) >= 1000 && Number(text) % 1000 === 0
        ? `${Number(text) / 1000}G`
        : `${text}${Number(text) < 100 ? "G" : "M"}`;
    return complaint("missing-unit", `the unit of ${text} is missing`, `Write ${guess}, if it is that.`);
  },
);
