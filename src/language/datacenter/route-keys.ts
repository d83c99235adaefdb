// A route, as hosts, edges and machines have them.
import type { Subnet } from "../../base/ip.ts";
import { familyOfIp, subnetOf } from "../../base/ip.ts";
import type { Route } from "../../model/datacenter.ts";
import { ip, routeTarget } from "./address-values.ts";
import { entry, essentialKey } from "./keys.ts";
import type { ValueType } from "./value-type.ts";

export const route: ValueType<Route> = entry(
  {
    id: "route",
    words: "a route",
    doc: "Where to send packets for a subnet.",
    table: {
      to: essentialKey(routeTarget, "A subnet, one address, or `default` for everything.", {
        example: "default",
      }),
      via: essentialKey(ip, "The next router.", { example: "203.0.113.1" }),
    },
  },
  ({ to, via }, { span }, reading) => {
    const value: Subnet = to.value === "default" ? subnetOf(via.value, 0) : to.value;
    if (value.family !== familyOfIp(via.value)) {
      reading.error("mixed-families", via.span, `${via.value} is no next router for IPv${value.family}`, {
        related: [{ span: to.span, message: `the route is for IPv${value.family}` }],
      });
      return undefined;
    }
    return { to: { value, span: to.span }, via, span };
  },
);
