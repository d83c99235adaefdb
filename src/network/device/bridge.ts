// A switch that learns: IEEE 802.1Q with port groups, their policies, uplinks, and LAGs. Virtual switches,
// physical ones and the segments of networks without a switch are the same thing with different ports.
import { isGroupMac, type Mac } from "../../base/mac.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { TrafficRule, VlanRange } from "../../model/datacenter.ts";
import {
  changeEthernet,
  decodeEthernet,
  ETHER_TYPES,
  type EthernetHeader,
  encodeEthernet,
} from "../../wire/ethernet.ts";
import { VLAN_TAG_BYTES, type VlanTag } from "../../wire/vlan.ts";
import { transmitHash } from "../bond/transmit-hash.ts";
import { type BridgeLag, type BridgePort, type BridgeSpec, describeVlan } from "../topology/topology.ts";
import type { Device } from "./device.ts";
import { decodePacket, encodePacket, type Packet } from "./packet.ts";
import type { HopNote } from "./recorder.ts";
import { trafficRuleFor } from "./traffic-rule.ts";
import type { World } from "./world.ts";

/** What is not heard of is forgotten (IEEE 802.1Q-2018, 8.8.3: the recommended time). */
const AGEING_MS = 300_000;
/** Two addresses and the type. */
const ETHERNET_BYTES = 14;

/** A frame within the switch: its VLAN, and the bytes without the tag that said so. */
interface Inside {
  readonly vlan: number;
  readonly frame: Uint8Array;
  readonly header: EthernetHeader & { readonly payloadOffset: number };
  readonly priority: number;
}

export class Bridge implements Device {
  readonly name: { readonly kind: "switch" | "fabric"; readonly name: string };
  readonly #spec: BridgeSpec;
  readonly #world: World;
  /** Where each MAC was seen last: a port, or a LAG as "lag NAME". By VLAN and MAC. */
  readonly #learned = new Map<string, { readonly place: string; readonly atMs: number }>();

  constructor(spec: BridgeSpec, world: World) {
    this.name = { kind: spec.kind, name: spec.name };
    this.#spec = spec;
    this.#world = world;
  }

  /** The port where a MAC was learnt; null when it is not known. For explanations and tests. */
  learnedPort(vlan: number, mac: Mac): string | null {
    const entry = this.#learned.get(`${vlan} ${mac}`);
    return entry === undefined || this.#world.nowMs - entry.atMs > AGEING_MS ? null : entry.place;
  }

  receive(frame: Uint8Array, portName: string, hop: HopNote): void {
    const port = this.#spec.ports.get(portName);
    if (port === undefined) {
      hop.end("link-down", `${this.name.name} has no port ${portName}`);
      return;
    }
    const lag = port.lag === null ? null : (this.#spec.lags.get(port.lag) ?? null);
    if (lag?.fault != null) {
      hop.end("link-down", lag.fault.message, lag.fault.span);
      return;
    }
    const inside = this.#classify(frame, port, hop);
    const admitted = inside === null ? null : this.#admit(inside, port, hop);
    if (admitted === null) return;
    this.#learn(admitted, port, hop);
    this.#forward(admitted, port, hop);
  }

  #classify(frame: Uint8Array, port: BridgePort, hop: HopNote): Inside | null {
    const decoded = decodeEthernet(frame);
    if (!decoded.ok) return null;
    const { tags } = decoded.value;
    const [outer, inner] = tags;
    const inVlan = (vlan: number, stripped: number): Inside => ({
      vlan,
      frame: stripped === 0 ? frame : changeEthernet(frame, { tags: tags.slice(stripped) }),
      header: decoded.value,
      priority: outer?.priority ?? 0,
    });
    const { role } = port;
    switch (role.kind) {
      case "access":
        if (outer !== undefined && outer.id !== 0) {
          hop.end(
            "vlan-mismatch",
            `${port.name} sends a tag for VLAN ${outer.id}, but its port group gives the tag`,
            role.portGroup?.vlan?.span ?? port.span,
          );
          return null;
        }
        if (role.vlan !== 0)
          hop.step(
            "vlan",
            `${port.name} is in ${describeVlan(role.vlan)} by its port group ${role.portGroup!.name}`,
            {
              level: "full",
              span: role.portGroup!.vlan?.span ?? null,
              facts: { vlan: role.vlan },
            },
          );
        return inVlan(role.vlan, 0);
      case "guest-trunk": {
        const vlan = outer?.id ?? 0;
        if (inRanges(vlan, role.ranges)) return inVlan(vlan, outer === undefined ? 0 : 1);
        hop.end("vlan-mismatch", `${port.name} may not send in ${describeVlan(vlan)}`, port.span);
        return null;
      }
      case "uplink":
        if (outer === undefined) return inVlan(0, 0);
        return inner === undefined ? inVlan(outer.id, 1) : inVlan(outer.id * 4096 + inner.id, 2);
      case "physical": {
        const vlan = outer?.id ?? role.native?.vlan ?? 0;
        const isCarried =
          role.trunk === null ||
          (outer === undefined ? role.native !== null : carriesTagged(role.trunk, vlan) !== null);
        if (isCarried) return inVlan(vlan, outer === undefined ? 0 : 1);
        const what = outer === undefined ? "frames without a tag" : `VLAN ${vlan}`;
        hop.end(
          "vlan-mismatch",
          `${this.name.name} drops it: ${portWords(port)} does not carry ${what}`,
          trunkSpan(port),
        );
        return null;
      }
    }
  }

