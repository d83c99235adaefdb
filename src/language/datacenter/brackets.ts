// Finds the bracket, brace or quote that was left open: the YAML parser tells only where it gave up waiting.

/** Offset of the innermost one that is open before `end`, or null. */
export function openAt(text: string, end: number): number | null {
  const open: number[] = [];
  let at = 0;
  while (at < end) {
    const char = text[at]!;
    if (char === "#" && isBlankOrBegin(text[at - 1])) {
      const lineEnd = text.indexOf("\n", at);
      at = lineEnd < 0 ? end : lineEnd;
    } else if ((char === '"' || char === "'") && beginsValue(text, at)) {
      const close = closeOfQuote(text, at, char);
      if (close === null || close >= end) return at;
      at = close + 1;
    } else {
      // In block style brackets may be part of a value; at its begin they are brackets.
      if ((char === "[" || char === "{") && (open.length > 0 || beginsValue(text, at))) open.push(at);
      else if (char === "]" || char === "}") open.pop();
      at++;
    }
  }
  return open.at(-1) ?? null;
}

function closeOfQuote(text: string, start: number, quote: string): number | null {
  for (let at = start + 1; at < text.length; at++) {
    if (quote === '"' && text[at] === "\\") at++;
    else if (text[at] === quote) {
      // Two single quotes are one.
      if (quote === "'" && text[at + 1] === "'") at++;
      else return at;
    }
  }
  return null;
}

/** Whether the character before, blanks left out, ends what stands before a value. */
function beginsValue(text: string, at: number): boolean {
  let before = at - 1;
  while (text[before] === " " || text[before] === "\t") before--;
  const char = text[before];
  if (char === ":" || char === "-" || char === "?") return before < at - 1;
  return char === undefined || char === "\n" || char === "," || char === "[" || char === "{";
}

function isBlankOrBegin(char: string | undefined): boolean {
  return char === undefined || char === " " || char === "\t" || char === "\n";
}
