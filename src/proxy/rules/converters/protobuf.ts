// Fields of Protocol Buffers messages (protobuf.dev/programming-guides/encoding), alone or behind the five
// bytes of a gRPC message. Fields are found by numbers: `protobuf(2.1,int32)` is the first field of the
// second. Without a type the bytes of a value are given as they stand.
import { type ConverterCompiler, typed } from "../converter.ts";
import { textParameter } from "../fetch.ts";
import { integerSample, latin1 } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";

type Names = "protobuf" | "ungrpc";

export const PROTOBUF_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  protobuf: typed<string>((parameters) => {
    const path = textParameter(parameters, 0).split(".").map(Number);
    const type = textParameter(parameters, 1);
    return (value) => findField(Buffer.from(value, "latin1"), path, type);
  }),
  ungrpc: typed<string>((parameters) => {
    const path = textParameter(parameters, 0).split(".").map(Number);
    const type = textParameter(parameters, 1);
    return (value) => {
      const message = Buffer.from(value, "latin1");
      return message.length <= GRPC_HEADER ? undefined : findField(message.subarray(GRPC_HEADER), path, type);
    };
  }),
};

/** A flag for compression and the length of the message. */
const GRPC_HEADER = 5;

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

interface NumberType {
  readonly wire: number;
  readonly read: (bytes: Buffer) => SampleValue | undefined;
}

const plainVarint: NumberType = { wire: WIRE.varint, read: (bytes) => integerSample(varintOf(bytes)) };
const zigzagVarint: NumberType = {
  wire: WIRE.varint,
  read: (bytes) => {
    const value = varintOf(bytes);
    return integerSample(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)));
  },
};

/** HAProxy narrows no varint to its type, and drops fractions. */
const NUMBER_TYPES: Readonly<Record<string, NumberType>> = {
  int32: plainVarint,
  int64: plainVarint,
  uint32: plainVarint,
  uint64: plainVarint,
  bool: plainVarint,
  enum: plainVarint,
  sint32: zigzagVarint,
  sint64: zigzagVarint,
  fixed64: { wire: WIRE.fixed64, read: (bytes) => integerSample(bytes.readBigUInt64LE()) },
  sfixed64: { wire: WIRE.fixed64, read: (bytes) => integerSample(bytes.readBigInt64LE()) },
  double: { wire: WIRE.fixed64, read: (bytes) => wholeOf(bytes.readDoubleLE()) },
  fixed32: { wire: WIRE.fixed32, read: (bytes) => bytes.readUInt32LE() },
  sfixed32: { wire: WIRE.fixed32, read: (bytes) => bytes.readInt32LE() },
  float: { wire: WIRE.fixed32, read: (bytes) => wholeOf(bytes.readFloatLE()) },
};

function wholeOf(value: number): SampleValue | undefined {
  return Number.isFinite(value) ? integerSample(BigInt(Math.trunc(value))) : undefined;
}

/** Undefined when there is no such field, it has another type, or the bytes are no message. */
function findField(message: Buffer, path: readonly number[], type: string): SampleValue | undefined {
  const found = locate(message, path);
  if (found === null) return undefined;
  if (type === "") return latin1(found.bytes);
  const { wire, read } = NUMBER_TYPES[type]!;
  return wire === found.wire ? read(found.bytes) : undefined;
}

interface Field {
  readonly wire: number;
  readonly bytes: Buffer;
}

/** The first field of the path's first number, and the rest of the path inside of it. */
function locate(message: Buffer, path: readonly number[]): Field | null {
  const [number, ...rest] = path;
  for (let at = 0; at < message.length; ) {
    const key = readVarint(message, at);
    if (key === null) return null;
    const wire = Number(key.value & 7n);
    const span = spanOf(message, key.end, wire);
    if (span === null) return null;
    at = span.end;
    if (Number(key.value >> 3n) !== number) continue;
    const bytes = message.subarray(span.start, span.end);
    if (rest.length === 0) return { wire, bytes };
    return wire === WIRE.bytes ? locate(bytes, rest) : null;
  }
  return null;
}

/** Where a value stands. Null for one that is cut off, and for groups, which are out of use. */
function spanOf(message: Buffer, start: number, wire: number): { start: number; end: number } | null {
  let from = start;
  let end: number;
  if (wire === WIRE.varint) end = readVarint(message, start)?.end ?? Number.POSITIVE_INFINITY;
  else if (wire === WIRE.fixed64) end = start + 8;
  else if (wire === WIRE.fixed32) end = start + 4;
  else if (wire === WIRE.bytes) {
    const length = readVarint(message, start);
    if (length === null) return null;
    from = length.end;
    end = from + Number(length.value);
  } else return null;
  return end > message.length ? null : { start: from, end };
}

const VARINT_BYTES_MAX = 10;

function readVarint(message: Buffer, start: number): { value: bigint; end: number } | null {
  for (let at = start; at < message.length && at < start + VARINT_BYTES_MAX; at++) {
    if (message[at]! < 0x80) return { value: varintOf(message.subarray(start, at + 1)), end: at + 1 };
  }
  return null;
}

function varintOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const [index, byte] of bytes.entries()) value |= BigInt(byte & 0x7f) << BigInt(7 * index);
  return BigInt.asUintN(64, value);
}
