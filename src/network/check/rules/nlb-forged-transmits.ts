// Members of a unicast cluster answer to a MAC that is not their own and send from another: a port group that
// rejects both makes the cluster silent.
import { portGroupOf } from "../context.ts";
import { type CheckRule, setValue } from "../rule.ts";

export const nlbForgedTransmits: CheckRule = {
  code: "nlb-forged-transmits",
  severity: "error",
  title: "the port group rejects the MACs of a unicast cluster",
  *run(context) {
    for (const { name, mode, mac, network: where, members, span } of context.resolved.clusters) {
      const network = context.networks.get(where)!;
      const group = portGroupOf(context, network);
      const [member] = members;
      if (mode !== "unicast" || group === null || member === undefined) continue;
      const { macChanges, forgedTransmits } = group.security;
      const path = ["switches", network.portGroup!.switch, "port-groups", group.name, "security"];
      for (const { key, policy, why } of [
        { key: "mac-changes", policy: macChanges, why: `its members answer to ${mac}, which is not theirs` },
        {
          key: "forged-transmits",
          policy: forgedTransmits,
          why: `its members send from others, such as ${member.maskMac}`,
        },
      ]) {
        if (policy?.value === "accept") continue;
        yield {
          span: (policy ?? group).span,
          message: `port group ${group.name} rejects ${key}, but cluster ${name} is there: ${why}`,
          help: `Write \`security: {${key}: accept}\`.`,
          related: [{ span, message: `cluster ${name} is here` }],
          fix: [setValue(group.span, [...path, key], "accept")],
        };
      }
    }
  },
};
