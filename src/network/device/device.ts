// What every node does: it receives frames at its ports. What it sends goes through the world.
import type { NodeSpec } from "../topology/topology.ts";
import { Bridge } from "./bridge.ts";
import { HostLinks } from "./host-links.ts";
import { IpStack } from "./ip-stack.ts";
import type { HopNote, NodeName } from "./recorder.ts";
import type { World } from "./world.ts";

export interface Device {
  readonly name: NodeName;
  receive(frame: Uint8Array, port: string, hop: HopNote): void;
}

export function makeDevice(spec: NodeSpec, world: World): Device {
  switch (spec.kind) {
    case "switch":
    case "fabric":
      return new Bridge(spec, world);
    case "host":
      return "stack" in spec ? new HostLinks(spec, world) : stackDevice(spec, world);
    default:
      return stackDevice(spec, world);
  }
}

function stackDevice(spec: IpStack["spec"], world: World): Device {
  return new IpStack(spec, world, (port, frame, hop) => world.send(hop, port, frame));
}
