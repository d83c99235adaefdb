// Two switches, one cable, and different ideas of the VLAN of frames without a tag: two networks become one.
import { fabricPairs } from "../fabric-links.ts";
import type { CheckRule } from "../rule.ts";

export const nativeVlanMismatch: CheckRule = {
  code: "native-vlan-mismatch",
  severity: "error",
  title: "two switches have different native VLANs on one cable",
  *run(context) {
    for (const { a, b } of fabricPairs(context)) {
      const [left, right] = [a.link.native, b.link.native];
      if (left?.value === right?.value) continue;
      const words = (native: typeof left): string =>
        native === null ? "no native VLAN" : `native VLAN ${native.value}`;
      yield {
        span: right?.span ?? b.link.span,
        message: `${b.words} has ${words(right)}, but ${a.words} at the other end has ${words(left)}: frames without a tag change their VLAN on the way`,
        help: "Write the same `native` at both ends, best one that nobody uses.",
        related: [{ span: left?.span ?? a.link.span, message: `the other end, with ${words(left)}` }],
      };
    }
  },
};
