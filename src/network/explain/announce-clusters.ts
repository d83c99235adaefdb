// What a virtual switch does for machines at their start: it announces their MAC by RARP, so that the
// switches behind its uplinks learn where they are. For a cluster in unicast mode that is the accident: the
// shared MAC is learnt at one port, and from then on one member gets everything.
import type { ResolvedCluster } from "../../model/resolved-datacenter.ts";
import type { TracePath } from "../../model/trace.ts";
import { announcement } from "../cluster/announcement.ts";
import { HopNote, nodeIdOf, Recording } from "../device/recorder.ts";
import type { World } from "../device/world.ts";

/** The announcements of all members whose port group notifies switches, one after the other. */
export function announceClusters(world: World): TracePath[] {
  const { resolved } = world.topology;
  return resolved.clusters.flatMap((cluster) => {
    if (cluster.mode !== "unicast") return [];
    const network = resolved.networks.find(({ name }) => name === cluster.network);
    const { switches } = resolved.source;
    const portGroup = switches
      .find(({ name }) => name === network?.portGroup?.switch)
      ?.portGroups.find(({ name }) => name === network?.portGroup?.portGroup);
    if (portGroup === undefined || portGroup.notifySwitches?.value === false) return [];
    const span = portGroup.notifySwitches?.span ?? portGroup.span;
    return cluster.members.flatMap(
      ({ machine }) => announce(world, cluster, machine, portGroup.name, span) ?? [],
    );
  });
}

function announce(
  world: World,
  cluster: ResolvedCluster,
  machine: string,
  portGroup: string,
  span: TracePath["span"],
): TracePath | null {
  const spec = world.topology.nodes.get(nodeIdOf({ kind: "machine", name: machine }));
  if (spec === undefined || spec.kind !== "machine") return null;
  const one = spec.interfaces.find(({ network }) => network === cluster.network);
  if (one === undefined) return null;
  const recording = new Recording();
  const hop = new HopNote(recording, { kind: "machine", name: machine }, null, null, world.nowMs);
  hop.step(
    "learn",
    `port group ${portGroup} announces ${cluster.mac} of ${machine} by RARP (notify-switches)`,
    { level: "brief", span },
  );
  world.send(hop, one.name, announcement(cluster.mac));
  world.settle();
  const summary = `the switches learn the shared ${cluster.mac} at the port of ${machine}`;
  return {
    ...recording.finish({ disposition: "delivered", summary }),
    disposition: "delivered",
    summary,
    span,
  };
}
