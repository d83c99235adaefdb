// To route, one needs two networks.
import type { CheckRule } from "../rule.ts";

export const forwardingOneInterface: CheckRule = {
  code: "forwarding-one-interface",
  severity: "warning",
  title: "a machine is to route, but is in one network only",
  *run({ datacenter, routers }) {
    const byName = new Map(routers.map((router) => [`${router.kind} ${router.name}`, router]));
    for (const [kind, things] of [
      ["machine", datacenter.machines],
      ["host", datacenter.hosts],
    ] as const) {
      for (const { name, forwarding } of things) {
        const router = byName.get(`${kind} ${name}`);
        if (forwarding?.value !== true || router === undefined || router.connected.length > 1) continue;
        yield {
          span: forwarding.span,
          message: `${kind} ${name} is to route, but is in ${router.connected.length === 0 ? "no network" : "one network only"}`,
          help:
            kind === "machine" ? "Give it several `interfaces`." : "Give it addresses in several networks.",
        };
      }
    }
  },
};
