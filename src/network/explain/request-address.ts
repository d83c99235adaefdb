// A machine that has its address by DHCP asks for it before it can send anything: the four messages of RFC
// 2131, from its port to the edge that answers, as frames through the switches between.

import type { Ip } from "../../base/ip.ts";
import { BROADCAST_MAC, type Mac } from "../../base/mac.ts";
import type { TracePath } from "../../model/trace.ts";
import {
  DHCP_CLIENT_PORT,
  DHCP_SERVER_PORT,
  type DhcpMessage,
  encodeDhcp,
  NO_IP,
  NO_OPTIONS,
} from "../../protocol/dhcp/message.ts";
import { ETHER_TYPES, encodeEthernet } from "../../wire/ethernet.ts";
import { BROADCAST_IP, encodePacket, newPacket } from "../device/packet.ts";
import { HopNote, Recording } from "../device/recorder.ts";
import type { World } from "../device/world.ts";
import type { StackInterface, StackSpec } from "../topology/topology.ts";

/** Known in captures: any number would do. */
const TRANSACTION = 0x53414c59;

/** The conversation; it ends with `no-address` when nobody answers. */
export function requestAddress(world: World, asker: StackSpec, one: StackInterface): TracePath {
  const recording = new Recording();
  const hop = new HopNote(recording, { kind: asker.kind, name: asker.name }, null, null, world.nowMs);
  hop.step("dhcp", `${asker.name} has no address of its own and asks everybody in ${one.network} by DHCP`, {
    level: "brief",
    span: one.span,
  });
  const offered = exchange(world, hop, one, discover(one.mac));
  const given = offered === null ? null : exchange(world, hop, one, request(one.mac, offered));
  if (given === null) {
    const summary = `nobody in ${one.network} answers DHCP`;
    return {
      ...recording.finish({ disposition: "no-address", summary }),
      disposition: "no-address",
      summary,
      span: one.span,
    };
  }
  const { routers } = given.options;
  const router = routers.length > 0 ? `, router ${routers.join(", ")}` : "";
  const summary = `${asker.name} has ${given.yourIp}${router}`;
  return {
    ...recording.finish({ disposition: "delivered", summary }),
    disposition: "delivered",
    summary,
    span: null,
  };
}

/** Sends one message and waits for what comes back to the asker. */
function exchange(world: World, hop: HopNote, one: StackInterface, message: DhcpMessage): DhcpMessage | null {
  const before = world.dhcpAnswers.length;
  const body = {
    kind: "udp",
    sourcePort: DHCP_CLIENT_PORT,
    destinationPort: DHCP_SERVER_PORT,
    data: encodeDhcp(message),
  } as const;
  const packet = { ...newPacket(NO_IP, BROADCAST_IP, body), dontFragment: false };
  const header = { destination: BROADCAST_MAC, source: one.mac, tags: [], etherType: ETHER_TYPES.ipv4 };
  world.send(hop, one.name, encodeEthernet(header, encodePacket(packet)));
  world.settle();
  return world.dhcpAnswers.slice(before).find(({ clientMac }) => clientMac === one.mac) ?? null;
}

function discover(mac: Mac): DhcpMessage {
  return {
    type: "discover",
    transaction: TRANSACTION,
    clientMac: mac,
    clientIp: NO_IP,
    yourIp: NO_IP,
    isBroadcast: true,
    options: NO_OPTIONS,
  };
}

function request(mac: Mac, { yourIp, options }: DhcpMessage): DhcpMessage {
  const server: Ip | null = options.server;
  return { ...discover(mac), type: "request", options: { ...NO_OPTIONS, requestedIp: yourIp, server } };
}
