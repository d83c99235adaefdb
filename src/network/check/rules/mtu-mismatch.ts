// The host sends larger packets than the switch's port takes: small ones pass, so ping works and copying a
// file does not.
import { describeEnd, endsOf, linkOf } from "../cables.ts";
import { fabricPairs } from "../fabric-links.ts";
import { MTU_DEFAULT } from "../link-mtu.ts";
import type { CheckRule } from "../rule.ts";

export const mtuMismatch: CheckRule = {
  code: "mtu-mismatch",
  severity: "error",
  title: "the two ends of a cable have different MTUs",
  *run(context) {
    for (const host of context.datacenter.hosts) {
      const members = new Set(host.bonds.flatMap(({ links }) => links.map(({ value }) => value)));
      for (const one of [...host.bonds, ...host.interfaces]) {
        if (members.has(one.name)) continue;
        const mtu = one.mtu?.value ?? MTU_DEFAULT;
        for (const end of endsOf(context.cables, host, one.name)) {
          const far = linkOf(end);
          if (far.mtu === null || far.mtu.value >= mtu) continue;
          yield {
            span: (one.mtu ?? one).span,
            message: `${host.name}/${one.name} sends packets of up to ${mtu} bytes, but ${describeEnd(end)} takes only ${far.mtu.value}: large ones vanish`,
            help: `Write \`mtu: ${far.mtu.value}\` here, or raise it in the switch.`,
            related: [{ span: far.mtu.span, message: `${describeEnd(end)} says it here` }],
          };
        }
      }
    }
    for (const { a, b } of fabricPairs(context)) {
      const [left, right] = [a.link.mtu, b.link.mtu];
      if (left === null || right === null || left.value === right.value) continue;
      yield {
        span: right.span,
        message: `${b.words} takes packets of up to ${right.value} bytes, but ${a.words} at the other end of up to ${left.value}`,
        help: "Write the same `mtu` at both ends.",
        related: [{ span: left.span, message: "the other end is here" }],
      };
    }
  },
};
