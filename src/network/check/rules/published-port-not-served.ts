// Somebody is sent to a port where the machine is not known to serve anything.
import type { Located, Service } from "../../../model/datacenter.ts";
import { natTargets, targetPort } from "../nat-targets.ts";
import type { CheckRule } from "../rule.ts";

export const publishedPortNotServed: CheckRule = {
  code: "published-port-not-served",
  severity: "warning",
  title: "a machine is published at a port where it does not listen",
  *run(context) {
    for (const { machine, source, protocol } of context.resolved.publications) {
      const { services } = context.machines.get(machine)!.source;
      const port = source.port.value;
      if (isServed(services, protocol, port)) continue;
      yield {
        span: source.port.span,
        message: `${machine} is published with port ${port}, but listens on ${list(services)} only`,
        help: `Publish one of these, or add ${port} to its \`listen\`.`,
        related: [{ span: services[0]!.span, message: `${machine} says it here` }],
      };
    }
    for (const one of natTargets(context)) {
      const owner = context.ownersAnywhere.get(one.target)?.owner;
      const port = targetPort(one);
      const services = owner?.source?.services ?? [];
      const protocol = one.resolved.protocol;
      if (port === null || protocol === null || protocol === "icmp" || isServed(services, protocol, port))
        continue;
      yield {
        span: one.rule.span,
        message: `${one.edge.name} sends to port ${port} of ${owner!.name}, which listens on ${list(services)} only`,
        help: `Say \`to-port\` with one of these, or add ${port} to its \`listen\`.`,
        related: [{ span: services[0]!.span, message: `${owner!.name} says it here` }],
      };
    }
  },
};

/** Nothing said is nothing known. */
function isServed(services: readonly Located<Service>[], protocol: string, port: number): boolean {
  return (
    services.length === 0 || services.some(({ value }) => value.protocol === protocol && value.port === port)
  );
}

function list(services: readonly Located<Service>[]): string {
  return services.map(({ value: { protocol, port } }) => `${protocol} ${port}`).join(", ");
}
