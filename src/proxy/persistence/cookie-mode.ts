// What request and response handling of `cookie` share: the delimiters in values, which modes are active, and
// what the persistence rules say of a stream.
import type { CookieSettings } from "../../model/proxy.ts";
import type { Backend } from "../runtime.ts";
import type { Stream } from "../stream.ts";

/**
 * Between server and the application's own value in prefix mode, and between server and dates in the others.
 */
export const PREFIX_DELIMITER = "~";
export const DATE_DELIMITER = "|";

/** Whether cookies are touched at all; only then HAProxy logs their flags. */
export function isActive(settings: CookieSettings): boolean {
  return settings.mode !== "passive" || settings.indirect;
}

/** The verdict of force-persist and ignore-persist; found once for each stream and kept in it. */
export function persistenceOf(stream: Stream, backend: Backend): "force" | "ignore" | null {
  if (stream.persistence === null && backend.settings.persistRules.length > 0) {
    stream.persistence = backend.programs.persistence(stream);
  }
  return stream.persistence;
}
