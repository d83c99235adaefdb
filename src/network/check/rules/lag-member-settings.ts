// A port in a LAG that has VLANs of its own: switches suspend such a member, or ignore what it says.
import type { CheckRule } from "../rule.ts";

export const lagMemberSettings: CheckRule = {
  code: "lag-member-settings",
  severity: "error",
  title: "a port of a LAG has other VLANs or another MTU than the LAG",
  *run({ datacenter }) {
    for (const { ports, lags, name } of datacenter.fabric) {
      for (const port of ports) {
        const lag = lags.find((one) => one.name === port.lag?.value);
        if (lag === undefined) continue;
        const own = [
          ...(port.trunk.length > 0 && vlans(port.trunk) !== vlans(lag.trunk)
            ? [{ what: "trunk", span: port.trunk[0]!.span }]
            : []),
          ...(port.native !== null && port.native.value !== lag.native?.value
            ? [{ what: "native", span: port.native.span }]
            : []),
          ...(port.mtu !== null && port.mtu.value !== lag.mtu?.value
            ? [{ what: "mtu", span: port.mtu.span }]
            : []),
        ];
        for (const { what, span } of own) {
          yield {
            span,
            message: `port ${port.name} of ${name} has another \`${what}\` than LAG ${lag.name} that it is in, so the switch suspends it`,
            help: `Leave \`${what}\` out here: the LAG says it for all its ports.`,
            related: [{ span: lag.span, message: `LAG ${lag.name} is here` }],
          };
        }
      }
    }
  },
};

function vlans(
  trunk: readonly { readonly value: { readonly first: number; readonly last: number } }[],
): string {
  return trunk
    .map(({ value: { first, last } }) => `${first}-${last}`)
    .sort()
    .join(",");
}
