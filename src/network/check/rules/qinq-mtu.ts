// The inner tag of QinQ is payload to the outer one: four bytes for which the link below needs room.
import { MTU_DEFAULT, mtuOfLink, raiseMtu } from "../link-mtu.ts";
import type { CheckRule } from "../rule.ts";

const TAG_BYTES = 4;

export const qinqMtu: CheckRule = {
  code: "qinq-mtu",
  severity: "error",
  title: "there is no room for the second tag of QinQ",
  *run(context) {
    const { datacenter, hosts } = context;
    for (const host of datacenter.hosts) {
      for (const { name, mtu, link, span } of host.vlans) {
        const outer = host.vlans.find((one) => one.name === link.value);
        const inside = mtu?.value ?? MTU_DEFAULT;
        const below = outer === undefined ? null : mtuOfLink(host, outer.name);
        // Larger than the link itself is another rule's matter.
        if (below === null || below.mtu >= inside + TAG_BYTES || below.mtu < inside) continue;
        yield {
          span: (mtu ?? { span }).span,
          message: `packets of ${inside} bytes in ${name} of ${host.name} need ${inside + TAG_BYTES} in ${link.value}, for its tag is payload there, but that has ${below.mtu}`,
          help: `Write \`mtu: ${inside + TAG_BYTES}\` at ${link.value} and below it, or ${below.mtu - TAG_BYTES} here.`,
          related: [{ span: below.span, message: `${link.value} is here` }],
          fix: raiseMtu(context, host, link.value, inside + TAG_BYTES),
        };
      }
    }
    for (const { mtu, uplinks, portGroups } of datacenter.switches) {
      const group = portGroups.find(({ vlan }) => vlan?.value.kind === "qinq");
      const needed = (mtu?.value ?? MTU_DEFAULT) + TAG_BYTES;
      for (const { host: hostName, link } of group === undefined ? [] : uplinks) {
        const host = hosts.get(hostName.value);
        const below = host === undefined ? null : mtuOfLink(host, link.value);
        if (below === null || below.mtu >= needed || below.mtu < needed - TAG_BYTES) continue;
        yield {
          span: group!.vlan!.span,
          message: `the two tags of ${group!.name} need an MTU of ${needed} at the uplink ${host!.name}/${link.value}, which has ${below.mtu}`,
          help: `Write \`mtu: ${needed}\` at ${link.value}.`,
          related: [{ span: below.span, message: `${link.value} is here` }],
          fix: raiseMtu(context, host!, link.value, needed),
        };
      }
    }
  },
};
