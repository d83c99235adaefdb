// Text for the statistics page: escaping, and figures short enough to be read in a table.

/** For text and for attribute values in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** "0", "999", "12.3k", "4.56M". */
export function shortNumber(value: number): string {
  return scaled(value, 1000, ["", "k", "M", "G", "T", "P"]);
}

/** "0 B", "1.21 kB" (1000 bytes), "3.4 GB". */
export function shortBytes(value: number): string {
  return scaled(value, 1000, [" B", " kB", " MB", " GB", " TB", " PB"]);
}

/** "12345678" with thin spaces between groups of three, for titles. */
export function fullNumber(value: number): string {
  return `${value}`.replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** "4s", "3m 20s", "5h 12m", "9d 3h". */
export function shortDuration(seconds: number): string {
  const units = [["d", 86_400], ["h", 3600], ["m", 60], ["s", 1]] as const; // biome-ignore format: a table
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first < 0) return "0s";
  const [unit, length] = units[first]!;
  const next = units[first + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % length) / next[1]);
  return `${Math.floor(seconds / length)}${unit}${rest > 0 ? ` ${rest}${next![0]}` : ""}`;
}

/** "0 ms", "240 ms", "1.24 s". */
export function shortMilliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toPrecision(3)} s`;
}

function scaled(value: number, base: number, suffixes: readonly string[]): string {
  let power = 0;
  let rest = value;
  // 999.5 would be rounded to "1000", which belongs to the next unit.
  while (rest >= base - 0.5 && power < suffixes.length - 1) {
    rest /= base;
    power++;
  }
  const text = power === 0 ? `${Math.round(rest)}` : rest.toPrecision(3);
  return text + suffixes[power]!;
}
