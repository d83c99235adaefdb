// A trace held against what was captured in a running network: the same packets, at the same places, in the
// same order. Pure; who captures gives the frames with the names of the trace's nodes and ports.
import type { TraceCapture, TracePath } from "../../model/trace.ts";
import { decodeEthernet, ETHER_TYPES } from "../../wire/ethernet.ts";
import { decodePacket, describePacket } from "../device/packet.ts";

/** Name of the node as the trace has it, and of its port. */
export interface LivePlace {
  readonly node: string;
  readonly port: string;
}

export interface LiveCapture extends LivePlace {
  readonly direction: TraceCapture["direction"];
  readonly frame: Uint8Array;
}

export interface Disagreement extends LivePlace {
  readonly direction: TraceCapture["direction"];
  /** In words: packet and VLAN tags; null: nothing. */
  readonly explained: string | null;
  readonly captured: string | null;
}

/**
 * Where the two differ, in the order of the trace; empty when they agree. Compared is what the explanation is
 * about: addresses, ports, flags, TTL, DSCP and VLAN tags of IP packets. MAC addresses of routers' next hops,
 * sequence numbers and checksums are the kernel's own affair, and ARP comes when it comes. Only places that
 * were listened at count.
 */
export function compareTrace(
  { hops }: Pick<TracePath, "hops">,
  captures: readonly LiveCapture[],
  listenedAt: readonly LivePlace[] = captures,
): Disagreement[] {
  const places = new Set(
    listenedAt.flatMap((one) => DIRECTIONS.map((direction) => placeOf({ ...one, direction }))),
  );
  const explained = hops.flatMap(({ node, captures: own }) =>
    own.map(({ port, direction, frame }): LiveCapture => ({ node: node.name, port, direction, frame })),
  );
  const [wanted, found] = [byPlace(explained, places), byPlace(captures, places)];
  const disagreements: Disagreement[] = [];
  for (const place of new Set([...wanted.keys(), ...places])) {
    const [left, right] = [wanted.get(place) ?? [], found.get(place) ?? []];
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
      const [a, b] = [left[i] ?? null, right[i] ?? null];
      if (a?.words === b?.words) continue;
      const { node, port, direction } = (a ?? b)!.capture;
      disagreements.push({ node, port, direction, explained: a?.words ?? null, captured: b?.words ?? null });
    }
  }
  return disagreements;
}

const DIRECTIONS = ["in", "out"] as const;

interface Described {
  readonly capture: LiveCapture;
  readonly words: string;
}

function byPlace(captures: readonly LiveCapture[], places: ReadonlySet<string>): Map<string, Described[]> {
  const map = new Map<string, Described[]>();
  for (const capture of captures) {
    const place = placeOf(capture);
    const words = describeFrame(capture.frame);
    if (words === null || !places.has(place)) continue;
    const list = map.get(place) ?? [];
    map.set(place, list);
    list.push({ capture, words });
  }
  return map;
}

function placeOf({ node, port, direction }: Omit<LiveCapture, "frame">): string {
  return `${node} ${port} ${direction}`;
}

/** Null for what is no IP packet. */
function describeFrame(frame: Uint8Array): string | null {
  const decoded = decodeEthernet(frame);
  if (!decoded.ok) return null;
  const { etherType, payloadOffset, tags } = decoded.value;
  const family = etherType === ETHER_TYPES.ipv4 ? 4 : etherType === ETHER_TYPES.ipv6 ? 6 : null;
  const packet = family === null ? null : decodePacket(frame, payloadOffset, family);
  if (packet?.ok !== true || packet.value.body.kind === "neighbour") return null;
  const vlans = tags.map(({ id }) => `vlan ${id} `).join("");
  const { ttl, dscp } = packet.value;
  return `${vlans}${describePacket(packet.value)} ttl ${ttl}${dscp === 0 ? "" : ` dscp ${dscp}`}`;
}
