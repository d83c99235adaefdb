// Who may open the console of which machine. Without `rights` in the file everybody who has logged in may
// open all; with them a user has what his own entry says, and who has none has that of "*", if there is one.
import type { ConsoleRight } from "../model/datacenter.ts";

/** Screen and keyboard, or only looking. Null: neither. */
export type ConsoleAccess = "open" | "look" | null;

/** The entry for those without one of their own. */
export const EVERYBODY = "*";

export function consoleAccess(
  rights: readonly ConsoleRight[] | null,
  user: string,
  machine: string,
): ConsoleAccess {
  if (rights === null) return "open";
  const right =
    rights.find(({ user: name }) => name.value === user) ??
    rights.find(({ user: name }) => name.value === EVERYBODY);
  const isMeant = (patterns: ConsoleRight["open"]) => patterns.some(({ value }) => isLike(value, machine));
  if (right === undefined) return null;
  if (isMeant(right.open)) return "open";
  return isMeant(right.look) ? "look" : null;
}

/** `*` stands for any letters, none included; all others for themselves. */
export function isLike(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === name;
  if (!name.startsWith(first)) return false;
  const last = rest.pop()!;
  // The earliest place of each part leaves most to the next, so nothing has to be tried twice.
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
