// IGMP mode lets the switch send only to members, if it listens to who joins; without snooping it is
// multicast mode with more words.
import { familyOfIp } from "../../../base/ip.ts";
import { switchOf } from "../context.ts";
import type { CheckRule } from "../rule.ts";

export const nlbIgmpNeedsSnooping: CheckRule = {
  code: "nlb-igmp-needs-snooping",
  severity: "warning",
  title: "a cluster in IGMP mode is on a switch without IGMP snooping",
  *run(context) {
    for (const { name, mode, address, source, network: where } of context.resolved.clusters) {
      const network = context.networks.get(where)!;
      const on = switchOf(context, network);
      const [protocol, feature] =
        familyOfIp(address) === 4 ? (["IGMP", "igmp-snooping"] as const) : (["MLD", "mld-snooping"] as const);
      if (mode !== "igmp" || on === null || on.features.some(({ value }) => value === feature)) continue;
      const isOld = on.version !== null && on.version.value !== "6.0";
      yield {
        span: source.mode!.span,
        message: `cluster ${name} is in IGMP mode, but ${on.name} does not listen to ${protocol}: every frame for the cluster goes to all of ${network.name}`,
        help: `${isOld ? `\`sallyport switch upgrade FILE ${on.name} --to 6.0\`, then ` : ""}\`features: [${feature}]\` at ${on.name}.`,
        related: [{ span: (on.version ?? on).span, message: `${on.name} is here` }],
      };
    }
  },
};
