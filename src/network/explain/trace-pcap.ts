// A trace as a capture file: each port that a frame passed is an interface with its name, so that Wireshark
// and tshark show the way as if they had listened everywhere.
import type { Trace, TracePath } from "../../model/trace.ts";
import { type CapturedFrame, encodePcapng } from "../../wire/pcapng.ts";

/** pcapng (draft-ietf-opsawg-pcapng), in the order of virtual time from the epoch on. */
export function tracePcap(trace: Trace): Uint8Array {
  const paths: TracePath[] = [...trace.before, trace.there];
  if (trace.back !== null) paths.push(trace.back);
  const frames: CapturedFrame[] = paths.flatMap(({ hops }) =>
    hops.flatMap(({ node, captures }) =>
      captures.map(({ port, direction, atMs, frame }) => ({
        interface: `${node.name}:${port}`,
        direction,
        atNs: BigInt(Math.round(atMs * 1e6)),
        frame,
      })),
    ),
  );
  return encodePcapng(frames.sort((a, b) => Number(a.atNs - b.atNs)));
}
