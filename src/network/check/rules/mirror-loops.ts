// A mirror whose copies are mirrored again, or that copies to somebody who is not there.
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { CheckRule } from "../rule.ts";

export const mirrorLoops: CheckRule = {
  code: "mirror-loops",
  severity: "error",
  title: "a mirror copies its own copies, or names nobody",
  *run({ datacenter, machines, networks }) {
    for (const { name, mirrors, portGroups } of datacenter.switches) {
      const groups = portGroups.map((group) => group.name);
      const groupsOf = (machine: string): string[] =>
        (machines.get(machine)?.interfaces ?? []).flatMap(
          ({ network }) => networks.get(network)!.portGroup?.portGroup ?? [],
        );
      for (const { from, to, remote } of mirrors) {
        const sources = [...machines.keys(), ...groups];
        if (!machines.has(from.value) && !groups.includes(from.value))
          yield {
            span: from.span,
            message: `\`${from.value}\` is neither a machine nor a port group of ${name}`,
            help:
              suggestWord(from.value, sources) ??
              "A mirror copies what a machine or a port group sends and gets.",
          };
        if (to === null) {
          const vlan = remote?.value;
          const used =
            typeof vlan === "number"
              ? portGroups.find(
                  (group) => group.vlan?.value.kind === "access" && group.vlan.value.id === vlan,
                )
              : undefined;
          if (used !== undefined)
            yield {
              span: remote!.span,
              message: `the mirror sends its copies into VLAN ${vlan}, where the machines of ${used.name} are: they get everything a second time`,
              help: "Take a VLAN that nobody else uses.",
              related: [{ span: used.vlan!.span, message: `${used.name} is here` }],
            };
          continue;
        }
        if (!machines.has(to.value)) {
          yield {
            span: to.span,
            message: `there is no machine \`${to.value}\` that could get the copies`,
            help: suggestWord(to.value, machines.keys()),
          };
          continue;
        }
        const isOwn = from.value === to.value || groupsOf(to.value).includes(from.value);
        const back = mirrors.find((one) => one.from.value === to.value && one.to?.value === from.value);
        if (!isOwn && back === undefined) continue;
        yield {
          span: to.span,
          message: isOwn
            ? `${to.value} gets a copy of what ${from.value} sends and gets, to which these copies belong`
            : `${from.value} is mirrored to ${to.value}, and that back again: each copy is copied`,
          help: "Send the copies to a machine in a port group of its own.",
          related: back === undefined ? [] : [{ span: back.span, message: "the other mirror is here" }],
        };
      }
    }
  },
};
