// What each byte may be in an HTTP/1 head, as one table of bit sets, so that the parsers look at a byte once.
// Sources: RFC 9110 section 5.6.2 (token), RFC 9112 section 3.2 (request-target), RFC 9110 section 5.5 (field
// values).

/** A byte of a method or of a header name. */
export const TOKEN = 1;
/** A-Z. */
export const UPPER = 2;
/** A byte of a request target: visible ASCII without "#", which belongs to a fragment and is never sent. */
export const TARGET = 4;
/** A byte of a header value or reason phrase: anything but CR, LF and NUL. */
export const VALUE = 8;
/** Space or horizontal tab. */
export const BLANK = 16;
/** 0-9, a-f, A-F. */
export const HEX = 32;

export const CHARACTER_CLASS: Uint8Array = buildTable();

function buildTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCharCode(byte);
    let bits = 0;
    if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char)) bits |= TOKEN;
    if (/[A-Z]/.test(char)) bits |= UPPER;
    if (byte > 0x20 && byte < 0x7f && char !== "#") bits |= TARGET;
    if (byte !== 0 && byte !== 10 && byte !== 13) bits |= VALUE;
    if (char === " " || char === "\t") bits |= BLANK;
    if (/[0-9a-fA-F]/.test(char)) bits |= HEX;
    table[byte] = bits;
  }
  return table;
}
