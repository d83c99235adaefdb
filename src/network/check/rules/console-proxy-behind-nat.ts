// The portal tells browsers where the console proxy is. Behind a NAT, the address that the proxy knows of
// itself is one that no browser can reach.
import { natTargets } from "../nat-targets.ts";
import { type CheckRule, setValue } from "../rule.ts";

export const consoleProxyBehindNat: CheckRule = {
  code: "console-proxy-behind-nat",
  severity: "error",
  title: "the console proxy is behind a NAT, and browsers are told its inside address",
  *run(context) {
    const proxy = context.datacenter.consoles?.proxy;
    if (proxy == null || proxy.public !== null) return;
    const { ip, port } = proxy.address.value;
    const owner = context.ownersAnywhere.get(ip);
    if (owner?.network == null || owner.network.isExternal) return;
    const front = natTargets(context).find(
      ({ target, resolved }) =>
        target === ip && (resolved.ports.length === 0 || resolved.action.kind === "dnat"),
    );
    const outside = front?.rule.address.value;
    const at = outside === undefined ? null : `${outside}:${front!.resolved.ports[0]?.first ?? port}`;
    yield {
      span: proxy.address.span,
      message: `browsers are told to get consoles at ${ip}:${port}, which is inside, in ${owner.network.name}`,
      help: `Say what they see: \`public: "${at ?? "consoles.company.com:443"}"\`.`,
      related: [
        {
          span: front?.rule.span ?? owner.network.span,
          message: front === undefined ? `${owner.network.name} is here` : "it is translated here",
        },
      ],
      ...(at === null ? {} : { fix: [setValue(proxy.span, ["consoles", "proxy", "public"], at)] }),
    };
  },
};
