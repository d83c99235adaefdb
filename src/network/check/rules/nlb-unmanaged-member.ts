// Inside a virtual machine, or behind a card, Sallyport runs nothing: the agent has to be started there.
import type { CheckRule } from "../rule.ts";

export const nlbUnmanagedMember: CheckRule = {
  code: "nlb-unmanaged-member",
  severity: "notice",
  title: "a member of a cluster is a machine whose inside is not Sallyport's",
  *run({ datacenter, machines }) {
    for (const { name, machines: members } of datacenter.clusters) {
      for (const { value, span } of members) {
        const machine = machines.get(value);
        const kind = machine?.source.kind.kind;
        if (machine === undefined || (kind !== "qemu" && kind !== "attach")) continue;
        const what = kind === "qemu" ? "is a virtual machine" : "is behind a network card";
        yield {
          span,
          message: `${value} ${what}: \`apply\` cannot make it a member of ${name}, and without an agent in it the others take its share`,
          help: `In its own Linux, as root: \`sallyport cluster agent FILE ${value}\`. Windows' own NLB hashes otherwise, and cannot be in one cluster with it.`,
          related: [{ span: machine.span, message: `${value} is here` }],
        };
      }
    }
  },
};
