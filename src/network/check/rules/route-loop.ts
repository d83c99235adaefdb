// Two routers that each send to the other: a packet goes to and fro until its time to live is over.
import { formatSubnet } from "../../../base/ip.ts";
import { connectedTo, type Router, routeTo } from "../routers.ts";
import type { CheckRule } from "../rule.ts";

const HOPS_MAX = 32;

export const routeLoop: CheckRule = {
  code: "route-loop",
  severity: "error",
  title: "routes lead in a circle",
  *run({ routers, routersByIp }) {
    const told = new Set<string>();
    for (const start of routers) {
      for (const route of start.routes) {
        const goal = route.to.first;
        const way: Router[] = [start];
        let next = routersByIp.get(route.via);
        while (
          next?.isForwarding === true &&
          !way.includes(next) &&
          way.length < HOPS_MAX &&
          connectedTo(next, goal) === null
        ) {
          way.push(next);
          const further = routeTo(next, goal);
          next = further === null ? undefined : routersByIp.get(further.via);
        }
        if (next !== start || way.length < 2) continue;
        const key = `${formatSubnet(route.to)} ${way
          .map(({ name }) => name)
          .sort()
          .join(" ")}`;
        if (told.has(key)) continue;
        told.add(key);
        const last = way.at(-1)!;
        const circle = [...way, start].map(({ name }) => name).join(" → ");
        const where = route.to.prefix === 0 ? "anywhere else" : formatSubnet(route.to);
        yield {
          span: route.span,
          message: `packets to ${where} go in a circle: ${circle}`,
          help: "One of them must know a way that does not lead back.",
          related: [{ span: routeTo(last, goal)!.span, message: `${last.name} sends them back` }],
        };
      }
    }
  },
};
