// A card can belong to one bond or bridge; the kernel refuses the second.
import type { Span } from "../../../diagnostic/span.ts";
import type { CheckRule } from "../rule.ts";

export const linkUsedTwice: CheckRule = {
  code: "link-used-twice",
  severity: "error",
  title: "a card belongs to two bonds or bridges",
  *run({ datacenter, resolved }) {
    for (const host of datacenter.hosts) {
      const users = new Map<string, { readonly words: string; readonly span: Span }>();
      const uses = [
        ...host.bonds.flatMap(({ name, links }) => links.map((link) => ({ ...link, words: `bond ${name}` }))),
        ...host.bridges.flatMap(({ name, ports }) =>
          ports.map((port) => ({ ...port, words: `bridge ${name}` })),
        ),
        ...resolved.machines.flatMap(({ name, host: place, source: { kind } }) =>
          kind.kind === "attach" && place === host.name
            ? [{ ...kind.interface, words: `machine ${name}` }]
            : [],
        ),
      ];
      for (const { value, span, words } of uses) {
        const first = users.get(value);
        if (first === undefined) users.set(value, { words, span });
        else
          yield {
            span,
            message: `${value} of ${host.name} is used by ${first.words} and by ${words}`,
            help: "A card belongs to one of them.",
            related: [{ span: first.span, message: `${first.words} has it here` }],
          };
      }
    }
  },
};
