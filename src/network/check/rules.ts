// All checks, in the order in which they are run and listed: from the cable upwards.
import type { CheckRule } from "./rule.ts";
import { addressIsNetworkOrBroadcast } from "./rules/address-is-network-or-broadcast.ts";
import { addressOnBondMember } from "./rules/address-on-bond-member.ts";
import { addressOutsideSubnet } from "./rules/address-outside-subnet.ts";
import { arpMonitorConflict } from "./rules/arp-monitor-conflict.ts";
import { bondMembersDiffer } from "./rules/bond-members-differ.ts";
import { bondModeNeedsLag } from "./rules/bond-mode-needs-lag.ts";
import { bondSettingImpossible } from "./rules/bond-setting-impossible.ts";
import { bondSingleLink } from "./rules/bond-single-link.ts";
import { cableTwice } from "./rules/cable-twice.ts";
import { consoleAddressNobodyHas } from "./rules/console-address-nobody-has.ts";
import { consoleProxyBehindNat } from "./rules/console-proxy-behind-nat.ts";
import { consoleProxyOnPortalAddress } from "./rules/console-proxy-on-portal-address.ts";
import { consoleRightUnknownMachine } from "./rules/console-right-unknown-machine.ts";
import { consoleTranslated } from "./rules/console-translated.ts";
import { dhcpNoServer } from "./rules/dhcp-no-server.ts";
import { dhcpRangeOutsideSubnet } from "./rules/dhcp-range-outside-subnet.ts";
import { dhcpRangeOverStatic } from "./rules/dhcp-range-over-static.ts";
import { dhcpServerNotInNetwork } from "./rules/dhcp-server-not-in-network.ts";
import { dhcpTwoServers } from "./rules/dhcp-two-servers.ts";
import { dnatHalfMissing } from "./rules/dnat-half-missing.ts";
import { dnsNobodyHas } from "./rules/dns-nobody-has.ts";
import { duplicateAddress } from "./rules/duplicate-address.ts";
import { duplicateMac } from "./rules/duplicate-mac.ts";
import { edgeWithoutDefaultRoute } from "./rules/edge-without-default-route.ts";
import { expectationFails } from "./rules/expectation-fails.ts";
import { externalNetworkOpen } from "./rules/external-network-open.ts";
import { firewallRuleNeverMatches } from "./rules/firewall-rule-never-matches.ts";
import { forwardingOneInterface } from "./rules/forwarding-one-interface.ts";
import { gatewayDoesNotForward } from "./rules/gateway-does-not-forward.ts";
import { gatewayNobodyHas } from "./rules/gateway-nobody-has.ts";
import { gatewayOutsideSubnet } from "./rules/gateway-outside-subnet.ts";
import { hairpinMissing } from "./rules/hairpin-missing.ts";
import { hypervisorReachable } from "./rules/hypervisor-reachable.ts";
import { lacpModeMismatch } from "./rules/lacp-mode-mismatch.ts";
import { lacpRateMismatch } from "./rules/lacp-rate-mismatch.ts";
import { lagAcrossSwitches } from "./rules/lag-across-switches.ts";
import { lagMemberSettings } from "./rules/lag-member-settings.ts";
import { lagMembersDiffer } from "./rules/lag-members-differ.ts";
import { lagWithoutBond } from "./rules/lag-without-bond.ts";
import { layer2HashOneGateway } from "./rules/layer2-hash-one-gateway.ts";
import { linkUsedTwice } from "./rules/link-used-twice.ts";
import { loopInFabric } from "./rules/loop-in-fabric.ts";
import { miiMonitorMissing } from "./rules/mii-monitor-missing.ts";
import { mirrorLoops } from "./rules/mirror-loops.ts";
import { mtuMismatch } from "./rules/mtu-mismatch.ts";
import { natAddressNotOnEdge } from "./rules/nat-address-not-on-edge.ts";
import { natShadowed } from "./rules/nat-shadowed.ts";
import { natToNowhere } from "./rules/nat-to-nowhere.ts";
import { natWithoutOpening } from "./rules/nat-without-opening.ts";
import { nativeVlanMismatch } from "./rules/native-vlan-mismatch.ts";
import { nativeVlanTagged } from "./rules/native-vlan-tagged.ts";
import { nlbAddressFamily } from "./rules/nlb-address-family.ts";
import { nlbForgedTransmits } from "./rules/nlb-forged-transmits.ts";
import { nlbIgmpNeedsSnooping } from "./rules/nlb-igmp-needs-snooping.ts";
import { nlbMacTwice } from "./rules/nlb-mac-twice.ts";
import { nlbMembersApart } from "./rules/nlb-members-apart.ts";
import { nlbMulticastStaticArp } from "./rules/nlb-multicast-static-arp.ts";
import { nlbNotifySwitches } from "./rules/nlb-notify-switches.ts";
import { nlbRuleSettings } from "./rules/nlb-rule-settings.ts";
import { nlbSingleMember } from "./rules/nlb-single-member.ts";
import { nlbUnmanagedMember } from "./rules/nlb-unmanaged-member.ts";
import { noRouteBack } from "./rules/no-route-back.ts";
import { overlappingSubnets } from "./rules/overlapping-subnets.ts";
import { poolOutsideSubnet } from "./rules/pool-outside-subnet.ts";
import { poolOverlapsDhcpRange } from "./rules/pool-overlaps-dhcp-range.ts";
import { portGroupUnused } from "./rules/port-group-unused.ts";
import { publishedPortNotServed } from "./rules/published-port-not-served.ts";
import { qinqMtu } from "./rules/qinq-mtu.ts";
import { qinqOuterInUse } from "./rules/qinq-outer-in-use.ts";
import { routeLoop } from "./rules/route-loop.ts";
import { routeViaUnreachable } from "./rules/route-via-unreachable.ts";
import { switchFeatureNeedsVersion } from "./rules/switch-feature-needs-version.ts";
import { switchMtuAboveUplink } from "./rules/switch-mtu-above-uplink.ts";
import { tooManyLags } from "./rules/too-many-lags.ts";
import { trunkEndsDiffer } from "./rules/trunk-ends-differ.ts";
import { unknownLink } from "./rules/unknown-link.ts";
import { untaggedDropped } from "./rules/untagged-dropped.ts";
import { uplinkMissing } from "./rules/uplink-missing.ts";
import { uplinkNotCabled } from "./rules/uplink-not-cabled.ts";
import { vappCopiesCollide } from "./rules/vapp-copies-collide.ts";
import { vlanInterfaceTwice } from "./rules/vlan-interface-twice.ts";
import { vlanMtuAboveLink } from "./rules/vlan-mtu-above-link.ts";
import { vlanNotCarried } from "./rules/vlan-not-carried.ts";
import { vlanOnBondMember } from "./rules/vlan-on-bond-member.ts";
import { vlanUsedTwice } from "./rules/vlan-used-twice.ts";