  /** The port group's policies and rules: the frame as it goes on, marked perhaps; null: dropped. */
  #admit(inside: Inside, port: BridgePort, hop: HopNote): Inside | null {
    const { header, frame } = inside;
    if (port.role.kind !== "access" || port.role.portGroup === null) return inside;
    const { portGroup, station } = port.role;
    const { forgedTransmits } = portGroup.security;
    if (station !== null && forgedTransmits?.value !== "accept" && header.source !== station.effectiveMac) {
      const why =
        forgedTransmits === null
          ? "rejects forged transmits, which is the default"
          : "rejects forged transmits";
      hop.end(
        "dropped-by-policy",
        `port group ${portGroup.name} ${why}: ${station.name} sends from ${header.source}, but its card has ${station.effectiveMac}`,
        forgedTransmits?.span ?? portGroup.span,
      );
      return null;
    }
    const packet = packetIn(frame);
    const rule =
      packet === null ? null : trafficRuleFor(portGroup.filters, packet, this.#world.topology.resolved);
    if (rule === null) return inside;
    const { action } = rule;
    if (action.value === "mark") {
      const marks = [rule.dscp && `DSCP ${rule.dscp.value}`, rule.cos && `class ${rule.cos.value}`].filter(
        Boolean,
      );
      hop.step("policy", `marked with ${marks.join(" and ")} by a rule of ${portGroup.name}`, {
        span: rule.span,
      });
      return marked(inside, rule);
    }
    if (action.value === "allow") return inside;
    hop.end("dropped-by-policy", `a traffic rule of port group ${portGroup.name} drops it`, rule.span);
    return null;
  }

