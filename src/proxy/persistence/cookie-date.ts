// Dates in persistence cookies: "A|Xm3fa|Xm3eQ" holds when the client was last seen and when it was first
// seen, each as 5 base64 digits that count 4-second steps since 1970 (30 bits, good until 2106).

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGIT_COUNT = 5;
const STEP_SECONDS = 4;

/** `seconds` is rounded up to a step. */
export function encodeCookieDate(seconds: number): string {
  let steps = Math.floor((seconds + STEP_SECONDS - 1) / STEP_SECONDS);
  let text = "";
  for (let i = 0; i < DIGIT_COUNT; i++) {
    text = DIGITS[steps % 64]! + text;
    steps = Math.floor(steps / 64);
  }
  return text;
}

/** Seconds of the 5 digits at `at`; 0 when they are no digits or there are less than 5. */
export function decodeCookieDate(text: string, at: number): number {
  if (text.length - at < DIGIT_COUNT) return 0;
  let steps = 0;
  for (let i = at; i < at + DIGIT_COUNT; i++) {
    const digit = DIGITS.indexOf(text[i]!);
    if (digit < 0) return 0;
    steps = steps * 64 + digit;
  }
  return steps * STEP_SECONDS;
}
