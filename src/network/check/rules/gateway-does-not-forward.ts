// A machine has the gateway's address but does not route: it takes the packets, and throws them away.
import { ownerIn } from "../context.ts";
import { type CheckRule, setValue } from "../rule.ts";

export const gatewayDoesNotForward: CheckRule = {
  code: "gateway-does-not-forward",
  severity: "error",
  title: "the gateway is a machine that does not route",
  *run(context) {
    for (const { name, gateways, external } of context.datacenter.networks) {
      if (external?.value === true) continue;
      for (const { value: ip, span } of gateways) {
        const near = ownerIn(context, context.networks.get(name)!, ip);
        const owner = near ?? context.ownersAnywhere.get(ip);
        if (owner === undefined || (owner.owner.kind !== "machine" && owner.owner.kind !== "host")) continue;
        const isHost = owner.owner.kind === "host";
        // A machine elsewhere may have the same address.
        if (near === null && !isHost) continue;
        const holder = isHost ? context.hosts.get(owner.owner.name)! : owner.owner.source!;
        if (holder.forwarding?.value === true) continue;
        // Only what stands in the file under its own name can be set there.
        const path = isHost ? ["hosts", holder.name] : ["machines", holder.name];
        const isInCopy = owner.owner.name !== holder.name;
        yield {
          span,
          message: `the gateway ${ip} of ${name} is ${owner.owner.kind} ${holder.name}, which does not route between its interfaces`,
          help: `Say \`forwarding: true\` at ${holder.name}.`,
          related: [{ span: owner.span, message: "it has the address here" }],
          ...(isInCopy ? {} : { fix: [setValue(holder.span, [...path, "forwarding"], true)] }),
        };
      }
    }
  },
};
