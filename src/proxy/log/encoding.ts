// How log lines and headers write bytes that could do harm in them. HAProxy's three sets: `#XX` for
// captured headers and for URLs in logs, `%XX` for formatted header values; `\` before `"`, `\` and `]`
// where a format asks for it (+E).

/** Controls, DEL and up, and `"#{|}`. */
const HEADER_UNSAFE = /[\x00-\x1f"#{|}\x7f-\xff]/g;
/** Controls, DEL and up, and `"#`. */
const URL_UNSAFE = /[\x00-\x1f"#\x7f-\xff]/g;
/** Controls but the tabulator, and DEL. */
const HTTP_UNSAFE = /[\x00-\x08\x0a-\x1f\x7f]/g;
/** Controls but the tabulator, and DEL. */
export const HAS_CONTROL: RegExp = /[\x00-\x08\x0a-\x1f\x7f]/;
const STRUCTURED_DATA_UNSAFE = /["\\\]]/g;

// A regular expression with the `g` flag keeps a position between calls of test(), hence twins without it.
const HAS_HEADER_UNSAFE = /[\x00-\x1f"#{|}\x7f-\xff]/;
const HAS_URL_UNSAFE = /[\x00-\x1f"#\x7f-\xff]/;

export type Encoder = (text: string, isEscaped: boolean) => string;

/** Captured headers: `%hr`, `%hs` and their lists. */
export function encodeHeader(text: string, isEscaped: boolean): string {
  const escaped = isEscaped ? escapeKeeping(text, '"') : text;
  return HAS_HEADER_UNSAFE.test(escaped) ? escaped.replace(HEADER_UNSAFE, hashEncode) : escaped;
}

/** Parts of the request line: `%r`, `%HU`, …. */
export function encodeUrl(text: string, isEscaped: boolean): string {
  const escaped = isEscaped ? escapeKeeping(text, '"') : text;
  return HAS_URL_UNSAFE.test(escaped) ? escaped.replace(URL_UNSAFE, hashEncode) : escaped;
}

/** Sample expressions in header values. */
export function encodeHttp(text: string, isEscaped: boolean): string {
  const escaped = isEscaped ? text.replace(STRUCTURED_DATA_UNSAFE, "\\$&") : text;
  return HAS_CONTROL.test(escaped) ? escaped.replace(HTTP_UNSAFE, percentEncode) : escaped;
}

/** Samples in log lines. */
export function encodeControls(text: string): string {
  return text.replace(HTTP_UNSAFE, hashEncode);
}

/** RFC 5424, 6.3.3. */
export function escapeStructuredData(text: string): string {
  return text.replace(STRUCTURED_DATA_UNSAFE, "\\$&");
}

/** Escapes with a backslash, apart from characters that are encoded anyway. */
function escapeKeeping(text: string, encoded: string): string {
  return text.replace(STRUCTURED_DATA_UNSAFE, (character) =>
    character === encoded ? character : `\\${character}`,
  );
}

function hashEncode(character: string): string {
  return `#${hexadecimal(character)}`;
}

function percentEncode(character: string): string {
  return `%${hexadecimal(character)}`;
}

function hexadecimal(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
}
