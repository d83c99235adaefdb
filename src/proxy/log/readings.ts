// What log lines say of a stream beside its times: request line, connections, cookie flags.
import { COUNTER } from "../state.ts";
import type { Stream } from "../stream.ts";

/** As the client sent them; undefined while there is no request. */
export function methodOf(stream: Stream): string | undefined {
  return stream.originalMethod ?? stream.request?.method;
}

export function targetOf(stream: Stream): string | undefined {
  return stream.originalTarget ?? stream.request?.target;
}

export function versionOf(stream: Stream): string | undefined {
  if (stream.request === null) return undefined;
  if (stream.session.isHttp2) return "HTTP/2.0";
  return stream.request.versionMinor === 1 ? "HTTP/1.1" : "HTTP/1.0";
}

export function hasCookieFlags(stream: Stream): boolean {
  const { backend } = stream;
  return stream.request !== null && backend !== null && backend.settings.cookie !== null;
}

export function activeConnections({ runtime }: Stream): number {
  const { frontends } = runtime;
  let count = 0;
  for (let i = 0; i < frontends.length; i++) {
    const frontend = frontends[i]!;
    count += frontend.state.total(frontend.slot, COUNTER.scur);
  }
  return count;
}

/** A request that met no backend counts at its frontend's own, which has none. */
export function backendConnections({ backend }: Stream): number {
  return backend === null ? 0 : backend.state.total(backend.slot, COUNTER.scur);
}

export function serverConnections({ server }: Stream): number {
  return server === null ? 0 : server.state.total(server.slot, COUNTER.scur);
}
