// Numbers, times and sizes as haproxy.cfg writes them (manual, section 2.5). Bad text gives null, never an
// exception.

const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const UNIT_BYTES: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1 << 20, g: 1 << 30 };
/** HAProxy keeps times in a signed 32-bit number of milliseconds. */
export const TIME_MAX_MS = 2_147_483_647;

/** A signed integer without anything around it; null for other text or beyond 2^53. */
export function parseInteger(text: string): number | null {
  if (!/^[+-]?\d+$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** "500ms", "10s", "2m"; a bare number is milliseconds. Null for other text and beyond 24.8 days. */
export function parseTimeMs(text: string): number | null {
  const match = /^(\d+)(us|ms|s|m|h|d)?$/.exec(text);
  if (match === null) return null;
  const value = Number(match[1]) * UNIT_MS[match[2] ?? "ms"]!;
  if (value > TIME_MAX_MS) return null;
  // A time below one millisecond that is not zero has no meaning here: HAProxy refuses it.
  return value > 0 && value < 1 ? null : Math.ceil(value);
}

/** "16k", "1m", "1g" or bytes. Null for other text and beyond 4 GiB. */
export function parseByteCount(text: string): number | null {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (match === null) return null;
  const value = Number(match[1]) * UNIT_BYTES[match[2]!.toLowerCase()]!;
  return value < 2 ** 32 ? value : null;
}
