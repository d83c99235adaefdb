// The edge of a fenced copy: the same subnet on both sides. Three routing tables, chosen by the side that a
// packet comes from, proxy ARP towards the inside, and translation of each inside address to one outside.
// Every part is needed; docs say which check fails without which.
import type { Subnet } from "../../base/ip.ts";
import { familyOfIp, subnetOf } from "../../base/ip.ts";
import type { ResolvedEdge, ResolvedFence } from "../../model/resolved-datacenter.ts";
import { interfaceSysctls, routingSysctls } from "./edge-state.ts";
import { firewallTable } from "./firewall-table.ts";
import type { NamespaceDraft } from "./namespace-draft.ts";
import { natTables } from "./nat-table.ts";
import { addressesText, nftTable } from "./nft-table.ts";
import type { Wiring } from "./wiring.ts";

const INSIDE = "in";
const OUTSIDE = "out";
/** Routing tables: what comes from inside goes out, what comes from outside goes in. */
const FROM_INSIDE = 100;
const ANSWERS_FROM_INSIDE = 101;
const FROM_OUTSIDE = 200;
const ANSWER_MARK = 1;

export function addFence(edge: ResolvedEdge, fence: ResolvedFence, wiring: Wiring): NamespaceDraft {
  const draft = wiring.drafts.namespace(edge.name, `fence ${edge.name}`);
  const [inside, outside] = [INSIDE, OUTSIDE].map(
    (name) => edge.interfaces.find((one) => one.name === name)!,
  );
  routingSysctls(draft);
  for (const one of [inside!, outside!]) {
    wiring.connect(draft, one.name, edge.name, one.name, one.network, { mac: one.mac });
    interfaceSysctls(draft, one.name);
    // The fence translates IPv4; nothing may find a way around it.
    draft.sysctl(`net/ipv6/conf/${one.name}/disable_ipv6`, 1);
  }
  if (familyOfIp(fence.address) === 6) {
    // By NDP the kernel answers for addresses that it is told one by one, never for a subnet.
    wiring.drafts.notes.push(
      `nobody gets through the fence around ${edge.name}: Linux fences translate IPv4, and inside is IPv6`,
    );
    return draft;
  }
  draft.sysctl(`net/ipv4/conf/${INSIDE}/proxy_arp`, 1);
  // The kernel waits up to 0.8 s before it answers for others.
  draft.sysctl(`net/ipv4/neigh/${INSIDE}/proxy_delay`, 0);
  const addresses = outside!.addresses.filter(({ ip }) => familyOfIp(ip) === 4);
  // The connected route is in tables of its own: in the main one it would hide the inside.
  addresses.forEach(({ ip, prefix }, index) => {
    draft.address(OUTSIDE, ip, index === 0 ? prefix : 32, index === 0);
  });
  const [own] = addresses;
  if (own !== undefined) addRoutes(draft, edge, fence, subnetOf(own.ip, own.prefix));
  addTables(draft, edge, fence, inside!.network, outside!.network);
  return draft;
}

function addRoutes(draft: NamespaceDraft, edge: ResolvedEdge, fence: ResolvedFence, subnet: Subnet): void {
  const defaults = edge.routes.filter(({ to }) => to.family === 4);
  const outwards = (table: number) => {
    draft.route({ to: subnet, link: OUTSIDE, table });
    for (const { to, via } of defaults) draft.route({ to, via, link: OUTSIDE, table, isOnlink: true });
  };
  // Neighbours inside answer each other themselves: a route back to where a question came from is not
  // answered for by proxy ARP.
  for (const { inside } of fence.pairs)
    draft.route({ to: subnetOf(inside, 32), link: INSIDE, table: FROM_INSIDE });
  outwards(FROM_INSIDE);
  outwards(ANSWERS_FROM_INSIDE);
  draft.route({ to: subnet, link: INSIDE, table: FROM_OUTSIDE });
  draft.route({ to: subnet, link: OUTSIDE, source: fence.address });
  for (const { to, via } of defaults) draft.route({ to, via, link: OUTSIDE, isOnlink: true });
  draft.rules.push(
    // Answers go out even to somebody who has the address of a machine inside.
    { priority: 90, inLink: INSIDE, mark: ANSWER_MARK, table: ANSWERS_FROM_INSIDE },
    { priority: 100, inLink: INSIDE, mark: null, table: FROM_INSIDE },
    { priority: 200, inLink: OUTSIDE, mark: null, table: FROM_OUTSIDE },
  );
}

function addTables(
  draft: NamespaceDraft,
  edge: ResolvedEdge,
  fence: ResolvedFence,
  inside: string,
  outside: string,
): void {
  const deviceOf = (network: string) => (network === inside ? INSIDE : network === outside ? OUTSIDE : null);
  const insides = fence.pairs.map((pair) => ({ first: pair.inside, last: pair.inside }));
  draft.tables.push(
    nftTable("ip", "sallyport_fence", {
      maps: [],
      chains: [
        {
          name: "sp_answers",
          hook: "type filter hook prerouting priority mangle; policy accept;",
          rules: [`iifname "${INSIDE}" ct direction reply meta mark set ${ANSWER_MARK}`],
        },
      ],
    }),
    firewallTable(edge.firewall, {
      deviceOf,
      inputRules: [],
      // An inside address is nobody's outside: only what was translated goes in.
      forwardRules:
        insides.length === 0
          ? []
          : [
              `iifname "${OUTSIDE}" oifname "${INSIDE}" ct original ip daddr ${addressesText(insides)} ct status & dnat != dnat drop`,
            ],
    }),
    ...natTables(edge.nat, deviceOf),
  );
}
