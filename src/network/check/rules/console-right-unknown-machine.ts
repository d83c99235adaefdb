// Rights to a console that no machine has: a name that was misspelt gives nobody anything.
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import { isLike } from "../../console-rights.ts";
import type { CheckRule } from "../rule.ts";

export const consoleRightUnknownMachine: CheckRule = {
  code: "console-right-unknown-machine",
  severity: "warning",
  title: "a right is about no machine that has a console",
  *run({ datacenter: { consoles }, resolved }) {
    const names = [
      ...(consoles?.backends ?? []).map(({ machine }) => machine.value),
      // Those that are started here have consoles by themselves.
      ...resolved.machines.filter(({ source }) => source.kind.kind === "qemu").map(({ name }) => name),
    ];
    for (const { user, open, look } of consoles?.rights ?? []) {
      for (const { value, span } of [...open, ...look]) {
        if (value === "*" || names.some((name) => isLike(value, name))) continue;
        yield {
          span,
          message: `\`${value}\` is no machine with a console, so ${user.value === "*" ? "nobody" : user.value} gets nothing by it`,
          help:
            suggestWord(value, names) ??
            (names.length === 0
              ? "No machine has one."
              : `Those with consoles: ${names.slice(0, 10).join(", ")}.`),
        };
      }
    }
  },
};
