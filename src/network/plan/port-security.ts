// The three security policies of port groups as rules of the bridges: who may send from which MAC (forged
// transmits), who is sent frames for which (MAC changes, promiscuous). Ports without port group are free.
import type { PortGroupSecurity } from "../../model/datacenter.ts";
import { LIVE_SET } from "../cluster/member-settings.ts";
import { type NftMap, quoted } from "./nft-table.ts";
import type { BridgePortRecord, Wiring } from "./wiring.ts";

export const PORT_TABLE = "sallyport_ports";
/** MACs that machines have taken, where they may: as long as a bridge remembers one. */
const CHANGED_MACS = `${LIVE_SET}changed_macs`;
const REMEMBERED_S = 300;

export function addPortSecurity(wiring: Wiring): void {
  const ports = wiring.ports.filter(({ portGroup }) => portGroup !== null);
  const rejecting = (policy: keyof PortGroupSecurity) =>
    ports.filter(({ portGroup }) => (portGroup!.security[policy]?.value ?? "reject") === "reject");
  const forged = rejecting("forgedTransmits");
  const promiscuous = rejecting("promiscuous");
  if (forged.length === 0 && promiscuous.length === 0) return;
  // A card that has another MAC by now says so by what it sends.
  const changing = promiscuous.filter(
    ({ portGroup }) =>
      portGroup!.security.macChanges?.value === "accept" &&
      portGroup!.security.forgedTransmits?.value === "accept",
  );
  const pairs = (list: readonly BridgePortRecord[]) =>
    list.flatMap((port) => macsOf(port, wiring).map((mac) => `${quoted(port.link)} . ${mac}`));
  const names = (list: readonly BridgePortRecord[]) => list.map(({ link }) => quoted(link));
  const set = (name: string, type: string, elements: string[]): NftMap => ({
    name,
    type,
    isInterval: false,
    elements,
  });
  const sets = [
    ...(forged.length === 0
      ? []
      : [
          set("sp_senders", "ifname", names(forged)),
          set("sp_sender_macs", "ifname . ether_addr", pairs(forged)),
        ]),
    ...(promiscuous.length === 0
      ? []
      : [
          set("sp_receivers", "ifname", names(promiscuous)),
          set("sp_receiver_macs", "ifname . ether_addr", pairs(promiscuous)),
        ]),
    ...(changing.length === 0
      ? []
      : [
          set("sp_changers", "ifname", names(changing)),
          { ...set(CHANGED_MACS, "ifname . ether_addr", []), learnsForSeconds: REMEMBERED_S },
        ]),
  ];
  const chains = [
    {
      name: "sp_from_port",
      // Before the bridge learns: a forged MAC must not even be remembered.
      hook: "type filter hook prerouting priority -300; policy accept;",
      rules: [
        ...(forged.length === 0
          ? []
          : ["iifname @sp_senders iifname . ether saddr != @sp_sender_macs counter drop"]),
        ...(changing.length === 0
          ? []
          : [
              `iifname @sp_changers iifname . ether saddr != @sp_receiver_macs update @${CHANGED_MACS} { iifname . ether saddr }`,
            ]),
      ],
    },
    {
      name: "sp_to_port",
      // Before br_netfilter (-1), which takes IP packets away and gives them back behind priority 0.
      hook: "type filter hook forward priority -10; policy accept;",
      rules: [
        ...(promiscuous.length === 0
          ? []
          : [
              `ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 oifname @sp_receivers oifname . ether daddr != @sp_receiver_macs ${
                changing.length === 0 ? "" : `oifname . ether daddr != @${CHANGED_MACS} `
              }counter drop`,
            ]),
      ],
    },
  ];
  wiring.fabricTable("bridge", PORT_TABLE, { sets, maps: [], chains });
}

/**
 * Its own MAC, and for a member of a cluster the shared and the masking one, where the policy lets it change.
 */
function macsOf({ mac, machine, network, portGroup }: BridgePortRecord, { resolved }: Wiring): string[] {
  const own = machine?.interfaces.find((one) => one.network === network)?.mac;
  const macs = new Set<string>([own ?? mac]);
  const cluster = resolved.clusters.find(
    ({ name, network: place }) => name === machine?.cluster && place === network,
  );
  const mayChange = portGroup!.security.macChanges?.value === "accept";
  if (cluster !== undefined && mayChange) {
    macs.add(cluster.mac);
    const mask = cluster.members.find((member) => member.machine === machine?.name)?.maskMac;
    if (mask !== undefined) macs.add(mask);
  }
  return [...macs];
}
