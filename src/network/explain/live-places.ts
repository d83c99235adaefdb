// Where a trace's nodes have their cables in a running network: by the ports of bridges in which the cables
// end, each with the names that node and port have in the trace.
import type { NamespaceName, NetworkState } from "../../model/network-state.ts";
import type { Topology } from "../topology/topology.ts";
import type { LivePlace } from "./compare-trace.ts";

export interface LivePlaces {
  /** Where the cables end. */
  readonly namespace: NamespaceName;
  /** By the name of the bridge's port. */
  readonly byLink: ReadonlyMap<string, LivePlace>;
}

/** Null: this network has no bridges. */
export function livePlaces({ namespaces }: NetworkState, topology: Topology): LivePlaces | null {
  const fabric = namespaces.find(({ links }) => links.some(({ kind }) => kind.kind === "bridge"));
  if (fabric === undefined) return null;
  const places = placesByWords(topology);
  const byLink = new Map<string, LivePlace>();
  for (const { name, alias, master, kind } of fabric.links) {
    const words = alias?.slice(alias.indexOf(" ") + 1);
    const place = words === undefined ? undefined : places.get(words);
    if (kind.kind === "veth" && master !== null && place !== undefined) byLink.set(name, place);
  }
  return { namespace: fabric.name, byLink };
}

/** A cable's alias names who has it and the interface there: "web-001/eth0". */
function placesByWords({ nodes }: Topology): Map<string, LivePlace> {
  const places = new Map<string, LivePlace>();
  for (const node of nodes.values()) {
    if (!("interfaces" in node)) continue;
    for (const { name } of node.interfaces) {
      places.set(`${node.name}/${name}`.replaceAll(/[^\w./:-]/g, "_"), { node: node.name, port: name });
    }
  }
  return places;
}
