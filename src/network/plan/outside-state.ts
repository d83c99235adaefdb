// A network outside, where no uplink leads to the real one: a namespace with its router and somebody behind
// it to try things from.
import { familyOfIp, subnetOf } from "../../base/ip.ts";
import type { ResolvedNetwork } from "../../model/resolved-datacenter.ts";
import { addressOfSomebody, externalStation, PRIVATE_SUBNETS } from "../topology/external-station.ts";
import { everything } from "./machine-state.ts";
import type { Wiring } from "./wiring.ts";

export function addOutside(network: ResolvedNetwork, wiring: Wiring): void {
  const draft = wiring.drafts.namespace(network.name, `somebody in ${network.name}`);
  const [station] = externalStation(network).interfaces;
  const device = "outside";
  wiring.connect(draft, device, network.name, device, network.name, { mac: station!.mac });
  for (const family of [4, 6] as const) {
    const own = station!.addresses.find(({ ip }) => familyOfIp(ip) === family);
    const somebody = addressOfSomebody(family);
    if (own === undefined || own.ip === somebody) continue;
    draft.address(device, own.ip, own.prefix, true);
    draft.address(device, somebody, family === 4 ? 32 : 128, true);
    // It asks from an address beyond the network, as somebody on the internet would.
    draft.route({ to: subnetOf(own.ip, own.prefix), link: device, source: somebody });
    // And it is whoever is asked for there, but nobody in subnets that the internet has no routes to.
    draft.route({ to: everything(own.ip), link: "lo", type: "local" });
    for (const to of PRIVATE_SUBNETS)
      if (to.family === family) draft.route({ to, link: "lo", type: "unreachable" });
  }
}
