// `cookie` on responses: rewrites, prefixes or removes the persistence cookie that a server set, and inserts
// our own. Behaviour of HAProxy 2.6; the obsolete Set-Cookie2 is left alone.
import type { CookieSettings } from "../../model/proxy.ts";
import { type MessageHead, type PreparedHeader, prepareHeader } from "../../protocol/http1/message-head.ts";
import type { Server } from "../runtime.ts";
import type { CookieResponseFlag, Stream } from "../stream.ts";
import { encodeCookieDate } from "./cookie-date.ts";
import { CookieLine } from "./cookie-line.ts";
import { DATE_DELIMITER, isActive, PREFIX_DELIMITER } from "./cookie-mode.ts";

/** Returns true if a cookie of our name is there and stays. */
export function treatServerCookies(stream: Stream, settings: CookieSettings, head: MessageHead): boolean {
  let isFound = false;
  for (let i = head.indexOf("set-cookie"); i >= 0; i = head.indexOf("set-cookie", i + 1)) {
    const value = head.valueAt(i);
    const line = new CookieLine(value, true);
    if (!line.advance() || !line.hasEqualSign) continue;
    line.tighten();
    if (stream.persistence !== "ignore" && line.isNamed(settings.name)) {
      const flag = treatServerCookie(stream, settings, line);
      report(stream, settings, flag);
      isFound = flag === "P";
      if (flag === "D") {
        head.removeAt(i);
        continue;
      }
    }
    if (line.text !== value) head.setValueAt(i, line.text);
  }
  return isFound;
}

function treatServerCookie(stream: Stream, settings: CookieSettings, line: CookieLine): CookieResponseFlag {
  const { server } = stream;
  if (settings.preserve) return "P";
  if ((server !== null && settings.mode === "insert") || (stream.isPersistent && settings.indirect))
    return "D";
  if (server === null || server.cookie === null) return "P";
  if (settings.mode === "rewrite") {
    line.replace(line.valueStart, line.valueEnd, server.cookie);
    return "R";
  }
  if (settings.mode === "prefix") {
    line.replace(line.valueStart, line.valueStart, server.cookie + PREFIX_DELIMITER);
    return "R";
  }
  return "P";
}

/** Not for a client that is where its cookie wants it, unless dates have to be set, refreshed or dropped. */
export function mustInsert(
  stream: Stream,
  settings: CookieSettings,
  isFound: boolean,
  nowSeconds: number,
): boolean {
  if (settings.mode !== "insert" || stream.persistence === "ignore") return false;
  if (isFound && settings.preserve) return false;
  if (settings.postonly && stream.request?.method !== "POST") return false;
  if (!stream.isPersistent) return true;
  const { cookieFirstSeconds: first, cookieLastSeconds: last } = stream;
  if ((settings.maxidleSeconds || last > 0) && (last === 0 || last < nowSeconds)) return true;
  return settings.maxlifeSeconds ? first === 0 : first > 0;
}

export function insertCookie(
  stream: Stream,
  server: Server,
  settings: CookieSettings,
  head: MessageHead,
  nowSeconds: number,
): void {
  if (settings.maxidleSeconds || settings.maxlifeSeconds)
    head.addHeader("set-cookie", cookieText(server, settings, dates(stream, settings, nowSeconds)));
  else head.addPrepared(preparedCookie(server, settings));
  report(stream, settings, server.cookie !== null && stream.isPersistent ? "U" : "I");
}

/** Without dates, a server's cookie is the same for all clients. */
function preparedCookie(server: Server, settings: CookieSettings): PreparedHeader {
  const { insertedCookie } = server;
  if (insertedCookie !== null && insertedCookie.of === server.cookie) return insertedCookie.header;
  const header = prepareHeader("set-cookie", cookieText(server, settings, ""))!;
  server.insertedCookie = { of: server.cookie, header };
  return header;
}

function cookieText(server: Server, settings: CookieSettings, cookieDates: string): string {
  let text = `${settings.name}=`;
  if (server.cookie === null) text += "; Expires=Thu, 01-Jan-1970 00:00:01 GMT";
  else text += server.cookie + cookieDates;
  text += "; path=/";
  for (const domain of settings.domains) text += `; domain=${domain}`;
  if (settings.httponly) text += "; HttpOnly";
  if (settings.secure) text += "; Secure";
  for (const attribute of settings.attributes) text += `; ${attribute}`;
  return text;
}

/** Last seen: now. First seen: what the client's cookie says, else now; only with maxlife. */
function dates(stream: Stream, settings: CookieSettings, nowSeconds: number): string {
  if (!settings.maxidleSeconds && !settings.maxlifeSeconds) return "";
  const last = DATE_DELIMITER + encodeCookieDate(nowSeconds);
  if (!settings.maxlifeSeconds) return last;
  return (
    last +
    DATE_DELIMITER +
    encodeCookieDate(stream.cookieFirstSeconds > 0 ? stream.cookieFirstSeconds : nowSeconds)
  );
}

function report(stream: Stream, settings: CookieSettings, flag: CookieResponseFlag): void {
  if (isActive(settings)) stream.cookieResponse = flag;
}
