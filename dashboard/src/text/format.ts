// Numbers, sizes and times as people read them, short enough for a table.

const UNITS = ["", "k", "M", "G", "T"] as const;
const NO_BREAK = "\u00a0";

/** 3 significant digits: 0, 7, 41.5, 1.20k. */
export function formatCount(value: number): string {
  return scaled(value, 1000, "");
}

export function formatRate(value: number): string {
  return `${formatCount(value)}/s`;
}

/** 812 B, 1.21 KiB. */
export function formatBytes(value: number): string {
  return value < 1024 ? `${Math.round(value)}${NO_BREAK}B` : scaled(value, 1024, "iB");
}

export function formatBytesRate(value: number): string {
  return `${formatBytes(value)}/s`;
}

/** 0.4 ms, 21 ms, 1.3 s; "–" for what there is not. */
export function formatMs(value: number | null): string {
  if (value === null || value < 0) return "–";
  if (value >= 10_000) return formatDuration(value);
  if (value >= 1000) return `${(value / 1000).toFixed(2)}${NO_BREAK}s`;
  return `${value < 10 ? trimmed(value.toFixed(1)) : Math.round(value)}${NO_BREAK}ms`;
}

/** The two largest units: 3 d 4 h, 12 s. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return `0${NO_BREAK}s`;
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${NO_BREAK}${unit}`)
    .join(" ");
}

/** 14:03:07 */
export function formatClock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString("en-GB");
}

/** Where something stands, short: the name of the file without its folders. */
export function formatPlace({ file, line }: { readonly file: string; readonly line: number }): string {
  return `${file.slice(file.lastIndexOf("/") + 1)}:${line}`;
}

export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function scaled(value: number, step: number, suffix: string): string {
  let at = 0;
  let rest = value;
  while (rest >= step && at < UNITS.length - 1) {
    rest /= step;
    at++;
  }
  const digits = rest >= 100 || (at === 0 && Number.isInteger(rest)) ? 0 : rest >= 10 ? 1 : at === 0 ? 1 : 2;
  const unit = at === 0 ? "" : suffix === "" ? UNITS[at]! : `${NO_BREAK}${UNITS[at]!.toUpperCase()}${suffix}`;
  return `${digits === 0 ? Math.round(rest) : trimmed(rest.toFixed(digits))}${unit}`;
}

function trimmed(text: string): string {
  return text.replace(/\.0+$/, "");
}
