// Before 5.5 a switch knows one LAG for each host, and none before 5.1.
import type { Uplink } from "../../../model/datacenter.ts";
import { LAGS_MAX, versionOf } from "../../switch-versions.ts";
import type { CheckRule } from "../rule.ts";

export const tooManyLags: CheckRule = {
  code: "too-many-lags",
  severity: "error",
  title: "a host has more LAGs than its switches' version allows",
  *run({ datacenter, hosts }) {
    const first = new Map<string, Uplink>();
    for (const one of datacenter.switches) {
      for (const uplink of one.uplinks) {
        const { host, link } = uplink;
        const bond = hosts.get(host.value)?.bonds.find(({ name }) => name === link.value);
        if (bond?.mode?.value !== "802.3ad") continue;
        const other = first.get(host.value);
        if (other === undefined) first.set(host.value, uplink);
        // No LAG at all is told by the feature's own rule.
        else if (other.link.value !== link.value && LAGS_MAX[versionOf(one)] === 1)
          yield {
            span: link.span,
            message: `${one.name} has version ${versionOf(one)}, which knows one LAG on a host, but ${host.value} has ${other.link.value} and ${link.value}`,
            help: `Version 5.5 knows 64: \`sallyport switch upgrade ${link.span.file} ${one.name} --to 5.5\`.`,
            related: [{ span: other.link.span, message: "the other LAG is used here" }],
          };
      }
    }
  },
};
