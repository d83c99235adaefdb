// Copies are the same to the last bit. Without a fence around each, all of them are in one network with one
// set of addresses and MACs.
import type { CheckRule } from "../rule.ts";

export const vappCopiesCollide: CheckRule = {
  code: "vapp-copies-collide",
  severity: "error",
  title: "copies of a vApp without fence have the same addresses",
  *run({ datacenter }) {
    for (const { name, copies, network, machines } of datacenter.vapps) {
      if (copies.length < 2 || network.fenced?.value === true) continue;
      const same = machines
        .flatMap(({ interfaces }) => interfaces)
        .find(({ addresses, mac }) => mac !== null || addresses.some(({ value }) => value !== "dhcp"));
      if (same === undefined && machines.length === 0) continue;
      const address = same?.addresses.find(({ value }) => value !== "dhcp");
      const what = address === undefined ? "the same MACs" : `the same addresses, such as ${address.value}`;
      yield {
        span: (network.fenced ?? network).span,
        message: `${copies.length} copies of ${name} stand in ${network.parent.value} without a fence, with ${what}`,
        help: "Write `fenced: true`: each copy then has the subnet for itself, and an outside address for each machine.",
        related: copies.slice(0, 2).map((copy) => ({ span: copy.span, message: `copy ${copy.name}` })),
      };
    }
  },
};
