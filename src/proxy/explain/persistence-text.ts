// What persistence made of a request and of its response, in words: the flags that the log has, and why.
import type { Backend } from "../runtime.ts";
import type { Stream } from "../stream.ts";

/**
 * Null when the backend has no `cookie` line. `sent` is the cookie's value in the request, null without one.
 */
export function describeRequestCookie(stream: Stream, backend: Backend, sent: string | null): string | null {
  const { cookie } = backend.settings;
  if (cookie === null) return null;
  const { name } = cookie;
  if (sent === null) return `the request has no cookie ${name}: the server is chosen by balancing`;
  const value = `${name}=${sent}`;
  const server = stream.server?.name ?? null;
  switch (stream.cookieRequest) {
    case "V":
      return `${value} names ${server}, which is up`;
    case "D":
      return server === null
        ? `${value} names a server that is down: another is chosen`
        : `${value} names ${server}; it is down, and persistence is forced`;
    case "E":
      return `${value} is not believed: it was last seen more than ${cookie.maxidleSeconds} s ago`;
    case "O":
      return `${value} is not believed: it is older than ${cookie.maxlifeSeconds} s`;
    case "U":
      return stream.persistence === "ignore"
        ? `${value} is ignored, as ignore-persist says`
        : `${value} is not used: the server is chosen already`;
    case "I":
      return `${value} names no server here: another is chosen`;
    default:
      return server === null ? `${value} names no server here` : `${value} names ${server}`;
  }
}

/** Null when nothing is to be said. */
export function describeResponseCookie(stream: Stream, backend: Backend): string | null {
  const { cookie } = backend.settings;
  if (cookie === null) return null;
  switch (stream.cookieResponse) {
    case "I":
      return `${cookie.name} is set for ${stream.server?.name ?? "the server"}, so that the client comes back to it`;
    case "U":
      return `${cookie.name} is set anew for ${stream.server?.name ?? "the server"}`;
    case "R":
      return `the server's ${cookie.name} is rewritten`;
    case "D":
      return `the server's ${cookie.name} is taken out`;
    case "P":
      return `the server's ${cookie.name} is passed on`;
    default:
      return cookie.mode === "insert"
        ? stream.isPersistent
          ? `${cookie.name} is not set again: the client is where it wants to be`
          : `${cookie.name} is not set`
        : null;
  }
}
