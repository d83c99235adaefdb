// Layer 2 hashing looks at MACs only. Whatever goes to other subnets has one MAC, the gateway's, so it all
// takes one cable.
import { isHashing } from "../bond-modes.ts";
import { allBonds } from "../cables.ts";
import type { CheckContext } from "../context.ts";
import { type CheckRule, setValue } from "../rule.ts";

export const layer2HashOneGateway: CheckRule = {
  code: "layer2-hash-one-gateway",
  severity: "warning",
  title: "a bond hashes MACs only, so all traffic to the gateway takes one cable",
  *run(context) {
    const gatewayOfLink = gatewaysByLink(context);
    for (const { host, bond } of allBonds(context.datacenter)) {
      if (!isHashing(bond) || (bond.hash?.value ?? "layer2") !== "layer2" || bond.links.length < 2) continue;
      const gateway = gatewayOfLink.get(`${host.name}/${bond.name}`);
      if (gateway === undefined) continue;
      yield {
        span: (bond.hash ?? bond).span,
        message: `${bond.name} of ${host.name} chooses its cable by MAC addresses only: all that one machine sends through the gateway ${gateway.ip} takes one cable`,
        help: `Write \`hash: layer2+3\`, or \`layer3+4\` to spread the connections of two machines as well.`,
        related: [{ span: gateway.span, message: "the gateway is here" }],
        fix: [setValue(host.span, ["hosts", host.name, "bonds", bond.name, "hash"], "layer2+3")],
      };
    }
  },
};

function gatewaysByLink({ datacenter, resolved, switches }: CheckContext) {
  const gateways = new Map<
    string,
    { readonly ip: string; readonly span: (typeof resolved)["networks"][number]["span"] }
  >();
  for (const {
    portGroup,
    gateways: [ip],
    span,
  } of resolved.networks) {
    if (portGroup === null || ip === undefined) continue;
    for (const { host, link } of switches.get(portGroup.switch)?.uplinks ?? [])
      gateways.set(`${host.value}/${link.value}`, { ip, span });
  }
  for (const host of datacenter.hosts) {
    const route = host.routes.find(({ to }) => to.value.prefix === 0);
    if (route === undefined) continue;
    for (const { name } of host.bonds)
      gateways.set(`${host.name}/${name}`, { ip: route.via.value, span: route.span });
  }
  return gateways;
}