  #learn({ vlan, header }: Inside, port: BridgePort, hop: HopNote): void {
    if (isGroupMac(header.source)) return;
    const place = port.lag === null ? port.name : `lag ${port.lag}`;
    const key = `${vlan} ${header.source}`;
    const before = this.learnedPort(vlan, header.source);
    this.#learned.set(key, { place, atMs: this.#world.nowMs });
    if (before === place) return;
    const text =
      before === null
        ? `learns ${header.source} at ${place}`
        : `learns ${header.source} at ${place}; it was at ${before}`;
    hop.step("learn", text, {
      level: before === null ? "full" : "normal",
      facts: { mac: header.source, port: place, vlan },
    });
  }

  #forward(inside: Inside, ingress: BridgePort, hop: HopNote): void {
    const { header, vlan } = inside;
    const ownPlace = ingress.lag === null ? ingress.name : `lag ${ingress.lag}`;
    const known = isGroupMac(header.destination) ? null : this.learnedPort(vlan, header.destination);
    if (known === ownPlace) {
      hop.step("drop", `${header.destination} is at ${known}, where the frame came from`, { level: "full" });
      return;
    }
    if (known !== null) {
      hop.step("forward", `${header.destination} was learnt at ${known}`, {
        facts: { mac: header.destination, port: known },
      });
      const port = this.#memberFor(known, inside, hop);
      if (port !== null) this.#emit(inside, port, hop);
      return;
    }
    this.#flood(inside, ownPlace, hop);
  }

  #flood(inside: Inside, ownPlace: string, hop: HopNote): void {
    const { vlan, header } = inside;
    const candidates = [...(this.#spec.accessPorts.get(vlan) ?? []), ...this.#spec.otherPorts];
    const targets: BridgePort[] = [];
    const lags = new Set<string>();
    for (const port of candidates) {
      const place = port.lag === null ? port.name : `lag ${port.lag}`;
      if (place === ownPlace || lags.has(place) || !carries(port, vlan)) continue;
      if (port.lag !== null) lags.add(place);
      targets.push(port);
    }
    if (targets.length === 0) {
      const kinds = this.#spec.kind === "fabric" ? "vlan-mismatch" : "flooded";
      const why =
        this.#spec.kind === "fabric"
          ? `no other port of ${this.name.name} carries ${describeVlan(vlan)}`
          : `nobody else is in ${describeVlan(vlan)} on ${this.name.name}`;
      hop.end(kinds, why, this.#spanWithout(vlan, ownPlace));
      return;
    }
    const isBroadcast = isGroupMac(header.destination);
    const count = `${targets.length} port${targets.length === 1 ? "" : "s"}`;
    hop.step(
      "flood",
      isBroadcast
        ? `to all ${count} of ${describeVlan(vlan)}`
        : `nobody knows where ${header.destination} is: to all ${count} of ${describeVlan(vlan)}`,
      {
        level: isBroadcast ? "full" : "normal",
        facts: { ports: targets.length, vlan },
      },
    );
    for (const target of targets) {
      const port = target.lag === null ? target : this.#memberFor(`lag ${target.lag}`, inside, hop);
      if (port !== null) this.#emit(inside, port, hop);
    }
  }

  /** A line that would have to carry the VLAN and does not. */
  #spanWithout(vlan: number, ownPlace: string): Span | null {
    for (const port of this.#spec.otherPorts) {
      const place = port.lag === null ? port.name : `lag ${port.lag}`;
      if (place !== ownPlace && port.role.kind === "physical" && !carries(port, vlan)) return trunkSpan(port);
    }
    return null;
  }

  /** The port itself, or the member of a LAG that this frame takes; null when the LAG is down. */
  #memberFor(place: string, inside: Inside, hop: HopNote): BridgePort | null {
    if (!place.startsWith("lag ")) return this.#spec.ports.get(place) ?? null;
    const lag = this.#spec.lags.get(place.slice(4))!;
    if (lag.fault !== null) {
      hop.end("link-down", lag.fault.message, lag.fault.span);
      return null;
    }
    const { value, fields } = transmitHash(lag.hash, inside.frame);
    const member = lag.members[value % lag.members.length]!;
    if (lag.members.length > 1) {
      hop.step("lag", `LAG ${lag.name} takes port ${member}: hash ${lag.hash} over ${fields}`, {
        span: spanOfLag(lag),
        facts: { lag: lag.name, member, hash: value, policy: lag.hash },
      });
    }
    return this.#spec.ports.get(member) ?? null;
  }

  /** Unicast frames go to whose MAC it is, and to ports that may hear everything. */
  #isKeptFrom(
    { station, portGroup }: Extract<BridgePort["role"], { kind: "access" }>,
    destination: Mac,
    hop: HopNote,
  ): boolean {
    if (station === null || portGroup === null || isGroupMac(destination) || destination === station.mac)
      return false;
    const { macChanges, promiscuous } = portGroup.security;
    if (promiscuous?.value === "accept") return false;
    if (destination !== station.effectiveMac) {
      const text = `port group ${portGroup.name} keeps from ${station.name} what is for ${destination}`;
      hop.step("policy", text, { level: "full", span: promiscuous?.span ?? portGroup.span });
      return true;
    }
    if (macChanges?.value === "accept") return false;
    hop.end(
      "dropped-by-policy",
      `port group ${portGroup.name} rejects MAC changes: ${station.name} answers to ${station.effectiveMac} instead of ${station.mac}`,
      macChanges?.span ?? portGroup.span,
    );
    return true;
  }

  #emit(inside: Inside, port: BridgePort, hop: HopNote): void {
    const { role } = port;
    const { frame, vlan } = inside;
    const tags = role.kind === "access" ? [] : tagsFor(port, vlan, inside.priority);
    // Cards leave room for one tag beside the MTU; of two, the inner one counts as data.
    const bytes = frame.length - ETHERNET_BYTES + Math.max(0, tags.length - 1) * VLAN_TAG_BYTES;
    if (bytes > port.mtu) {
      hop.end("mtu-exceeded", `${bytes} bytes do not fit the MTU ${port.mtu} of ${port.name}`, port.span);
      return;
    }
    if (role.kind === "access") {
      if (this.#isKeptFrom(role, inside.header.destination, hop)) return;
      this.#world.send(hop, port.name, frame);
      return;
    }
    if (tags.length > 0)
      hop.step("vlan", `goes out of ${port.name} with ${tagWords(tags)}`, {
        level: "normal",
        span: trunkSpan(port),
        facts: { vlan },
      });
    this.#world.send(hop, port.name, tags.length === 0 ? frame : withTags(frame, tags));
  }
}

