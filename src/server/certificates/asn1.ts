// Reading and writing of ASN.1 as certificates and key files need it: a thin, strict layer over node-forge's
// BER reader and DER writer with Uint8Array instead of binary strings. Accessors throw MalformedAsn1 when a
// file is not shaped as expected; whoever reads a file catches it once.
import forge from "node-forge";

export type Asn1 = forge.asn1.Asn1;

/** The bytes are not what the format says. Caught by the reader of the file, never seen by others. */
export class MalformedAsn1 extends Error {}

const { Class, Type } = forge.asn1;

/** Parses BER, DER included: one value, complete, with nothing behind it. */
export function parseAsn1(bytes: Uint8Array): Asn1 {
  try {
    return forge.asn1.fromDer(toBinary(bytes), true);
  } catch (error) {
    throw new MalformedAsn1((error as Error).message);
  }
}

export function childrenOf(node: Asn1 | undefined): readonly Asn1[] {
  if (node === undefined || !Array.isArray(node.value)) throw new MalformedAsn1("a structure is missing");
  return node.value;
}

export function childOf(node: Asn1 | undefined, index: number): Asn1 {
  const child = childrenOf(node)[index];
  if (child === undefined) throw new MalformedAsn1("a structure ends early");
  return child;
}

export function oidOf(node: Asn1 | undefined): string {
  if (node?.type !== Type.OID || typeof node.value !== "string")
    throw new MalformedAsn1("an object identifier is missing");
  return forge.asn1.derToOid(node.value);
}

/** The bytes of an OCTET STRING (or of one with an implicit tag), also of one in pieces, as BER allows. */
export function octetsOf(node: Asn1 | undefined): Uint8Array {
  if (node === undefined) throw new MalformedAsn1("a string of bytes is missing");
  // A constructed string's own bytes can look like ASN.1; only the flag tells pieces from content.
  if (typeof node.value === "string") return fromBinary(node.value);
  return Buffer.concat(node.value.map(octetsOf));
}

/** A non-negative INTEGER that a double holds exactly. */
export function integerOf(node: Asn1 | undefined): number {
  const bytes = node?.type === Type.INTEGER ? octetsOf(node) : new Uint8Array();
  if (bytes.length === 0 || bytes.length > 7 || bytes[0]! > 0x7f)
    throw new MalformedAsn1("a number is missing or out of range");
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function sequence(...items: readonly Asn1[]): Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...items]);
}

export function set(...items: readonly Asn1[]): Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, Type.SET, true, [...items]);
}

export function objectIdentifier(oid: string): Asn1 {
  return primitive(Type.OID, forge.asn1.oidToDer(oid).getBytes());
}

/** `bytes` is big-endian two's complement, as DER has it. */
export function integer(bytes: Uint8Array): Asn1 {
  return primitive(Type.INTEGER, toBinary(bytes));
}

export function booleanTrue(): Asn1 {
  return primitive(Type.BOOLEAN, "\xff");
}

export function octetString(bytes: Uint8Array): Asn1 {
  return primitive(Type.OCTETSTRING, toBinary(bytes));
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Asn1 {
  return primitive(Type.BITSTRING, String.fromCharCode(unusedBits) + toBinary(bytes));
}

export function utf8String(text: string): Asn1 {
  return primitive(Type.UTF8, toBinary(Buffer.from(text, "utf8")));
}

/** UTCTime until 2049 and GeneralizedTime from then on, as RFC 5280 section 4.1.2.5 wants it. */
export function time(milliseconds: number): Asn1 {
  const date = new Date(milliseconds);
  if (date.getUTCFullYear() < 2050) return primitive(Type.UTCTIME, forge.asn1.dateToUtcTime(date));
  return primitive(Type.GENERALIZEDTIME, forge.asn1.dateToGeneralizedTime(date));
}

/** A value with a context-specific tag: around other values, or in place of a primitive's own tag. */
export function tagged(tag: number, content: readonly Asn1[] | Uint8Array): Asn1 {
  const type = tag as forge.asn1.Type; // Context-specific tags share the field with universal types.
  if (content instanceof Uint8Array)
    return forge.asn1.create(Class.CONTEXT_SPECIFIC, type, false, toBinary(content));
  return forge.asn1.create(Class.CONTEXT_SPECIFIC, type, true, [...content]);
}

export function toDer(node: Asn1): Uint8Array {
  return fromBinary(forge.asn1.toDer(node).getBytes());
}

function primitive(type: forge.asn1.Type, value: string): Asn1 {
  return forge.asn1.create(Class.UNIVERSAL, type, false, value);
}

function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function fromBinary(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
