// `persist rdp-cookie`: a client of Microsoft's Remote Desktop that comes back brings the cookie by which its
// session broker has told it which server has its session: "IPv4.PORT.0000", both numbers in the order of
// bytes in which they lie in a PC's memory ([MS-RDPBCGR] 3.2.5.3.1; HAProxy manual, section 4.2).
import { readRdpCookie } from "../../protocol/rdp/rdp-cookie.ts";
import type { Backend, Server } from "../runtime.ts";
import type { Stream } from "../stream.ts";

/** The server that the cookie in the client's first bytes names, if it can be used; else null. */
export function serverOfRdpCookie(stream: Stream, backend: Backend): Server | null {
  const { rdpCookieName } = backend.settings;
  if (rdpCookieName === null) return null;
  const cookie = readRdpCookie(stream.content);
  if (cookie === null || cookie === "incomplete") return null;
  if (cookie.name.toLowerCase() !== rdpCookieName.toLowerCase()) return null;
  const place = placeOf(cookie.value);
  if (place === null) return null;
  const insists = backend.definition.options.persist;
  const named = backend.servers.find(
    (server) => server.host === place.host && server.port === place.port && (server.isUsable || insists),
  );
  return named ?? null;
}

/** "16777226.15629.0000" is 10.0.0.1:3389. */
function placeOf(value: string): { readonly host: string; readonly port: number } | null {
  const match = /^(\d{1,10})\.(\d{1,5})\./.exec(value);
  if (match === null) return null;
  const [address, port] = [Number(match[1]), Number(match[2])];
  if (address > 0xffff_ffff || port > 0xffff) return null;
  const bytes = [address & 0xff, (address >>> 8) & 0xff, (address >>> 16) & 0xff, address >>> 24];
  return { host: bytes.join("."), port: ((port & 0xff) << 8) | (port >>> 8) };
}
