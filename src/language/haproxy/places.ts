// Which sections a keyword belongs to.
import type { ProxyDraft } from "./draft.ts";
import type { Places } from "./keyword-table.ts";

const LETTERS: Readonly<Record<ProxyDraft["kind"], string>> = {
  defaults: "d",
  frontend: "f",
  listen: "l",
  backend: "b",
};
export const PLACE_NAMES: Readonly<Record<string, string>> = {
  d: "defaults",
  f: "frontend",
  l: "listen",
  b: "backend",
  g: "global",
  u: "userlist",
  h: "http-errors",
  B: "bind",
  S: "server",
};

export function allowsPlace(places: Places, kind: ProxyDraft["kind"]): boolean {
  return places.includes(LETTERS[kind]);
}

/** "frontend, listen". */
export function describePlaces(places: Places): string {
  return [...places].map((letter) => PLACE_NAMES[letter] ?? letter).join(", ");
}
