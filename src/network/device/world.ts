// Virtual time and cables: a frame that a device sends arrives at the other end of the cable a moment later,
// in the order in which frames were sent. Nothing else moves time, so the same question always has the same
// answer.

import type { DhcpMessage } from "../../protocol/dhcp/message.ts";
import type { LoadBalancerBind } from "../resolve/resolution.ts";
import type { Topology } from "../topology/topology.ts";
import { type Device, makeDevice } from "./device.ts";
import { HopNote, Recording } from "./recorder.ts";

/** Time that a cable takes, in milliseconds. */
const CABLE_MS = 0.01;
/**
 * A port that sees this many frames of one question is in a loop: a question and its answer are a handful.
 */
const ARRIVALS_MAX = 200;

/** Which conversation a frame belongs to, and which hop sent it. */
export interface Cause {
  readonly recording: Recording;
  readonly hop: number | null;
}

type Event =
  | {
      readonly kind: "frame";
      readonly node: string;
      readonly port: string;
      readonly frame: Uint8Array;
      readonly cause: Cause;
    }
  | { readonly kind: "timer"; readonly run: () => void };

export class World {
  readonly topology: Topology;
  readonly loadBalancerBinds: readonly LoadBalancerBind[];
  /**
   * Conversations beside the one that was asked for: who has which address. In the order in which they began.
   */
  readonly conversations: Recording[] = [];
  /** DHCP messages that have reached whom they were for. */
  readonly dhcpAnswers: DhcpMessage[] = [];
  nowMs = 0;
  /** A storm was cut off. */
  isStorming = false;
  readonly #devices = new Map<string, Device>();
  readonly #arrivals = new Map<string, number>();
  /** Ascending by time; frames of one moment in the order of sending. */
  readonly #events: { readonly atMs: number; readonly event: Event }[] = [];

  constructor(topology: Topology, loadBalancerBinds: readonly LoadBalancerBind[] = []) {
    this.topology = topology;
    this.loadBalancerBinds = loadBalancerBinds;
  }

  /** A recording for a conversation that comes up on the way. */
  converse(): Recording {
    const recording = new Recording();
    this.conversations.push(recording);
    return recording;
  }

  device(node: string): Device {
    let device = this.#devices.get(node);
    if (device === undefined) {
      device = makeDevice(this.topology.nodes.get(node)!, this);
      this.#devices.set(node, device);
    }
    return device;
  }

  /** Puts a frame on the cable at a port. */
  send(hop: HopNote, port: string, frame: Uint8Array): void {
    hop.capture(port, "out", frame, this.nowMs);
    const peer = this.topology.peerOf(hop.nodeId, port);
    if (peer === null) {
      hop.end("link-down", `nothing is plugged into ${port} of ${hop.node.name}`, null);
      return;
    }
    const cause = { recording: hop.recording, hop: hop.index };
    this.#schedule(this.nowMs + CABLE_MS, { kind: "frame", node: peer.node, port: peer.port, frame, cause });
  }

  after(delayMs: number, run: () => void): void {
    this.#schedule(this.nowMs + delayMs, { kind: "timer", run });
  }

  /** Runs until nothing is on its way any more. In a storm frames are lost, but timers still run out. */
  settle(): void {
    this.#arrivals.clear();
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      this.nowMs = next.atMs;
      if (next.event.kind === "timer") next.event.run();
      else if (!this.isStorming) this.#arrive(next.event);
    }
  }

  #arrive({ node, port, frame, cause }: Extract<Event, { kind: "frame" }>): void {
    const device = this.device(node);
    const place = `${node} ${port}`;
    const count = (this.#arrivals.get(place) ?? 0) + 1;
    this.#arrivals.set(place, count);
    if (count > ARRIVALS_MAX) {
      this.isStorming = true;
      const last = new HopNote(cause.recording, device.name, cause.hop, port, this.nowMs);
      last.end(
        "looped",
        `the frame comes to ${device.name.name} by ${port} again and again: there is a loop`,
      );
      return;
    }
    const hop = new HopNote(cause.recording, device.name, cause.hop, port, this.nowMs);
    hop.capture(port, "in", frame, this.nowMs);
    device.receive(frame, port, hop);
  }

  #schedule(atMs: number, event: Event): void {
    let at = this.#events.length;
    while (at > 0 && this.#events[at - 1]!.atMs > atMs) at--;
    this.#events.splice(at, 0, { atMs, event });
  }
}
