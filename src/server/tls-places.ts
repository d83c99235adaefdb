// All lines of a configuration that may have TLS, wherever they stand: certificates are loaded for all.
import type { Bind, ProxyConfiguration, Server } from "../model/proxy.ts";

/** Those of `log-forward` sections too. */
export function bindsOf({ proxies, logForwarders }: ProxyConfiguration): readonly Bind[] {
  return [
    ...proxies.flatMap(({ frontend }) => frontend?.binds ?? []),
    ...logForwarders.flatMap((f) => f.binds),
  ];
}

/** Those of `ring` sections too. */
export function serversOf({ proxies, rings }: ProxyConfiguration): readonly Server[] {
  return [
    ...proxies.flatMap(({ backend }) => backend?.servers ?? []),
    ...rings.flatMap(({ servers }) => servers.map(({ server }) => server)),
  ];
}
