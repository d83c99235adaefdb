// Header blocks as tests like them: fields as text, names and values in turn.
import { fieldNameOf, nameKey } from "./field-name.ts";
import { HeaderField } from "./header-field.ts";
import type { FieldSink, HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

export class TextFields implements FieldSink {
  readonly fields: string[] = [];

  receiveField(field: HeaderField): void {
    this.fields.push(field.name, field.value);
  }
}

/** Null: malformed. */
export function decodeBlock(
  decoder: HpackDecoder,
  block: Uint8Array,
  listBytesMax = 65_536,
): string[] | null {
  const sink = new TextFields();
  return decoder.decode(block, 0, block.length, listBytesMax, sink) ? sink.fields : null;
}

export function encodeBlock(encoder: HpackEncoder, fields: readonly string[]): Uint8Array {
  const parts = pairsOf(fields).map(([name, value]) => HeaderField.of(name, value));
  const lengthMax = parts.reduce((sum, { end }) => sum + end + HpackEncoder.fieldOverheadMax, 0);
  const block = new Uint8Array(lengthMax + HpackEncoder.blockStartLengthMax);
  let at = encoder.beginBlock(block, 0);
  for (const { bytes, start, nameEnd, valueStart, valueEnd } of parts) {
    const name = fieldNameOf(nameKey(bytes, start, nameEnd), bytes, start);
    at = encoder.encodeField(name, bytes, start, nameEnd, valueStart, valueEnd, block, at);
  }
  return block.subarray(0, at);
}

/** As a decoder passes them on. */
export function passFields(fields: readonly string[], sink: FieldSink): void {
  for (const [name, value] of pairsOf(fields)) sink.receiveField(HeaderField.of(name, value));
}

export function pairsOf(fields: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i]!, fields[2 * i + 1]!]);
}
