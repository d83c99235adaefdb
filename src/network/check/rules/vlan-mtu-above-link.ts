// The kernel refuses a VLAN device with a larger MTU than that of the link below.
import { mtuOfLink, raiseMtu } from "../link-mtu.ts";
import type { CheckRule } from "../rule.ts";

export const vlanMtuAboveLink: CheckRule = {
  code: "vlan-mtu-above-link",
  severity: "error",
  title: "a VLAN interface has a larger MTU than the link below it",
  *run(context) {
    const { datacenter } = context;
    for (const host of datacenter.hosts) {
      for (const { name, mtu, link } of host.vlans) {
        const below = mtuOfLink(host, link.value);
        if (mtu === null || below === null || below.mtu >= mtu.value) continue;
        yield {
          span: mtu.span,
          message: `${name} of ${host.name} has an MTU of ${mtu.value} over ${link.value}, which has ${below.mtu}: the kernel refuses it`,
          help: `Write \`mtu: ${mtu.value}\` at ${link.value}, or ${below.mtu} here.`,
          related: [{ span: below.span, message: `${link.value} is here` }],
          fix: raiseMtu(context, host, link.value, mtu.value),
        };
      }
    }
  },
};
