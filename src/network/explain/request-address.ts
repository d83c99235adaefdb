// A machine that has its address by DHCP asks for it before it can send anything: the four messages of RFC
// 2131, from its port to the edge that answers.
import type { Ip } from "../../base/ip.ts";
import type { TracePath } from "../../model/trace.ts";
import { HopNote, Recording } from "../device/recorder.ts";
import type { World } from "../device/world.ts";
import type { StackInterface, StackSpec } from "../topology/topology.ts";

/** Null when it has an address of its own beside. */
export function requestAddress(world: World, asker: StackSpec, one: StackInterface): TracePath | null {
  const network = world.topology.resolved.networks.find(({ name }) => name === one.network);
  const recording = new Recording();
  const hop = new HopNote(recording, { kind: asker.kind, name: asker.name }, null, null, world.nowMs);
  hop.step(
    "dhcp",
    `${asker.name} has no address of its own and asks by DHCP (DISCOVER, to everybody in ${one.network})`,
    {
      level: "brief",
      span: one.span,
    },
  );
  const given: Ip | undefined = one.addresses[0]?.ip;
  if (network?.dhcp == null || given === undefined) {
    hop.end("no-address", `nobody in ${one.network} answers DHCP`, network?.span ?? one.span);
    return recording.finish({ disposition: "no-address", summary: "nobody answers DHCP" });
  }
  const { dhcp } = network;
  const server = new HopNote(recording, { kind: "edge", name: dhcp.server }, 0, null, world.nowMs);
  server.step("dhcp", `${dhcp.server} offers ${given} for ${words(dhcp.leaseMs)} (OFFER, REQUEST, ACK)`, {
    level: "brief",
    span: dhcp.span,
  });
  const router = network.gateways.length > 0 ? `, router ${network.gateways.join(", ")}` : "";
  server.end("delivered", `${asker.name} has ${given}${router}`, dhcp.span);
  return recording.finish({ disposition: "delivered", summary: "" });
}

function words(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
