// An address of the consoles that nothing in the file answers for.
import type { CheckRule } from "../rule.ts";

export const consoleAddressNobodyHas: CheckRule = {
  code: "console-address-nobody-has",
  severity: "error",
  title: "nobody has the address of the portal or the console proxy",
  *run({ datacenter: { consoles }, ownersAnywhere }) {
    for (const [what, endpoint] of [
      ["portal", consoles?.portal],
      ["console proxy", consoles?.proxy],
    ] as const) {
      if (endpoint == null || ownersAnywhere.has(endpoint.address.value.ip)) continue;
      yield {
        span: endpoint.address.span,
        message: `the ${what} is to be at ${endpoint.address.value.ip}, but nobody has that address`,
        help: "Add it to the addresses of the edge in the external network.",
      };
    }
  },
};
