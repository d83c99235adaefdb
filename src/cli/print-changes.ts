// Lines of files beside what they become, for people who decide whether they want it.
import type { CheckFix } from "../model/dashboard-api.ts";
import { colour, type Terminal } from "./terminal.ts";

/** One place after the other: where it is, the old line, the new one. */
export function writeChanges(changes: CheckFix["changes"], terminal: Terminal): void {
  let place = "";
  for (const { file, line, before, after } of changes) {
    if (place !== `${file}:${line}`) terminal.write(`${file}:${line}\n`);
    place = `${file}:${line}`;
    if (before !== null) terminal.write(`${colour(terminal.isColour, "error", `- ${before}`)}\n`);
    if (after !== null) terminal.write(`${colour(terminal.isColour, "good", `+ ${after}`)}\n`);
  }
  if (changes.length > 0) terminal.write("\n");
}
