// What the state machines of servers tell the world.
import type { LogLevel } from "../../model/rule.ts";
import type { Backend, Server } from "../runtime.ts";

export type HealthEvent =
  /** A line for the log targets of the backend (and for the master's standard error), as HAProxy words it. */
  | {
      readonly kind: "log";
      readonly backend: Backend;
      readonly level: LogLevel;
      readonly text: string;
      /** How important it is to those who get mail; null: nobody gets mail of such. */
      readonly mailLevel: LogLevel | null;
    }
  /** Its check had no answer in time: perhaps its name leads elsewhere by now. */
  | { readonly kind: "check-timeout"; readonly server: Server }
  /**
   * State, admin flags or weight are another: queues may move. The shared cells are written and the epoch
   * raised.
   */
  | { readonly kind: "changed"; readonly server: Server }
  /** `on-marked-down shutdown-sessions`. */
  | { readonly kind: "shutdown-sessions"; readonly server: Server }
  /** `on-marked-up shutdown-backup-sessions`: all backup servers of the backend. */
  | { readonly kind: "shutdown-backup-sessions"; readonly backend: Backend };
