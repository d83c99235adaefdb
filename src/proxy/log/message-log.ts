// Messages that belong to no stream: "Server www/web-1 is DOWN, …", "Proxy www started.".
import type { LogLevel } from "../../model/rule.ts";
import { type LogOutput, levelNumber } from "./log-target.ts";

export class MessageLog {
  readonly #outputs: readonly LogOutput[];

  constructor(outputs: readonly LogOutput[]) {
    this.#outputs = outputs;
  }

  /** Level "silent" writes nothing. */
  writeMessage(level: LogLevel, text: string): void {
    if (level === "silent") return;
    for (const output of this.#outputs) output.write(levelNumber(level), text);
  }
}
