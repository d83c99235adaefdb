// Bodies that tell whose they are: each follows from a name and a length, so that both ends can check every
// byte, and no byte sequence of one request passes for another's.

/** `length` printable bytes that follow from `name`. */
export function contentOf(name: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = hashOf(name);
  for (let i = 0; i < length; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i;
    bytes[i] = 33 + ((state >>> 8) % 90);
  }
  return bytes;
}

/** Null when equal; else where the first difference is. */
export function differenceBetween(expected: Uint8Array, actual: Uint8Array): string | null {
  const shorter = Math.min(expected.length, actual.length);
  for (let i = 0; i < shorter; i++) {
    if (expected[i] === actual[i]) continue;
    const seen = Buffer.from(actual.subarray(i, i + 24)).toString("latin1");
    return `byte ${i} of ${expected.length} differs: ${JSON.stringify(seen)}`;
  }
  return expected.length === actual.length ? null : `${actual.length} bytes instead of ${expected.length}`;
}

/** True when `actual` is the beginning of `expected`, or all of it. */
export function isPrefix(expected: Uint8Array, actual: Uint8Array): boolean {
  return (
    actual.length <= expected.length && Buffer.compare(expected.subarray(0, actual.length), actual) === 0
  );
}

function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash | 1;
}
