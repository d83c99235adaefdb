// Machines may send larger packets than the uplink takes.
import { mtuOfLink, raiseMtu } from "../link-mtu.ts";
import type { CheckRule } from "../rule.ts";

export const switchMtuAboveUplink: CheckRule = {
  code: "switch-mtu-above-uplink",
  severity: "error",
  title: "a switch's MTU is above its uplink's",
  *run(context) {
    const { datacenter, hosts } = context;
    for (const { name, mtu, uplinks } of datacenter.switches) {
      for (const { host: hostName, link } of mtu === null ? [] : uplinks) {
        const host = hosts.get(hostName.value);
        const below = host === undefined ? null : mtuOfLink(host, link.value);
        if (below === null || below.mtu >= mtu!.value) continue;
        yield {
          span: mtu!.span,
          message: `${name} carries packets of ${mtu!.value} bytes, but its uplink ${host!.name}/${link.value} only of ${below.mtu}`,
          help: `Write \`mtu: ${mtu!.value}\` at ${link.value}.`,
          related: [{ span: below.span, message: `${link.value} is here` }],
          fix: raiseMtu(context, host!, link.value, mtu!.value),
        };
      }
    }
  },
};
