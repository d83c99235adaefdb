// Portal and console proxy on one address and port: browsers that want a console get the portal's pages.
import type { CheckRule } from "../rule.ts";

export const consoleProxyOnPortalAddress: CheckRule = {
  code: "console-proxy-on-portal-address",
  severity: "error",
  title: "the console proxy is on the portal's address and port",
  *run({ datacenter: { consoles }, networks, edges, resolved }) {
    if (consoles?.portal == null || consoles.proxy === null) return;
    const { portal, proxy } = consoles;
    if (
      portal.address.value.ip !== proxy.address.value.ip ||
      portal.address.value.port !== proxy.address.value.port
    )
      return;
    const { ip, port } = proxy.address.value;
    const holder = [...edges.values()]
      .flatMap(({ interfaces }) => interfaces)
      .find(({ addresses }) => addresses.some((one) => one.ip === ip));
    const used = new Set(resolved.publications.map(({ at }) => at.ip));
    const free = holder?.addresses.find(
      (one) => one.ip !== ip && !used.has(one.ip) && networks.has(holder.network),
    );
    yield {
      span: proxy.address.span,
      message: `the console proxy is on ${ip}:${port}, where the portal is: consoles stay black, for their connections end at the portal`,
      help:
        free === undefined
          ? "The proxy needs an address of its own, for both want port 443."
          : `The edge also has ${free.ip}: write \`address: "${free.ip}:${port}"\`.`,
      related: [{ span: portal.address.span, message: "the portal is here" }],
    };
  },
};
