// `cookie` on requests: finds the persistence cookie, decides which server it means and what the log says of
// it, and takes out of the request what servers are not to see. Behaviour of HAProxy 2.6.
import type { CookieSettings } from "../../model/proxy.ts";
import type { Backend, Server } from "../runtime.ts";
import type { CookieRequestFlag, Stream } from "../stream.ts";
import { decodeCookieDate } from "./cookie-date.ts";
import { CookieLine } from "./cookie-line.ts";
import { DATE_DELIMITER, isActive, PREFIX_DELIMITER, persistenceOf } from "./cookie-mode.ts";

const FUTURE_TOLERANCE_SECONDS = 86_400;

/** The persistence cookies of one request, in whichever of its Cookie headers they stand. */
export class RequestCookies {
  server: Server | null = null;
  readonly #stream: Stream;
  readonly #backend: Backend;
  readonly #settings: CookieSettings;
  readonly #nowSeconds: number;
  /** Kept apart from the stream, which may not report flags at all. */
  #decided: CookieRequestFlag = "-";

  constructor(stream: Stream, backend: Backend, settings: CookieSettings, nowSeconds: number) {
    this.#stream = stream;
    this.#backend = backend;
    this.#settings = settings;
    this.#nowSeconds = nowSeconds;
  }

  /** Reads one Cookie value; returns what is left of it for the server, "" for nothing. */
  process(value: string): string {
    const line = new CookieLine(value, false);
    const isHidden = this.#settings.mode === "insert" && this.#settings.indirect;
    let removeFrom = -1;
    let hasOthers = false;
    while (line.advance()) {
      if (line.isAttribute) continue;
      const isOurs = line.hasEqualSign && line.isNamed(this.#settings.name);
      if (line.hasEqualSign) line.tighten();
      if (!isOurs) {
        hasOthers = true;
        if (removeFrom >= 0) line.remove(removeFrom, line.start);
        removeFrom = -1;
        continue;
      }
      const nameLength = this.#readServer(line);
      if (this.#settings.mode === "prefix" && nameLength < line.valueEnd - line.valueStart) {
        line.replace(line.valueStart, line.valueStart + nameLength + 1, "");
        removeFrom = -1;
        hasOthers = true;
      } else if (isHidden && removeFrom < 0) removeFrom = line.start;
    }
    if (removeFrom >= 0) line.truncate(hasOthers ? removeFrom : 0);
    return line.text;
  }

  /** Decides on the present cookie; returns how many characters of its value name the server. */
  #readServer(line: CookieLine): number {
    const value = line.text.slice(line.valueStart, line.valueEnd);
    const delimiter = value.indexOf(this.#settings.mode === "prefix" ? PREFIX_DELIMITER : DATE_DELIMITER);
    const nameLength = delimiter < 0 ? value.length : delimiter;
    if (this.#settings.mode !== "prefix" && delimiter >= 0) this.#readDates(value, delimiter);
    const outdated = this.#outdated();
    if (outdated !== null) {
      this.#flag(outdated);
      this.#stream.cookieFirstSeconds = this.#stream.cookieLastSeconds = 0;
    }
    this.#chooseServer(outdated !== null ? "" : value.slice(0, nameLength));
    // A prefix is cut off even where the server part is not believed.
    return outdated !== null ? 0 : nameLength;
  }

  #readDates(value: string, delimiter: number): void {
    const last = decodeCookieDate(value, delimiter + 1);
    if (last > 0) this.#stream.cookieLastSeconds = last;
    const second = value.indexOf(DATE_DELIMITER, delimiter + 1);
    if (second < 0) return;
    const first = decodeCookieDate(value, second + 1);
    if (first > 0) this.#stream.cookieFirstSeconds = first;
  }

  /**
   * O: first seen too long ago; E: not seen for too long. Dates more than a day ahead are not believed
   * either.
   */
  #outdated(): "O" | "E" | null {
    const { maxlifeSeconds, maxidleSeconds } = this.#settings;
    const { cookieFirstSeconds, cookieLastSeconds } = this.#stream;
    if (cookieFirstSeconds > 0 && maxlifeSeconds && this.#isOutside(cookieFirstSeconds, maxlifeSeconds))
      return "O";
    if (cookieLastSeconds > 0 && maxidleSeconds && this.#isOutside(cookieLastSeconds, maxidleSeconds))
      return "E";
    return null;
  }

  #isOutside(dateSeconds: number, ageMaxSeconds: number): boolean {
    const age = this.#nowSeconds - dateSeconds;
    return age > ageMaxSeconds || -age > FUTURE_TOLERANCE_SECONDS;
  }

  /** Several servers may share a cookie value: the first usable one counts. An empty value names none. */
  #chooseServer(cookie: string): void {
    const stream = this.#stream;
    const persistence = persistenceOf(stream, this.#backend);
    const isIgnored = persistence === "ignore" || stream.server !== null || this.server !== null;
    let isFoundDown = false;
    if (cookie !== "" && !isIgnored) {
      for (const server of this.#backend.servers) {
        if (server.cookie !== cookie) continue;
        const isUp = server.isUsable;
        if (isUp || this.#backend.definition.options.persist || persistence === "force") {
          this.server = server;
          this.#flag(isUp ? "V" : "D");
          return;
        }
        isFoundDown = true;
      }
    }
    if (isFoundDown) this.#flag("D");
    // What an earlier cookie led to, or this one's age, stands.
    else if (this.#decided === "-") this.#flag(isIgnored ? "U" : "I");
  }

  #flag(flag: CookieRequestFlag): void {
    this.#decided = flag;
    if (isActive(this.#settings)) this.#stream.cookieRequest = flag;
  }
}
