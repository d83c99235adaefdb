// One socket, two plugs.
import type { FabricPort } from "../../../model/datacenter.ts";
import type { CheckRule } from "../rule.ts";

export const cableTwice: CheckRule = {
  code: "cable-twice",
  severity: "error",
  title: "two ports are plugged into one socket",
  *run({ datacenter: { fabric } }) {
    const plugged = new Map<string, { readonly words: string; readonly port: FabricPort }>();
    const farOf = new Map(
      fabric.flatMap(({ name, ports }) => ports.map((port) => [`${name}/${port.name}`, port])),
    );
    for (const { name, ports } of fabric) {
      for (const port of ports) {
        if (port.to === null) continue;
        const own = `${name}/${port.name}`;
        const words = `port ${port.name} of ${name}`;
        const first = plugged.get(port.to.value);
        const back = farOf.get(port.to.value)?.to ?? null;
        if (first !== undefined)
          yield {
            span: port.to.span,
            message: `${words} is plugged into ${port.to.value}, where ${first.words} is plugged in already`,
            help: "Correct the one that is wrong.",
            related: [{ span: first.port.to!.span, message: `${first.words} is here` }],
          };
        else if (back !== null && back.value !== own)
          yield {
            span: port.to.span,
            message: `${words} is plugged into ${port.to.value}, which says that it is plugged into ${back.value}`,
            help: "A cable has two ends: each names the other, or one of them says nothing.",
            related: [{ span: back.span, message: "the other end is here" }],
          };
        else plugged.set(port.to.value, { words, port });
      }
    }
  },
};