/** By a rule's marks: DSCP in the IP header, the class in the tag that the frame gets on an uplink. */
function marked(inside: Inside, { dscp, cos }: TrafficRule): Inside {
  const { frame, header } = inside;
  const packet = packetIn(frame);
  const isMarked = dscp !== null && packet !== null;
  const payload = isMarked ? encodePacket({ ...packet, dscp: dscp.value }) : null;
  return {
    ...inside,
    frame: payload === null ? frame : encodeEthernet(header, payload),
    priority: cos?.value ?? inside.priority,
  };
}

function withTags(frame: Uint8Array, tags: readonly VlanTag[]): Uint8Array {
  const decoded = decodeEthernet(frame);
  return decoded.ok ? changeEthernet(frame, { tags: [...tags, ...decoded.value.tags] }) : frame;
}

function tagsFor({ role }: BridgePort, vlan: number, priority: number): VlanTag[] {
  const tag = (protocol: VlanTag["protocol"], id: number): VlanTag => ({
    protocol,
    id,
    priority,
    isDropEligible: false,
  });
  if (vlan === 0 || (role.kind === "physical" && role.native?.vlan === vlan)) return [];
  if (vlan < 4096) return [tag("802.1Q", vlan)];
  return [tag("802.1ad", vlan >> 12), tag("802.1Q", vlan & 0xfff)];
}

function tagWords(tags: readonly VlanTag[]): string {
  return tags
    .map(({ protocol, id }) => `tag ${id}${protocol === "802.1ad" ? " (802.1ad)" : ""}`)
    .join(" and ");
}

function carries({ role }: BridgePort, vlan: number): boolean {
  switch (role.kind) {
    case "access":
      return role.vlan === vlan;
    case "guest-trunk":
      return inRanges(vlan, role.ranges);
    case "uplink":
      return true;
    case "physical":
      return role.trunk === null || role.native?.vlan === vlan || carriesTagged(role.trunk, vlan) !== null;
  }
}

function carriesTagged(
  trunk: readonly { readonly range: VlanRange; readonly span: Span }[],
  vlan: number,
): Span | null {
  return trunk.find(({ range }) => vlan >= range.first && vlan <= range.last)?.span ?? null;
}

function inRanges(vlan: number, ranges: readonly VlanRange[]): boolean {
  return ranges.some(({ first, last }) => vlan >= first && vlan <= last);
}

function trunkSpan({ role, span }: BridgePort): Span {
  if (role.kind !== "physical") return span;
  return role.trunk?.[0]?.span ?? role.native?.span ?? span;
}

function spanOfLag({ span }: BridgeLag): Span {
  return span;
}

function portWords({ name, lag }: BridgePort): string {
  return lag === null ? `port ${name}` : `port ${name} of LAG ${lag}`;
}

function packetIn(frame: Uint8Array): Packet | null {
  const decoded = decodeEthernet(frame);
  if (!decoded.ok) return null;
  const { etherType, payloadOffset } = decoded.value;
  const family = etherType === ETHER_TYPES.ipv4 ? 4 : etherType === ETHER_TYPES.ipv6 ? 6 : null;
  const packet = family === null ? null : decodePacket(frame, payloadOffset, family);
  return packet?.ok === true ? packet.value : null;
}
