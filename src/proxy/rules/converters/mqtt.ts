// Fields of the first packets of MQTT, CONNECT and CONNACK, in versions 3.1, 3.1.1 and 5.0 (OASIS). As in
// HAProxy no other packet is valid, since each side begins with one of these. Undefined, so that a rule
// waits, while more may come.
import { type ConverterCompiler, typed } from "../converter.ts";
import { textParameter } from "../fetch.ts";

type Names = "mqtt_is_valid" | "mqtt_field_value";

export const MQTT_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  mqtt_is_valid: typed<string>(() => (value) => {
    const packet = readPacket(Buffer.from(value, "latin1"));
    return packet === "incomplete" ? undefined : packet !== "invalid";
  }),
  mqtt_field_value: typed<string>((parameters) => {
    const type = textParameter(parameters, 0).toLowerCase();
    const wanted = type === "connect" || type === "1" ? CONNECT : CONNACK;
    const field = textParameter(parameters, 1).toLowerCase();
    return (value) => {
      const packet = readPacket(Buffer.from(value, "latin1"));
      if (typeof packet === "string" || packet.type !== wanted) return undefined;
      return packet.fields.get(field);
    };
  }),
};

interface Packet {
  readonly type: number;
  readonly fields: ReadonlyMap<string, string>;
}

const CONNECT = 1;
const CONNACK = 2;

const FORMS: Readonly<Record<string, readonly number[]>> = {
  byte: [1, 23, 25, 36, 37, 40, 41, 42],
  short: [19, 33, 34, 35],
  long: [2, 17, 24, 39],
  varint: [11],
  text: [3, 8, 9, 18, 21, 22, 26, 28, 31],
  pair: [38],
};
const CONNECT_PROPERTIES = [17, 33, 39, 34, 25, 23, 38, 21, 22];
const WILL_PROPERTIES = [24, 1, 2, 3, 8, 9, 38];
const CONNACK_PROPERTIES = [17, 33, 36, 37, 39, 18, 34, 31, 38, 40, 41, 42, 19, 26, 28, 21, 22];
const USER_PROPERTY = 38;

/** Reads from front to back; `isBad` once anything was missing. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  isBad = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  integer(size: number): number {
    if (this.left < size) return this.#fail();
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  /** Up to four bytes, seven bits in each, the lowest first. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.integer(1);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return this.#fail();
  }

  take(length: number): Buffer {
    if (this.left < length) this.#fail();
    const from = this.#at;
    this.#at = Math.min(this.#bytes.length, from + length);
    return this.#bytes.subarray(from, this.#at);
  }

  text(): string {
    return this.take(this.integer(2)).toString("latin1");
  }

  #fail(): number {
    this.isBad = true;
    this.#at = this.#bytes.length;
    return 0;
  }
}

function readPacket(bytes: Buffer): Packet | "incomplete" | "invalid" {
  const first = bytes[0];
  if (first === undefined) return "incomplete";
  const type = first >> 4;
  if ((type !== CONNECT && type !== CONNACK) || (first & 15) !== 0) return "invalid";
  const lengthBytes = bytes.subarray(1, 5);
  const end = lengthBytes.findIndex((byte) => byte < 0x80);
  if (end < 0) return lengthBytes.length < 4 ? "incomplete" : "invalid";
  const length = new Reader(lengthBytes).varint();
  const body = bytes.subarray(2 + end, 2 + end + length);
  if (body.length < length) return "incomplete";
  const reader = new Reader(body);
  const fields = new Map<string, string>();
  const isGood = type === CONNECT ? readConnect(reader, fields) : readConnack(reader, fields);
  return isGood && !reader.isBad ? { type, fields } : "invalid";
}

function readConnect(reader: Reader, fields: Map<string, string>): boolean {
  const name = reader.text();
  const version = reader.integer(1);
  const flags = reader.integer(1);
  fields.set("protocol_name", name).set("protocol_version", `${version}`).set("flags", `${flags}`);
  if (!/^(mqtt|mqisdp)$/i.test(name) || version < 3 || version > 5 || (flags & 1) !== 0) return false;
  const hasWill = (flags & 0x04) !== 0;
  fields.set("keepalive", `${reader.integer(2)}`);
  if (version === 5 && !readProperties(reader, CONNECT_PROPERTIES, fields)) return false;
  fields.set("client_identifier", reader.text());
  if (hasWill) {
    if (version === 5 && !readProperties(reader, WILL_PROPERTIES, fields)) return false;
    fields.set("will_topic", reader.text()).set("will_payload", reader.text());
  }
  if ((flags & 0x80) !== 0) fields.set("username", reader.text());
  if ((flags & 0x40) !== 0) fields.set("password", reader.text());
  return reader.left === 0;
}

/** Two bytes in the versions before 5, which has properties behind them. */
function readConnack(reader: Reader, fields: Map<string, string>): boolean {
  const isVersion5 = reader.left > 2;
  const flags = reader.integer(1);
  fields.set("flags", `${flags}`).set("reason_code", `${reader.integer(1)}`);
  fields.set("protocol_version", isVersion5 ? "5" : "4");
  if (flags > 1) return false;
  return !isVersion5 || (readProperties(reader, CONNACK_PROPERTIES, fields) && reader.left === 0);
}

function readProperties(reader: Reader, allowed: readonly number[], fields: Map<string, string>): boolean {
  const list = new Reader(reader.take(reader.varint()));
  // Numbers that are not there count as 0.
  for (const id of allowed) if (isNumber(id)) fields.set(`${id}`, "0");
  const seen = new Set<number>();
  while (list.left > 0) {
    const id = list.varint();
    if (!allowed.includes(id) || (seen.has(id) && id !== USER_PROPERTY)) return false;
    seen.add(id);
    fields.set(`${id}`, readProperty(list, id));
  }
  return !list.isBad;
}

function isNumber(id: number): boolean {
  return !FORMS["text"]!.includes(id) && !FORMS["pair"]!.includes(id);
}

function readProperty(list: Reader, id: number): string {
  if (FORMS["byte"]!.includes(id)) return `${list.integer(1)}`;
  if (FORMS["short"]!.includes(id)) return `${list.integer(2)}`;
  if (FORMS["long"]!.includes(id)) return `${list.integer(4)}`;
  if (FORMS["varint"]!.includes(id)) return `${list.varint()}`;
  if (FORMS["pair"]!.includes(id)) return `${list.text()}=${list.text()}`;
  return list.text();
}
