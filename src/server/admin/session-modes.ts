// The modes of one connection to the runtime API (management manual 9.3, 9.4.1): `experimental-mode` and
// `expert-mode` open commands that are closed otherwise, `mcli-debug-mode` all commands at the master itself.
import { message } from "./command.ts";

const MODES = { "experimental-mode": "x", "expert-mode": "e", "mcli-debug-mode": "d" } as const;
export type Mode = keyof typeof MODES;

export class SessionModes {
  readonly #on: Set<Mode> = new Set();

  static isMode(word: string | undefined): word is Mode {
    return word !== undefined && Object.hasOwn(MODES, word);
  }

  has(mode: Mode): boolean {
    return this.#on.has(mode);
  }

  /** `on` and `off`; without either it tells. HAProxy says nothing of other words. */
  set(mode: Mode, word: string | undefined): string {
    if (word === "on") this.#on.add(mode);
    else if (word === "off") this.#on.delete(mode);
    return word === undefined ? message(`${mode} is ${this.has(mode) ? "ON" : "OFF"}`) : "";
  }

  /** "(xe)" for a prompt; "" without any. */
  get flags(): string {
    const flags = (Object.keys(MODES) as Mode[]).filter((mode) => this.has(mode)).map((mode) => MODES[mode]);
    return flags.length === 0 ? "" : `(${flags.join("")})`;
  }
}