export const CHECK_RULES: readonly CheckRule[] = [
  // Cables and uplinks.
  unknownLink,
  cableTwice,
  uplinkNotCabled,
  uplinkMissing,
  loopInFabric,
  // Bonds.
  miiMonitorMissing,
  arpMonitorConflict,
  bondSettingImpossible,
  bondSingleLink,
  linkUsedTwice,
  addressOnBondMember,
  vlanOnBondMember,
  vlanInterfaceTwice,
  bondMembersDiffer,
  layer2HashOneGateway,
  // Both ends of a LAG.
  bondModeNeedsLag,
  lagWithoutBond,
  lagMembersDiffer,
  lagMemberSettings,
  lagAcrossSwitches,
  lacpModeMismatch,
  lacpRateMismatch,
  // VLANs.
  vlanNotCarried,
  nativeVlanTagged,
  untaggedDropped,
  nativeVlanMismatch,
  trunkEndsDiffer,
  // MTU.
  mtuMismatch,
  switchMtuAboveUplink,
  vlanMtuAboveLink,
  qinqMtu,
  // Switches.
  switchFeatureNeedsVersion,
  tooManyLags,
  portGroupUnused,
  vlanUsedTwice,
  qinqOuterInUse,
  mirrorLoops,
  // Addresses.
  duplicateAddress,
  duplicateMac,
  addressOutsideSubnet,
  addressIsNetworkOrBroadcast,
  gatewayOutsideSubnet,
  gatewayNobodyHas,
  gatewayDoesNotForward,
  overlappingSubnets,
  // Pools and DHCP.
  poolOutsideSubnet,
  poolOverlapsDhcpRange,
  dhcpRangeOutsideSubnet,
  dhcpRangeOverStatic,
  dhcpTwoServers,
  dhcpNoServer,
  dhcpServerNotInNetwork,
  dnsNobodyHas,
  // Routes.
  edgeWithoutDefaultRoute,
  routeViaUnreachable,
  routeLoop,
  noRouteBack,
  forwardingOneInterface,
  // NAT and firewalls.
  natAddressNotOnEdge,
  natToNowhere,
  natShadowed,
  natWithoutOpening,
  dnatHalfMissing,
  hairpinMissing,
  publishedPortNotServed,
  firewallRuleNeverMatches,
  externalNetworkOpen,
  hypervisorReachable,
  // VApps.
  vappCopiesCollide,
  // Clusters.
  nlbNotifySwitches,
  nlbForgedTransmits,
  nlbIgmpNeedsSnooping,
  nlbMulticastStaticArp,
  nlbMembersApart,
  nlbRuleSettings,
  nlbSingleMember,
  nlbUnmanagedMember,
  nlbAddressFamily,
  nlbMacTwice,
  // Consoles.
  consoleProxyOnPortalAddress,
  consoleAddressNobodyHas,
  consoleProxyBehindNat,
  consoleTranslated,
  consoleRightUnknownMachine,
  // What the file itself expects.
  expectationFails,
];
