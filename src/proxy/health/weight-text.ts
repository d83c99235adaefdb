// Weights as agents and the runtime API give them: "100", or "50%" of the configured one.

const WEIGHT_MAX = 256;
const RELATIVE_WEIGHT_MAX = 25_600;

/** 0..256, or what HAProxy answers to a text that is no weight. */
export function parseWeight(text: string, configured: number): number | string {
  if (text === "") return "Require <weight> or <weight%>.";
  const [, digits, rest] = /^\s*([+-]?\d+)(.*)$/s.exec(text) ?? [];
  if (digits === undefined) return "Empty weight string empty or preceded by garbage";
  const number = Number(digits);
  if (rest === "%") {
    if (number < 0) return "Relative weight must be positive.";
    return Math.min(WEIGHT_MAX, Math.trunc((configured * Math.min(number, RELATIVE_WEIGHT_MAX)) / 100));
  }
  if (number < 0 || number > WEIGHT_MAX) return "Absolute weight can only be between 0 and 256 inclusive.";
  return rest === "" ? number : "Trailing garbage in weight string";
}
